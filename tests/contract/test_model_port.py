"""What every model is to the gate, wherever it runs. The peers are real: a process, an HTTP server, a file."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from tests.support.waiting import PATIENCE

from mlgate.adapters.models.answers import AnswersModel
from mlgate.adapters.models.http_model import HttpModel
from mlgate.adapters.models.python_model import PythonModel
from mlgate.adapters.protocols.kserve import KServeV1, KServeV2
from mlgate.adapters.protocols.openai import OpenAIChat, OpenAICompletions
from mlgate.adapters.protocols.protocol import HttpProtocol
from mlgate.core.check import Example, Json
from mlgate.core.ports import Answer, Failure, Model

Make = Callable[[Path, str, tuple[Example, ...]], Model]

FIRST_SENTENCE = {"A cat. It sat.": "A cat.", "Größe! Ja.": "Größe!", "": "", "nichts": None, "drei": 3, "viele": ["x"]}
"""What the model under test answers; to anything else, an exception. The last three are no text."""

SUMMARIZER = f"def f(x): return {FIRST_SENTENCE!r}[x]\ndef many(xs): return [f(x) for x in xs]"


class Summarizer(BaseHTTPRequestHandler):
    """The same model behind four protocols."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            status, said = 200, self.answer(asked)
        except KeyError as error:
            status, said = 500, {"error": str(error)}
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def answer(self, asked: dict[str, object]) -> object:
        match self.path, asked:
            case "/v1/models/m:predict", {"instances": list(texts)}:
                return {"predictions": [FIRST_SENTENCE[text] for text in texts]}
            case "/v2/models/m/infer", {"inputs": [{"data": list(texts)}]}:
                data = [FIRST_SENTENCE[text] for text in texts]
                return {"outputs": [{"name": "o", "shape": [len(data)], "datatype": "BYTES", "data": data}]}
            case "/v1/completions", {"prompt": prompt}:
                texts = prompt if isinstance(prompt, list) else [prompt]
                return {"choices": [{"index": i, "text": FIRST_SENTENCE[text]} for i, text in enumerate(texts)]}
            case "/v1/chat/completions", {"messages": [{"content": str(text)}]}:
                return {"choices": [{"index": 0, "message": {"content": FIRST_SENTENCE[text]}}]}
        raise KeyError(self.path)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Summarizer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()
        thread.join()


def of_python(folder: Path, _: str, __: tuple[Example, ...]) -> Model:
    (folder / "model.py").write_text(SUMMARIZER)
    return PythonModel("model:f", folder, timeout_s=PATIENCE)


def of_python_batches(folder: Path, _: str, __: tuple[Example, ...]) -> Model:
    (folder / "model.py").write_text(SUMMARIZER)
    return PythonModel("model:many", folder, timeout_s=PATIENCE, batch=3)


def of_answers(folder: Path, _: str, examples: tuple[Example, ...]) -> Model:
    known = [e for e in examples if e.input in FIRST_SENTENCE]
    rows = [{"id": e.id, "answer": FIRST_SENTENCE[str(e.input)]} for e in known]
    (folder / "answers.jsonl").write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    return AnswersModel.read(folder / "answers.jsonl", example_ids=[e.id for e in examples])


def over_http(protocol: HttpProtocol, batch: int = 1, concurrency: int = 1) -> Make:
    return lambda _, url, __: HttpModel(url, protocol, timeout_s=PATIENCE, batch=batch, concurrency=concurrency)


ONE_BY_ONE: dict[str, Make] = {
    "python": of_python,
    "answers": of_answers,
    "kserve-v1": over_http(KServeV1("m")),
    "kserve-v2": over_http(KServeV2("m")),
    "openai-chat": over_http(OpenAIChat("m")),
    "openai-completions": over_http(OpenAICompletions("m")),
    "concurrent": over_http(KServeV1("m"), concurrency=8),
}
IN_BATCHES: dict[str, Make] = {
    "python in batches": of_python_batches,
    "kserve-v1 in batches": over_http(KServeV1("m"), batch=3),
    "kserve-v2 in batches": over_http(KServeV2("m"), batch=3, concurrency=2),
    "openai-completions in batches": over_http(OpenAICompletions("m"), batch=3),
}
EVERY = ONE_BY_ONE | IN_BATCHES

every_model = pytest.mark.parametrize("make", EVERY.values(), ids=EVERY.keys())
one_by_one = pytest.mark.parametrize("make", ONE_BY_ONE.values(), ids=ONE_BY_ONE.keys())


def examples(*inputs: Json) -> tuple[Example, ...]:
    return tuple(Example(f"e{i}", one) for i, one in enumerate(inputs))


def ask(make: Make, folder: Path, url: str, asked: tuple[Example, ...]) -> list[str | Answer | Failure]:
    with ExitStack() as stack:
        model = make(folder, url, asked)
        stack.callback(model.close)
        return list(model.answer(asked))


@every_model
def test_there_is_one_answer_an_example_in_the_examples_order(make: Make, tmp_path: Path, url: str) -> None:
    good = [text for text, answer in FIRST_SENTENCE.items() if isinstance(answer, str)]
    asked = examples(*good * 7)
    assert ask(make, tmp_path, url, asked) == [FIRST_SENTENCE[str(one.input)] for one in asked]


@every_model
def test_a_number_is_an_answer_by_one_rule_whatever_the_model(make: Make, tmp_path: Path, url: str) -> None:
    assert ask(make, tmp_path, url, examples("drei")) == ["3"]


@every_model
@pytest.mark.parametrize("bad", ["nichts", "viele"])
def test_what_is_not_text_is_a_failure_of_the_model(make: Make, tmp_path: Path, url: str, bad: str) -> None:
    first, failed, last = ask(make, tmp_path, url, examples("", bad, "A cat. It sat."))
    assert (first, last) == ("", "A cat.")
    assert isinstance(failed, Failure)
    assert failed.blame == "model"
    assert failed.why


@one_by_one
def test_a_failure_costs_its_own_example_and_never_raises(make: Make, tmp_path: Path, url: str) -> None:
    answers = ask(make, tmp_path, url, examples("", "unheard of", "A cat. It sat."))
    assert [type(one) for one in answers] == [str, Failure, str]


@every_model
def test_a_failure_in_a_batch_still_leaves_one_result_an_example(make: Make, tmp_path: Path, url: str) -> None:
    answers = ask(make, tmp_path, url, examples("", "unheard of", "", "", "A cat. It sat.", ""))
    assert len(answers) == 6
    assert isinstance(answers[1], Failure)
    assert answers[3:] == ["", "A cat.", ""]


@every_model
def test_nothing_asked_is_nothing_answered(make: Make, tmp_path: Path, url: str) -> None:
    assert ask(make, tmp_path, url, ()) == []


@every_model
def test_it_can_be_closed_twice_and_unused_and_half_way(make: Make, tmp_path: Path, url: str) -> None:
    asked = examples(*[""] * 20)
    unused, used = make(tmp_path, url, asked), make(tmp_path, url, asked)
    unused.close()
    answers = used.answer(asked)
    assert next(answers) == ""
    used.close()
    used.close()
    del answers


@every_model
def test_it_answers_again_after_it_has_answered(make: Make, tmp_path: Path, url: str) -> None:
    asked = examples("", "A cat. It sat.")
    model = make(tmp_path, url, asked)
    assert list(model.answer(asked)) == list(model.answer(asked)) == ["", "A cat."]
    model.close()
