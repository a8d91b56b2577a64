"""A real KServe server: V1 and V2 on the newest release, the OpenAI routes on the last one that needs no torch."""

from __future__ import annotations

import pytest
from tests.integration.kserve_server import PYTHON, M, kserve_serving, openai_serving, serving
from tests.support.waiting import PATIENCE

from mlgate.adapters.models.http_model import HttpModel
from mlgate.adapters.protocols.kserve import KServeV1, KServeV2
from mlgate.adapters.protocols.openai import OpenAIChat, OpenAICompletions
from mlgate.adapters.protocols.plain_json import PlainJson
from mlgate.adapters.protocols.protocol import HttpProtocol
from mlgate.core.check import Example
from mlgate.core.ports import Failure

pytestmark = pytest.mark.needs_kserve

kserve = pytest.fixture(scope="module")(kserve_serving)
openai = pytest.fixture(scope="module")(openai_serving)


def examples(n: int) -> list[Example]:
    return [Example(str(i), f"Größe {i}\n zählt\u2028. Der Rest nicht. Nie.") for i in range(n)]


def expected(n: int) -> list[str]:
    return [f"Größe {i}\n zählt\u2028." for i in range(n)]


def ask(
    url: str, protocol: HttpProtocol, asked: list[Example], *, concurrency: int = 1, batch: int = 1
) -> list[object]:
    model = HttpModel(url, protocol, concurrency=concurrency, batch=batch, timeout_s=PATIENCE)
    try:
        return list(model.answer(asked))
    finally:
        model.close()


V1_JSON = PlainJson({"instances": ["{input}"]}, "predictions.0", f"/v1/models/{M}:predict")


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize(
    ("protocol", "batch"), [(KServeV1(M), 1), (KServeV1(M), 7), (KServeV2(M), 1), (KServeV2(M), 7), (V1_JSON, 1)]
)
def test_kserve_answers_every_example_in_order(
    kserve: str, protocol: HttpProtocol, batch: int, concurrency: int
) -> None:
    assert ask(kserve, protocol, examples(100), concurrency=concurrency, batch=batch) == expected(100)


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize(
    ("protocol", "batch"), [(OpenAIChat(M), 1), (OpenAICompletions(M), 1), (OpenAICompletions(M), 7)]
)
def test_the_openai_routes_answer_every_example_in_order(
    openai: str, protocol: HttpProtocol, batch: int, concurrency: int
) -> None:
    assert ask(openai, protocol, examples(50), concurrency=concurrency, batch=batch) == expected(50)


def test_openai_parameters_and_conversations_are_accepted(openai: str) -> None:
    params = {"temperature": 0, "max_tokens": 50, "seed": 7}
    talk = Example("a", [{"role": "system", "content": "Sum up."}, {"role": "user", "content": "One. Two."}])
    assert ask(openai, OpenAIChat(M, params=params), [talk]) == ["One."]
    assert ask(f"{openai}/v1", OpenAIChat(M, template="In short: {input}"), examples(1)) == [
        f"In short: {expected(1)[0]}"
    ]


@pytest.mark.parametrize("protocol", [KServeV1(M), KServeV2(M)])
def test_an_exception_in_the_model_costs_one_example(kserve: str, protocol: HttpProtocol) -> None:
    first, failed, last = ask(kserve, protocol, [Example("a", "A. B."), Example("b", "boom"), Example("c", "C. D.")])
    assert (first, last) == ("A.", "C.")
    assert isinstance(failed, Failure)
    assert failed.blame == "model"
    assert failed.why == 'status 500: {"error":"ValueError : this cannot be read"}'


def test_an_answer_that_is_a_number_is_its_text(kserve: str) -> None:
    assert ask(kserve, KServeV1(M), [Example("a", "number")]) == ["7"]


@pytest.mark.parametrize("protocol", [KServeV1("other"), KServeV2("other"), OpenAIChat(M)])
def test_a_model_or_a_route_that_is_not_there_is_a_failure_that_says_so(kserve: str, protocol: HttpProtocol) -> None:
    (failed,) = ask(kserve, protocol, examples(1))
    assert isinstance(failed, Failure)
    assert failed.why.startswith("status 404: ")


@pytest.mark.parametrize("concurrency", [1, 8])
def test_a_server_that_is_killed_half_way_leaves_answers_and_then_failures(concurrency: int) -> None:
    with serving(PYTHON, "kserve_model.py") as server:
        model = HttpModel(server.url, KServeV2(M), concurrency=concurrency, timeout_s=PATIENCE, retries=1)
        run = model.answer(examples(200))
        answered = [next(run) for _ in range(50)]
        server.kill()
        rest = list(run)
        model.close()
    assert answered == expected(200)[:50]
    assert len(rest) == 150
    failures = [one for one in rest if isinstance(one, Failure)]
    wanted = expected(200)[50:]  # of what was under way when the server died, any may have been answered
    assert all(isinstance(one, Failure) or one == want for one, want in zip(rest, wanted, strict=True))
    assert all(isinstance(one, Failure) for one in rest[2 * concurrency :])
    assert len(failures) >= 150 - 2 * concurrency
    assert failures[-1] == Failure("not asked: the endpoint cannot be reached", "gate")
