"""Latency checks at a desk: what passes, what is caught by the numbers, and what an old run's times are good for.

What judges times runs alone, and again where mlgate says that the machine was busy (`taken`).
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.e2e.desk import Desk, Done
from tests.e2e.load_server import Behaviour, load_server
from tests.e2e.timed import (
    STEADY,
    ended,
    endpoint,
    no_worker_left,
    observed,
    outcomes,
    taken,
    timed,
    why,
    words,
)

CALM = "{rate: 100, duration: 2s, block: 200ms, warmup: 200ms}"


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    with no_worker_left():
        yield


@pytest.mark.alone
def test_a_model_that_keeps_its_times_passes(desk: Desk) -> None:
    with load_server(Behaviour(wait=STEADY)) as server:
        rules = "{p95_ms: {max: 1500}, throughput_rps: {min: 1}, rougeL: {min: 0.5}, error_rate: {max: 0}}"
        timed(desk, endpoint(server.url), rules, load=CALM)
        done = taken(desk, lambda: desk.mlgate("check"))
    assert outcomes(desk)["error_rate"] == outcomes(desk)["rougeL"] == "passed"
    (load,) = desk.report["loads"]
    assert (load["rounds"], load["failed"]) == (11, 0)
    ended(desk, done, 0, "passed")
    assert set(outcomes(desk).values()) == {"passed"}
    assert load["requests"] > 59


@pytest.mark.alone
def test_a_model_that_is_too_slow_fails_with_its_percentile(desk: Desk) -> None:
    with load_server(Behaviour(wait=STEADY)) as server:
        timed(desk, endpoint(server.url), "{p95_ms: {max: 150}}", load=CALM)
        done = taken(desk, lambda: desk.mlgate("check"))
    ended(desk, done, 1, "failed", "p95_ms", "breaks the maximum 150")


@pytest.mark.alone
def test_t58_200_requests_are_too_few_for_a_p99(desk: Desk) -> None:
    with load_server(Behaviour(wait=STEADY)) as server:
        timed(desk, endpoint(server.url), "{p99_ms: {max: 1500}}", load="{rate: 200, duration: 1s, block: 100ms}")
        done = taken(desk, lambda: desk.mlgate("check"))
    assert outcomes(desk) == {"p99_ms": desk.verdict["outcome"], "error_rate": "passed"}
    ended(desk, done, 3, "inconclusive", "are too few for an interval of p99_ms: it needs 299")


def test_t56_fast_junk_under_load_is_caught_by_the_very_answers_that_were_timed(desk: Desk) -> None:
    with load_server(Behaviour("talks_junk", crowd=1, wait=0.1)) as server:
        model = endpoint(server.url, concurrency=1)
        timed(desk, model, "{rougeL: {min: 0.8}}", accuracy="{rougeL: {min: 0.8}}")
        done = desk.mlgate("check", "-n", "1")
    ended(desk, done, 1, "failed", "speed: rougeL", "is below the minimum 0.8")
    found = {(one["check"], one["metric"]): one["outcome"] for one in desk.report["findings"]}
    assert found["notes", "rougeL"] == "passed"
    assert found["speed", "error_rate"] == "passed"
    assert "candidate junk" in words(done.out)


@pytest.mark.alone
def test_t55_a_cache_is_seen_by_its_repetitions(desk: Desk) -> None:
    load = "{rate: 50, duration: 2s, block: 200ms, warmup: 100ms}"

    def check() -> Done:
        with load_server(Behaviour(wait=STEADY, fresh=2 * STEADY)) as server:  # one that has not been asked anything
            timed(desk, endpoint(server.url, timeout="5s"), "{cache_speedup: {max: 1.5}}", load=load)
            return desk.mlgate("check")

    done = taken(desk, check)
    ended(desk, done, 1, "failed", "cache_speedup", "breaks the maximum 1.5")


@pytest.mark.alone
def test_a_slower_model_is_caught_beside_its_baseline(desk: Desk) -> None:
    load = "{rate: 50, duration: 4s, block: 200ms, warmup: 200ms}"
    with load_server(Behaviour(wait=1.5 * STEADY)) as server, load_server(Behaviour(wait=STEADY)) as past:
        against = f'{{from: endpoint, url: "{past.url}"}}'
        timed(desk, endpoint(server.url), "{p50_ms: {max_rise: 20%}}", load=load, baseline=against)
        done = taken(desk, lambda: desk.mlgate("check"))
        asked = server.asked, past.asked
    assert asked[0] == asked[1]
    assert outcomes(desk)["error_rate"] == "passed"
    ended(desk, done, 1, "failed", "p50_ms")


# --- baselines, shards, replay -----------------------------------------------------------------


FILE = "{from: file, path: baseline.jsonl.gz}"


@pytest.mark.alone
def test_times_of_another_run_are_told_and_never_block(desk: Desk) -> None:
    """Even times that are twice as long: another run is another machine. The rule that blocks is a duet's."""
    rules = "{p50_ms: {max_rise: 1%}, error_rate: {max: 0}}"
    with load_server(Behaviour(wait=STEADY)) as past, load_server(Behaviour(wait=2 * STEADY)) as server:
        timed(desk, endpoint(past.url), rules, baseline=FILE, load=CALM)
        assert taken(desk, lambda: desk.mlgate("check", "--save-baseline")).code == 0
        timed(desk, endpoint(server.url), rules, baseline=FILE, load=CALM)
        done = taken(desk, lambda: desk.mlgate("check"))
    ended(desk, done, 0, "warned")
    assert [f["topic"] for f in desk.report["findings"] if f["metric"] == "p50_ms"] == ["stored-baseline"]
    assert "for the trend only: the baseline was timed in another run" in why(desk, "p50_ms")


def test_the_first_shard_has_the_load_whole_and_accuracy_is_divided(desk: Desk) -> None:
    with load_server() as server:
        timed(desk, endpoint(server.url), accuracy="{rougeL: {min: 0.5}}")
        for k in (1, 2):
            done = desk.mlgate("check", "-n", "1", "--shard", f"{k}/2")
            assert done.code == 0, done.err
        rows = [observed(desk, f"evidence-{k}of2.jsonl.gz") for k in (1, 2)]
        counts = [[sum(1 for row in part if row["check"] == check) for check in ("notes", "speed")] for part in rows]
        assert counts == [[20, 12], [20, 0]]
        asked = server.asked
        paths = [str(path) for path in sorted((desk.root / ".mlgate").glob("evidence-*of2.jsonl.gz"))]
        merged = desk.mlgate("merge", *paths)
        ended(desk, merged, 0, "passed")
        assert server.asked == asked
    assert [check["answered"] for check in desk.report["checks"]] == [40, 12]


def test_pytest_with_the_plugin_puts_the_load_on_when_its_own_tests_are_done(desk: Desk) -> None:
    desk.write(
        "test_fast.py", "def test_fast(mlgate_latency):\n    assert mlgate_latency(len, ['a'], seconds=0.1).n > 30\n"
    )
    with load_server() as server, load_server() as past:
        against = f'{{from: endpoint, url: "{past.url}"}}'
        rules = "{error_rate: {max: 0}, rougeL: {min: 0.5, max_drop: 0.01}}"
        timed(desk, endpoint(server.url), rules, baseline=against, accuracy="{rougeL: {min: 0.5, max_drop: 0.01}}")
        done = subprocess.run(
            [*desk.command(())[:1], "-m", "pytest", "-q", "-p", "mlgate", "-n", "2"],
            cwd=desk.root,
            env=desk.env(),
            capture_output=True,
            check=False,
        )
        assert (done.returncode, desk.verdict["outcome"]) == (0, "passed"), done.stdout.decode()
        assert server.asked == past.asked
    assert b"LATENCY" in done.stdout


def test_a_missing_first_shard_is_a_missing_load(desk: Desk) -> None:
    with load_server() as server:
        timed(desk, endpoint(server.url), accuracy="{rougeL: {min: 0.5}}")
        assert desk.mlgate("check", "-n", "1", "--shard", "2/2").code == 0
        done = desk.mlgate("merge", ".mlgate/evidence-2of2.jsonl.gz")
    ended(desk, done, 3, "errored")
    assert "12 of 12 rounds were never observed" in why(desk, "error_rate")


def test_replay_gives_the_same_bytes_and_judges_by_todays_rules(desk: Desk) -> None:
    with load_server(Behaviour("fails", every=20)) as server:
        model = endpoint(server.url)
        timed(desk, model, "{error_rate: {max: 0}, rougeL: {min: 0.2}}")
        assert desk.mlgate("check").code == 1
    report = (desk.root / ".mlgate/report.json").read_text()
    assert desk.mlgate("replay", "--json").out == report
    timed(desk, model, "{error_rate: {max: 0.2}, rougeL: {min: 0.2}}")
    done = desk.mlgate("replay")
    assert done.code == 0, done.out
    timed(desk, model, "{error_rate: {max: 0.2}, rougeL: {min: 0.99}}")
    assert desk.mlgate("replay").code == 1
    assert (desk.root / ".mlgate/report.json").read_text() == report


def test_replaying_another_load_is_no_replay(desk: Desk) -> None:
    """A longer load has more rounds than were observed: what is missing is missing."""
    with load_server() as server:
        timed(desk, endpoint(server.url))
        assert desk.mlgate("check").code == 0
        timed(desk, endpoint(server.url), load="{rate: 100, duration: 2s, block: 100ms, warmup: 100ms}")
        done = desk.mlgate("replay")
    assert done.code == 3
    assert "rounds were never observed" in words(done.out)


def test_every_answer_is_in_the_evidence_and_explain_finds_it(desk: Desk) -> None:
    with load_server() as server:
        timed(desk, endpoint(server.url), "{rougeL: {min: 0.999}}")
        assert desk.mlgate("check").code == 1
    texts = {text for row in observed(desk) for text in _answers(row)}
    inputs = [json.loads(line)["input"] for line in Path("data.jsonl").read_text().splitlines()]
    assert texts <= {" ".join(text.split()[:8]) for text in inputs}
    done = desk.mlgate("explain", "--metric=rougeL")
    assert done.code == 0
    assert any(text in words(done.out) for text in texts)


def _answers(row: object) -> list[str]:
    assert isinstance(row, dict)
    return [str(text) for text in json.loads(row["seen"].get("answers", "[]"))]
