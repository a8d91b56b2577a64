"""A process that works beside this one: it ends when it is told to, and when nobody is left to tell it."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.waiting import until

from mlgate.adapters.process.background import BackgroundProcess

WORKER = """
import sys, threading
from mlgate.adapters.process.background import lifeline
print("begun", sys.argv[1], flush=True)
if sys.argv[1] == "waits":
    lifeline()
sys.exit(7)
"""


@pytest.fixture
def log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "worker_of_test.py").write_text(WORKER)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    return tmp_path / "log"


def test_what_it_prints_and_how_it_ends_is_known(log: Path) -> None:
    process = BackgroundProcess("worker_of_test", ["works"], log)
    until(lambda: process.ended() is not None)
    assert process.ended() == 7
    assert log.read_text() == "begun works\n"
    process.end()


def test_it_ends_when_it_is_told_to(log: Path) -> None:
    process = BackgroundProcess("worker_of_test", ["waits"], log)
    assert process.ended() is None
    process.end()
    assert process.ended() is not None
    process.end()


def test_it_ends_when_nobody_holds_its_lifeline_any_more(log: Path) -> None:
    process = BackgroundProcess("worker_of_test", ["waits"], log)
    until(lambda: log.read_text() == "begun waits\n")
    assert process._process.stdin is not None
    process._process.stdin.close()  # as the system does for a process that was killed
    until(lambda: process.ended() is not None)
    assert process.ended() == 1
