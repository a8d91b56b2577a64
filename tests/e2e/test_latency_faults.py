"""What goes wrong under load, at an endpoint: the gate stays shut, a person learns why, and nothing is left running.

No test needs a quiet machine: errors, answers and gaps are judged also where times cannot be taken.
The numbers T.. are the rows of the list of bad inputs that this project keeps.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import socket
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from tests.e2e.desk import Desk
from tests.e2e.load_server import Behaviour, load_server, nowhere
from tests.e2e.timed import (
    LONG,
    SHORT,
    all_gone,
    ended,
    endpoint,
    no_worker_left,
    observed,
    outcomes,
    rows_in,
    timed,
    why,
    words,
    workers,
)
from tests.support.child_environment import child_environment
from tests.support.waiting import PATIENCE, until

TOLERANT = "{error_rate: {max: 0.6}, rougeL: {min: 0.1}}"
COMPARING = "{p50_ms: {max_rise: 50%}, error_rate: {max: 0.9}}"


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    with no_worker_left():
        yield


# --- what a server does ------------------------------------------------------------------------


def test_an_endpoint_that_is_not_there_is_an_error(desk: Desk) -> None:
    timed(desk, endpoint(nowhere()))
    done = desk.mlgate("check")
    ended(desk, done, 3, "errored", "11 of 12 rounds were not answered", "could not connect to http://127.0.0.1")
    assert "Connection refused" in words(done.out)
    assert "no round was carried out" in desk.report["loads"][0]["flaw"]


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (Behaviour("keeps_silent"), "no answer within 0.5 s"),
        (Behaviour("dribbles"), "no answer within 0.5 s"),
        (Behaviour("resets"), "Connection reset by peer"),
        (Behaviour("breaks_chunks"), "the connection broke before the answer was whole: a malformed chunk"),
        (Behaviour("speaks_html"), "status 200, text/html, not JSON: <html>Welcome</html>"),
        (Behaviour("speaks_no_json"), "not JSON: the answer is 42"),
        (Behaviour("fails"), "status 500: out of memory"),
    ],
    ids=["too slow", "a byte at a time", "resets", "malformed chunks", "HTML", "no JSON", "status 500"],
)
def test_a_server_that_never_answers_well_has_failed(desk: Desk, behaviour: Behaviour, reason: str) -> None:
    with load_server(behaviour) as server:
        timed(desk, endpoint(server.url, timeout="500ms"), TOLERANT)
        done = desk.mlgate("check")
    ended(desk, done, 1, "failed", "error_rate 1.0000 is above the maximum 0.6", "of 11 rounds the model", reason)
    assert outcomes(desk) == {"error_rate": "failed", "rougeL": "errored"}
    assert reason in why(desk, "rougeL")


def test_an_endless_reply_costs_a_bounded_time_and_memory(desk: Desk) -> None:
    with load_server(Behaviour("never_ends")) as server:
        timed(desk, endpoint(server.url))
        done = desk.mlgate("check")
    ended(desk, done, 1, "failed", "error_rate 1.0000 is above the maximum 0")
    assert "the server sends more than 4194304 bytes" in desk.verdict["reason"] or "within 2 s" in done.out
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss < 1 << 20  # 1 GiB, in KiB
    assert (desk.root / ".mlgate/evidence.jsonl.gz").stat().st_size < 1 << 20


@pytest.mark.parametrize("after", [0, 40, 90])
def test_a_server_that_dies_under_load_never_passes_however_late(desk: Desk, after: int) -> None:
    with load_server(Behaviour("dies", after=after)) as server:
        timed(desk, endpoint(server.url), TOLERANT)
        done = desk.mlgate("check")
    ended(
        desk, done, 1, "failed", "error_rate", "of 11 rounds the model could not be reached any more: could not connect"
    )
    assert outcomes(desk)["rougeL"] == "errored"


@pytest.mark.parametrize(
    ("load", "rules"),
    [
        ("{concurrency: 4, duration: 1s, block: 100ms, warmup: 100ms}", "{throughput_rps: {min: 1}}"),
        (
            "{stages: [{rate: 100, duration: 500ms}, {rate: 200, duration: 500ms}], block: 100ms}",
            "{p50_ms: {max: 9000}}",
        ),
        ("{find: {p95_ms: 500}, least: 20, most: 200, step: 250ms}", "{max_rps: {min: 1}}"),
    ],
    ids=["closed loop", "stages", "search"],
)
def test_a_server_that_dies_passes_under_no_kind_of_load(desk: Desk, load: str, rules: str) -> None:
    with load_server(Behaviour("dies", after=30)) as server:
        timed(desk, endpoint(server.url), rules, load=load)
        done = desk.mlgate("check")
    code = 3 if "find" in load else 1  # a search has no rule about errors: it does not know, and says so
    ended(desk, done, code, "errored" if code == 3 else "failed", "the model could not be reached any more")


def test_a_few_failures_in_a_row_are_no_end(desk: Desk) -> None:
    """Three in four requests fail, so there are blocks without an answer; the rule allows it, and all is asked."""
    with load_server(Behaviour("fails", spare=4)) as server:
        timed(desk, endpoint(server.url), "{error_rate: {max: 0.9}}", load=SHORT.replace("100,", "50,"))
        done = desk.mlgate("check")
    ended(desk, done, 0, "passed")
    assert desk.report["loads"][0]["rounds"] == 11


def test_a_run_that_found_nobody_goes_on_when_the_server_is_there(desk: Desk) -> None:
    with load_server() as server:
        url = server.url
    timed(desk, endpoint(url))
    assert desk.mlgate("check").code == 3
    with load_server(port=int(url.rpartition(":")[2])):
        ended(desk, desk.mlgate("check", "--resume"), 0, "passed")


def test_one_error_in_a_hundred_fails_unless_the_rule_allows_it(desk: Desk) -> None:
    with load_server(Behaviour("fails", every=50)) as server:
        timed(desk, endpoint(server.url), "{rougeL: {min: 0.5}}")
        done = desk.mlgate("check")
        ended(desk, done, 1, "failed", "is above the maximum 0;", "requests failed, each with: status 500")
        timed(desk, endpoint(server.url), "{rougeL: {min: 0.5}, error_rate: {max: 0.05}}")
        done = desk.mlgate("check")
        ended(desk, done, 0, "passed")
    assert desk.report["loads"][0]["failed"] >= 1


@pytest.mark.parametrize("to", ["http://169.254.169.254/latest/meta-data", "ANOTHER SERVER"])
def test_t40_a_redirect_is_a_failure_and_is_not_followed(desk: Desk, to: str) -> None:
    with load_server() as other, load_server(Behaviour("redirects", to=to.replace("ANOTHER SERVER", other.url))) as it:
        timed(desk, endpoint(it.url))
        done = desk.mlgate("check")
        assert other.asked == 0
        asked = it.asked
    ended(desk, done, 1, "failed", "status 302 (redirects are not followed)")
    assert asked == desk.report["loads"][0]["failed"]


# --- where requests may go ---------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "http://169.254.169.254",
        "http://[::ffff:169.254.169.254]",
        "http://[64:ff9b::a9fe:a9fe]",
        "http://0.0.0.0:8080",
        "http://2130706433:8080",
        "http://127.1:8080",
    ],
)
@pytest.mark.parametrize("side", ["model", "baseline"])
def test_t39_a_forbidden_address_is_refused_before_anything_is_asked(desk: Desk, url: str, side: str) -> None:
    with load_server() as server:
        model, against = (url, server.url) if side == "model" else (server.url, url)
        timed(desk, endpoint(model), COMPARING, baseline=f'{{from: endpoint, url: "{against}"}}')
        done = desk.mlgate("check")
        assert server.asked == 0
    ended(desk, done, 5, "refused")
    assert "no endpoint" in done.err or "in disguise" in done.err


def test_t40_a_name_is_as_forbidden_as_any_of_its_addresses(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    resolved: list[object] = []

    def resolve(host: str, port: int, *_: object, **__: object) -> Sequence[object]:
        resolved.append(host)
        return [(2, 1, 6, "", (number, port)) for number in ("127.0.0.1", "169.254.169.254")]

    with load_server() as server:
        timed(desk, endpoint(server.url.replace("127.0.0.1", "rebinding.example")))
        with monkeypatch.context() as patch:
            patch.setattr(socket, "getaddrinfo", resolve)
            done = desk.mlgate("check")
        assert server.asked == 0
    ended(desk, done, 5, "refused", "169.254.169.254")
    assert resolved == ["rebinding.example"]


def test_t41_a_proxy_in_the_environment_is_not_asked(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    with load_server() as server, load_server() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)
        timed(desk, endpoint(server.url))
        done = desk.mlgate("check")
        assert proxy.asked == 0
        assert server.asked > 50
    ended(desk, done, 0, "passed")


# --- the baseline's model ----------------------------------------------------------------------


def test_a_baseline_that_is_not_there_is_an_error_of_the_baselines(desk: Desk) -> None:
    with load_server() as server:
        timed(desk, endpoint(server.url), COMPARING, baseline=f'{{from: endpoint, url: "{nowhere()}"}}')
        done = desk.mlgate("check")
    ended(desk, done, 3, "errored", "the baseline's model did not answer: could not connect")


def test_a_baseline_that_dies_is_no_failure_of_the_candidates(desk: Desk) -> None:
    rules = "{rougeL: {min: 0.1, max_drop: 0.5}, p50_ms: {max_rise: 50%}, error_rate: {max: 0}}"
    with load_server() as server, load_server(Behaviour("dies", after=20)) as past:
        timed(desk, endpoint(server.url), rules, baseline=f'{{from: endpoint, url: "{past.url}"}}', load=DUET)
        done = desk.mlgate("check")
    ended(desk, done, 3, "errored", "the baseline's model could not be reached any more")
    assert outcomes(desk)["error_rate"] == "passed"
    assert "passed" not in {f["outcome"] for f in desk.report["findings"] if f["metric"] != "error_rate"}


def test_a_candidate_that_dies_beside_its_baseline_has_failed(desk: Desk) -> None:
    with load_server(Behaviour("dies", after=20)) as server, load_server() as past:
        timed(desk, endpoint(server.url), COMPARING, baseline=f'{{from: endpoint, url: "{past.url}"}}', load=DUET)
        done = desk.mlgate("check")
    ended(desk, done, 1, "failed", "the model could not be reached any more")


DUET = "{rate: 100, duration: 2s, block: 100ms, warmup: 100ms}"


# --- signals, disks ----------------------------------------------------------------------------


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["Ctrl-C", "SIGTERM"])
def test_an_interrupted_load_is_asked_whole_again(desk: Desk, number: int, code: int) -> None:
    """Half a load is none: rounds of two runs are two machines. What was asked one by one is kept."""
    with load_server() as server:
        timed(desk, endpoint(server.url), load=LONG, accuracy="{rougeL: {min: 0.5}}")
        last = 0
        for arguments in ((), ("--resume",), ("--resume",)):
            run = desk.spawn("check", "-n", "1", *arguments, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
            until(lambda: server.asked > last + 60 and rows_in(desk) >= 4)  # noqa: B023 - called in this turn only
            children = workers(run.pid)
            run.send_signal(number)
            _, said = run.communicate(timeout=PATIENCE)
            assert run.returncode == code
            assert b"--resume" in said
            assert b"Traceback" not in said
            all_gone(children)
            assert desk.verdict["outcome"] == "incomplete"
            assert rows_in(desk, "notes") == 40
            last = server.asked


def test_resuming_an_interrupted_load_ends_with_every_round_of_one_run(desk: Desk) -> None:
    load = "{rate: 50, duration: 4s, block: 200ms, warmup: 200ms}"
    with load_server() as server:
        timed(desk, endpoint(server.url), load=load)
        run = desk.spawn("check", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: rows_in(desk) >= 4)
        run.send_signal(signal.SIGINT)
        run.communicate(timeout=PATIENCE)
        assert run.returncode == 130
        done = desk.mlgate("check", "--resume")
    ended(desk, done, 0, "passed")
    rounds = [row["seen"] for row in observed(desk) if row["example"] != "start"]
    assert len(rounds) == 21
    assert len({seen["duet"] for seen in rounds if isinstance(seen, dict)}) == 1


def test_t81_nothing_outlives_a_gate_that_is_killed(desk: Desk) -> None:
    with load_server() as server:
        timed(desk, endpoint(server.url), load=LONG)
        run = desk.spawn("check", stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until(lambda: rows_in(desk) >= 3 and bool(workers(run.pid)))
        children = workers(run.pid)
        run.kill()
        run.wait()
        all_gone(children)
    assert desk.verdict["outcome"] == "incomplete"
    assert not (desk.root / ".mlgate/report.json").exists()


def test_a_generator_that_is_killed_is_the_gates_error_not_the_models(desk: Desk) -> None:
    with load_server() as server:
        timed(desk, endpoint(server.url), load=LONG)
        run = desk.spawn("check", stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        until(lambda: rows_in(desk) >= 3 and bool(workers(run.pid)))
        os.kill(workers(run.pid)[0], signal.SIGKILL)
        said, _ = run.communicate(timeout=PATIENCE)
    assert run.returncode == 3, said.decode()
    assert "the load generator ended with exit code -9" in words(said.decode())
    assert desk.verdict["outcome"] == "errored"


@pytest.mark.needs_root
@pytest.mark.parametrize("room", [0, 12], ids=["full from the start", "full in mid-run"])
def test_t84_a_full_disk_is_an_error_and_never_yesterdays_pass(desk: Desk, room: int) -> None:
    small = desk.root / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(small)], check=True, env=child_environment())
    try:
        (small / "out").mkdir()
        (small / "out/verdict.json").write_text('{"outcome": "passed", "exit_code": 0}\n')
        _fill(small / "ballast", leave=room << 10)
        with load_server() as server:
            timed(desk, endpoint(server.url), load=LONG)
            done = desk.mlgate("check", "-o", "small/out")
        assert done.code == 3, done.out
        assert "free some space" in done.err
        assert "Traceback" not in done.err
        verdict = small / "out/verdict.json"
        assert json.loads(verdict.read_text() or "{}").get("outcome") != "passed"
    finally:
        subprocess.run(["umount", str(small)], check=True, env=child_environment())


def _fill(path: Path, *, leave: int) -> None:
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 512)
        except OSError:
            pass
        file.truncate(max(0, file.tell() - leave))
