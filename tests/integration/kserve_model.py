"""A KServe model server to test against: it answers with the first sentence, over V1 and V2.

Runs in KServe's own environment, not in ours: `kserve_model.py PORT`. Asked about "boom" it raises, asked about
"number" it answers with one.
"""

from __future__ import annotations

import sys

import kserve

NAME = "summarizer"


def summary(text: str) -> str | int:
    """Return the first sentence."""
    if text == "boom":
        raise ValueError("this cannot be read")
    return 7 if text == "number" else text.partition(". ")[0].rstrip(".") + "."


class Summarizer(kserve.Model):  # type: ignore[misc]  # KServe is not installed where types are checked
    """Speaks V1 (a mapping comes in) and V2 (a request comes in)."""

    def __init__(self) -> None:
        super().__init__(NAME)
        self.ready = True

    async def predict(self, payload: object, *_: object) -> object:
        """Answer every input of the request."""
        if isinstance(payload, dict):
            return {"predictions": [summary(text) for text in payload["instances"]]}
        assert isinstance(payload, kserve.InferRequest)
        texts = [summary(text) for text in payload.inputs[0].data]
        output = kserve.InferOutput("summary", [len(texts)], "BYTES", texts)
        return kserve.InferResponse(payload.id, NAME, [output])


if __name__ == "__main__":
    kserve.ModelServer(http_port=int(sys.argv[1]), enable_grpc=False).start([Summarizer()])
