"""A desk with a latency check on it: short rounds, so that a run takes a second or two."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.e2e.desk import Desk, Done
from tests.support.waiting import alive, until

SHORT = "{rate: 100, duration: 1s, block: 100ms, warmup: 100ms}"
"""Eleven rounds of about ten requests."""
LONG = "{rate: 50, duration: 30s, block: 250ms, warmup: 250ms}"
"""A run to be interrupted: a round is there four times a second."""
TRIES = 4
"""Runs until a machine counts as too busy."""
STEADY = 0.2
"""Seconds that an answer takes where times are judged: a generator that is 4 ms late does not show beside it."""


def timed(
    desk: Desk,
    model: str,
    rules: str = "{error_rate: {max: 0}}",
    *,
    load: str = SHORT,
    baseline: str = "",
    accuracy: str = "",
    n: int = 40,
) -> None:
    """Write a project with the check `speed`, and with rules for *accuracy* the check `notes` in front of it."""
    desk.write("data.jsonl", "".join(json.dumps(row) + "\n" for row in desk.rows(n)))
    notes = f"  notes:\n    data: data.jsonl\n    rules: {accuracy}\n" if accuracy else ""
    speed = f"  speed:\n    kind: latency\n    data: data.jsonl\n    load: {load}\n    rules: {rules}\n"
    against = f"baseline: {baseline}\n" if baseline else ""
    desk.write("mlgate.yaml", f"version: 1\nmodel:\n  name: clerk\n  {model}\nchecks:\n{notes}{speed}{against}")


def endpoint(url: str, *, timeout: str = "2s", concurrency: int = 4) -> str:
    return (
        f'endpoint: {{url: "{url}", protocol: kserve-v1, timeout: {timeout}, retries: 0, concurrency: {concurrency}}}'
    )


def taken(desk: Desk, check: Callable[[], Done]) -> Done:
    """Return a run whose times count. Where mlgate itself says that the machine was busy, it is asked again.

    A machine that stays busy proves nothing: the test is skipped, and fails where MLGATE_REQUIRE forbids to skip.
    """
    for _ in range(TRIES):
        done = check()
        if not _busy(desk, done):
            return done
    why = f"this machine was too busy to take times on, {TRIES} times, and mlgate said so"
    if os.environ.get("MLGATE_REQUIRE"):
        pytest.fail(why)
    pytest.skip(why)


def _busy(desk: Desk, done: Done) -> bool:
    if done.code != 3:
        return False
    (load,) = desk.report["loads"]
    said = words(done.out)
    told = ("rounds are too few", "that were left out")
    return "the generator, not the model" in said or (load["late"] > 0 and any(one in said for one in told))


def words(text: str) -> str:
    """Return a text on one line, as a person reads it: a terminal breaks lines where it must."""
    return " ".join(text.split())


def ended(desk: Desk, done: Done, code: int, outcome: str, *says: str, report: bool = True) -> None:
    """The exit code, the verdict's file and the report agree, and say why."""
    told = done.out + done.err
    assert done.code == code, told
    assert "Traceback" not in told
    assert (desk.verdict["exit_code"], desk.verdict["outcome"]) == (code, outcome)
    for part in says:
        assert part in words(told), told
        assert part in desk.verdict["reason"]
    assert (desk.root / ".mlgate/report.json").exists() == (report and outcome != "refused")
    if report and outcome != "refused":
        assert desk.report["outcome"] == outcome


def outcomes(desk: Desk) -> dict[str, str]:
    """Return the outcome of each rule, by its metric."""
    return {finding["metric"]: finding["outcome"] for finding in desk.report["findings"]}


def why(desk: Desk, metric: str) -> str:
    """Return what the report says about a metric's rule."""
    return next(str(finding["why"]) for finding in desk.report["findings"] if finding["metric"] == metric)


def observed(desk: Desk, name: str = "evidence.jsonl.gz") -> list[Mapping[str, object]]:
    """Return the rows of an evidence file, without its head and its seal."""
    lines = gzip.decompress((desk.root / ".mlgate" / name).read_bytes()).splitlines()
    return [json.loads(line) for line in lines[1:-1]]


def rows_in(desk: Desk, check: str = "speed", name: str = "journal.jsonl") -> int:
    """Return how many whole rows of a check a journal has."""
    path = desk.root / ".mlgate" / name
    return path.read_text().count(f'"check":"{check}"') if path.exists() else 0


def workers(parent: int) -> list[int]:
    """Return the load generators that a process has started and that still run."""
    found = []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                stat = (folder / "stat").read_text().rpartition(")")[2].split()
                command = (folder / "cmdline").read_bytes()
            except OSError:
                continue
            if stat[0] != "Z" and int(stat[1]) == parent and b"adapters.load.worker" in command:
                found.append(int(folder.name))
    return found


@contextmanager
def no_worker_left() -> Iterator[None]:
    """Whatever happened in between, no load generator of this process runs behind it."""
    yield
    assert workers(os.getpid()) == []


def all_gone(pids: list[int]) -> None:
    assert pids
    until(lambda: not any(map(alive, pids)))
