"""How errors are told: folded on a terminal, one line each where lines are read by programs."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from mlgate.cli.group import invoke

WRONG = """version: 1
model: {endpoint: {url: "http://h", protocol: kserve-v1}}
checks:
  speed:
    kind: latency
    data: data.jsonl
    load: {rate: 2, duration: 20s}
    rules: {p50_ms: {max: 10}}
"""


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(("stream", "folds"), [(Terminal, True), (io.StringIO, False)])
def test_an_error_is_folded_on_a_terminal_only(
    stream: type[io.StringIO], folds: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("mlgate.yaml").write_text(WRONG.replace("data.jsonl", "d" * 60 + ".unknown " + "e" * 30))
    told = stream()
    monkeypatch.setattr("sys.stderr", told)
    assert invoke(["check"]) == 2
    lines = told.getvalue().splitlines()
    assert lines[0].startswith("mlgate: mlgate.yaml:")
    assert any(line.startswith("  next: ") for line in lines)
    assert (max(map(len, lines)) <= 80) is folds
