"""A model in an image that the gate builds: timed, blocked when it is slow, and released only when it passed.

Real BuildKit, registry and Docker engine. Of buildx's attestations only the list of contents is left out: its scanner
is an image of a public registry.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial

import pytest
from tests.act.conftest import Act
from tests.act.consumer import Consumer
from tests.act.judged import errors, held, report
from tests.act.project import EXAMPLES, example, project, rows, write
from tests.act.ran import Ran
from tests.act.site import Site, opened
from tests.support.images import SERVER

from mlgate.core.attestation.statement import PREDICATE_TYPE

pytestmark = [pytest.mark.needs_act, pytest.mark.needs_docker, pytest.mark.needs_buildkit, pytest.mark.alone]

CONFIG = """\
version: 1
model:
  name: clerk
  image:
    build: {build}
    protocol: kserve-v1
    timeout: 3s
    memory: 256MB
checks:
  notes:
    data: data.jsonl
    rules:
      rougeL: {{min: 0.6}}
  speed:
    kind: latency
    data: data.jsonl
    load: {{rate: 60, duration: 2s, block: 200ms, warmup: 200ms}}
    rules:
      p95_ms: {{max: 500}}
      error_rate: {{max: 0}}
"""
ANSWER = """\
def answer(text):
    time.sleep({seconds})
    return " ".join(text.split()[:{words}])
"""
FINE = ANSWER.format(
    seconds=0.06, words=7
)  # a busy machine delays by milliseconds, which is a large part of less than that
BAD = ANSWER.format(seconds=0.06, words=2)
SLOW = ANSWER.format(seconds=0.8, words=7)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site")) as one:
        yield one


def config(site: Site) -> str:
    return CONFIG.format(build=site.build)


def taken(run: Callable[[], Ran]) -> Ran:
    """Return a run whose times count: where mlgate itself says that this machine was busy, it is asked again."""
    for _ in range(2):
        ran = run()
        if not any("the generator, not the model" in page for page in ran.summary):
            return ran
    return run()


def clerk(code: str) -> dict[str, str]:
    return {"model.py": SERVER.format(code=code)}


@pytest.mark.parametrize("code", [FINE, SLOW], ids=["fast", "slow"])
def test_a_slow_model_in_an_image_that_the_gate_built_is_blocked(
    act: Act, consumer: Consumer, site: Site, code: str
) -> None:
    workflow = example("self-hosted-gpu.yml", latency_runner="bench-1", cache="registry")
    project(consumer, gate=config(site), workflow=workflow, Dockerfile=site.dockerfile)
    write(consumer, clerk(code))
    ran = taken(partial(act, consumer, consumer.pull_request(), env=site.env, labels=("bench-1",)))
    for job in ("plan", "build", "image-accuracy", "latency"):
        assert ran.job(job) == "success", ran
    assert len((ran.output("build", "image") or "").removeprefix("sha256:")) == 64
    assert any("of 1 step cached" in page for page in ran.summary), ran.summary
    outcomes = {finding["metric"]: finding["outcome"] for finding in report(ran)["findings"]}
    if code == FINE:
        held(ran, "passed", 0)
        assert set(outcomes.values()) == {"passed"}
    else:
        held(ran, "failed", 1, "FAILED: speed: p95_ms", "breaks the maximum 500")
        assert outcomes == {"rougeL": "passed", "error_rate": "passed", "p95_ms": "failed"}
        assert [said for said in errors(ran) if "mlgate.yaml:19: p95_ms" in said], errors(ran)


def test_the_release_tag_moves_only_behind_the_verdict(act: Act, consumer: Consumer, site: Site) -> None:
    whole = (EXAMPLES / "deploy.yml").read_text().replace("ghcr.io/acme/summarizer", site.image)
    text = whole.partition("\n  deploy:\n")[0] + "\n"  # what comes behind needs a cluster: test_deploy.py
    write(consumer, {**clerk(FINE), "Dockerfile": site.dockerfile, "mlgate.yaml": config(site), "data.jsonl": rows()})
    write(consumer, {".github/workflows/deploy.yml": text})

    def offline(path: str, text: str) -> str:
        return (
            text.replace("attest: ${{ inputs.attest }}", "attest: 'false'")
            if path.endswith("workflows/build.yml")
            else text
        )

    released = site.digest("production")
    assert released == "", "nothing is released yet"
    for code in (FINE, BAD):
        consumer.checkout("main")
        write(consumer, clerk(code))
        event = consumer.push()
        go = partial(act, consumer, event, workflow=".github/workflows/deploy.yml", env=site.env, edit=offline)
        ran = taken(go)
        built = ran.output("image", "digest")
        assert built, ran
        assert site.digest(f"quarantine-{consumer.sha('main')}") == built
        if code == FINE:
            held(ran, "passed", 0)
            assert ran.job("release") == "success", ran
            released = built
            signed = [json.loads(one.read_text()) for one in consumer.state.glob("attestations/*/*.json")]
            assert {one["subject-digest"] for one in signed} == {released}
            assert sorted(one["predicate-type"] for one in signed) == [
                "",
                PREDICATE_TYPE,
            ]  # where it was built; how well
        else:
            held(ran, "failed", 1)
            assert ran.job("release") == "skipped"
        assert site.digest("production") == released
