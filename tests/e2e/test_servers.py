"""`mlgate check` against real servers: KServe over V1 and V2, and an OpenAI-compatible one."""

from __future__ import annotations

import json

import pytest
from tests.e2e.desk import Desk
from tests.e2e.timed import taken
from tests.integration.kserve_server import PYTHON, M, kserve_serving, openai_serving, serving

pytestmark = pytest.mark.needs_kserve
kserve = pytest.fixture(scope="module")(kserve_serving)
openai = pytest.fixture(scope="module")(openai_serving)

CONFIG = """\
version: 1
model:
  name: {model}
  endpoint: {{url: "{url}", protocol: {protocol}, concurrency: 4, timeout: 20s}}
checks:
  first:
    data: data.jsonl
    rules:
      exact_match: {{min: 1}}
      chrf: {{min: 99}}
"""


def project(desk: Desk, url: str, protocol: str, n: int = 60) -> None:
    rows = [
        {"id": str(i), "input": f"Größe {i} zählt. Der Rest nicht.", "reference": f"Größe {i} zählt."} for i in range(n)
    ]
    desk.write("data.jsonl", "".join(json.dumps(row) + "\n" for row in rows))
    desk.write("mlgate.yaml", CONFIG.format(model=M, url=url, protocol=protocol))


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("protocol", ["kserve-v1", "kserve-v2"])
def test_a_kserve_model_is_gated(desk: Desk, kserve: str, protocol: str, workers: str) -> None:
    project(desk, kserve, protocol)
    done = desk.mlgate("check", "-n", workers)
    assert done.code == 0, done.out + done.err
    assert [m["value"] for m in desk.report["measurements"]] == [1.0, 100.0]


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("protocol", ["openai-chat", "openai-completions"])
def test_an_openai_compatible_model_is_gated(desk: Desk, openai: str, protocol: str, workers: str) -> None:
    project(desk, openai, protocol)
    done = desk.mlgate("check", "-n", workers)
    assert done.code == 0, done.out + done.err
    assert [m["value"] for m in desk.report["measurements"]] == [1.0, 100.0]


def test_a_server_that_dies_half_way_is_an_error_and_the_run_goes_on_when_it_is_back(desk: Desk) -> None:
    with serving(PYTHON, "kserve_model.py") as server:
        project(desk, server.url, "kserve-v1", n=30)
        assert desk.mlgate("check", "-n", "0", "--shard", "1/2", "-o", "half").code == 0
        server.kill()
        done = desk.mlgate("check", "-n", "0")
        assert done.code == 3
        assert "30 of 30 examples were not answered" in " ".join(done.out.split())
        assert "could not connect" in " ".join(done.out.split())
    assert desk.verdict["outcome"] == "errored"
    assert desk.mlgate("doctor").code == 3


STREAMED = """\
version: 1
model:
  name: {model}
  endpoint: {{url: "{url}", protocol: {protocol}, timeout: 5s}}
checks:
  stream:
    kind: latency
    data: data.jsonl
    load: {{rate: 20, duration: 5s, block: 400ms, warmup: 400ms, stream: true}}
    rules:
      ttft_p50_ms: {{max: 2000}}
      itl_p50_ms: {{max: 2000}}
      tokens_per_s: {{min: 0.1}}
      error_rate: {{max: 0}}
      exact_match: {{min: 1}}
"""


@pytest.mark.alone
@pytest.mark.parametrize("protocol", ["openai-chat", "openai-completions"])
def test_a_streaming_model_is_timed_to_its_first_token_and_between_tokens(
    desk: Desk, openai: str, protocol: str
) -> None:
    project(desk, openai, protocol)
    desk.write("mlgate.yaml", STREAMED.format(model=M, url=openai, protocol=protocol))
    done = taken(desk, lambda: desk.mlgate("check"))
    values = {m["metric"]: m["value"] for m in desk.report["measurements"]}
    assert (values["error_rate"], values["exact_match"]) == (0, 1), done.out
    assert done.code == 0, done.out
    (load,) = desk.report["loads"]
    clocks = {one["clock"] for one in load["percentiles"]}
    assert clocks == {"latency", "ttft", "itl"}
