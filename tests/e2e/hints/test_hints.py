"""The law of hints: whoever does what a hint says, and nothing else, gets further with the next run."""

from __future__ import annotations

import re
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.e2e.desk import Desk, Done
from tests.e2e.hints import files, servers, settings
from tests.e2e.hints.trap import Trap

TRAPS: tuple[Trap, ...] = (*files.TRAPS, *settings.TRAPS, *servers.TRAPS)


@pytest.mark.parametrize("trap", TRAPS, ids=lambda trap: trap.name)
def test_a_hint_that_is_followed_leads_further(trap: Trap, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in trap.environment.items():
        monkeypatch.setenv(name, value)
    with ExitStack() as stack:
        _write(trap, desk.root, stack.enter_context(trap.server()) if trap.server else "")
        if trap.before:
            assert desk.mlgate(*trap.before).code == 0
        if trap.spring:
            trap.spring(desk.root)
        first = desk.mlgate(*trap.command)
        assert first.code != 0, f"this is no trap: {first.out}"
        trap.follow(first.out + first.err, desk.root)
        second = desk.mlgate(*(trap.then or trap.command))
    assert second.code in (0, 1) or _stands(second) != _stands(first), second.out + second.err


def _write(trap: Trap, folder: Path, url: str) -> None:
    for name, content in trap.files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.replace("URL", url).encode())


def _stands(done: Done) -> str:
    """Return what stopped the run: its first sentence, without the line and column where that stands."""
    said = (done.err or done.out).strip().splitlines()
    return re.sub(r":\d+", "", said[0]) if said else ""
