"""What ends a session of pytest is told without the secrets of its file, on the terminal and in the verdict."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlgate.commands.pytest_session import PytestSession, VerdictReset
from mlgate.commands.run_options import RunOptions
from mlgate.core.errors import ModelError

FILE = """version: 1
model:
  name: m
  endpoint:
    url: http://127.0.0.1:1
    protocol: json
    request: {q: "{input}"}
    answer: text
    headers: {Authorization: {env: NAMED, prefix: "Bearer "}}
checks:
  answers: {data: data.jsonl, rules: {chrf: {min: 1}}}
"""
NAMED = "abcDEF-123456-ghiJKL-789"


@pytest.mark.parametrize("error", [ModelError(f"it said {NAMED}", hint=f"see {NAMED}"), ValueError(f"no {NAMED}")])
def test_neither_a_known_error_nor_any_other_one_tells_a_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    (tmp_path / "mlgate.yaml").write_text(FILE)
    (tmp_path / "data.jsonl").write_text('{"id": "1", "input": "x", "reference": "y"}\n')
    monkeypatch.setenv("NAMED", NAMED)

    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(PytestSession, "_observe", fails)
    session = PytestSession.begin(RunOptions.of_environment(tmp_path / "mlgate.yaml"), VerdictReset.AT_START)
    try:
        assert session.finish() == 3
    finally:
        session.close()
    verdict = (tmp_path / ".mlgate/verdict.json").read_text()
    assert "it said" in verdict or "no " in verdict
    assert NAMED not in session.text + verdict
