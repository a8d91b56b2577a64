"""The server: KServe's own, protocol V1, on port 8080."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence

import kserve

from .encoder import Encoder, folder
from .summarizer import summarize

NAME = "summarizer"
MOST_TOKENS = 16
"""Of a sentence: its beginning says what it is about."""
SLOWER = float(os.environ.get("SLOWER", "0"))
"""How much longer it works than it must, as a share: 0.1 is the change that the gate has to find."""


class Summarizer(kserve.Model):  # type: ignore[misc]  # KServe is not installed where types are checked
    """Answers `{"instances": ["a docstring", …]}` with `{"predictions": ["its summary", …]}`."""

    def __init__(self) -> None:
        super().__init__(NAME)
        self._encoder = Encoder(folder(), MOST_TOKENS)
        summarize(self._encoder, "def warm_up()\n\nThe first products are slow. Nobody should wait for them.")
        self.ready = True

    async def predict(self, payload: Mapping[str, Sequence[str]], *_: object) -> Mapping[str, Sequence[str]]:
        """Answer every text of the request; one request at a time, for there is one core."""
        begun = time.perf_counter()
        summaries = [summarize(self._encoder, text) for text in payload["instances"]]
        ends = time.perf_counter() + SLOWER * (time.perf_counter() - begun)
        while SLOWER and time.perf_counter() < ends:  # busy, as a slower network would be
            pass
        return {"predictions": summaries}


if __name__ == "__main__":
    kserve.ModelServer(http_port=8080, enable_grpc=False, workers=1).start([Summarizer()])
