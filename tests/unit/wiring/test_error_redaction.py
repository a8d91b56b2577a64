"""What stops a run is told without the secrets that it may hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlgate.cli import group
from mlgate.core.errors import ConfigError, GateError
from mlgate.wiring.error_redaction import secrets_at

FILE = """version: 1
model:
  name: m
  endpoint:
    url: http://127.0.0.1:1/k/sk-abcdefgh1234567890
    protocol: json
    request: {q: "{input}"}
    answer: text
    headers: {Authorization: {env: NAMED, prefix: "Bearer "}}
checks:
  answers: {data: data.jsonl, rules: {chrf: {min: 1}}}
"""
NAMED = "abcDEF-123456-ghiJKL-789"
CALLED = "a-value-that-is-a-secret"


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "mlgate.yaml").write_text(FILE)
    (tmp_path / "data.jsonl").write_text("")
    monkeypatch.setenv("NAMED", NAMED)
    monkeypatch.setenv("SOME_TOKEN", CALLED)
    return tmp_path / "mlgate.yaml"


def test_the_words_the_place_and_the_hint_of_an_error_are_told_without_secrets(config: Path) -> None:
    others = (ConfigError(f"no {NAMED}"),)
    error = ConfigError(f"not {NAMED}", where="/k/sk-abcdefgh1234567890", hint=f"set {CALLED}", more=others)
    error.pass_through(secrets_at(config).text)
    assert str(error) == "/k/[secret URL]: not [secret NAMED] (set [secret SOME_TOKEN])"
    assert [one.message for one in error.more] == ["no [secret NAMED]"]


def test_where_the_file_cannot_be_read_variables_that_are_called_a_secret_are_known(config: Path) -> None:
    config.write_text("[")
    error = GateError(f"{CALLED} and {NAMED}")
    error.pass_through(secrets_at(config).text)
    assert error.message == f"[secret SOME_TOKEN] and {NAMED}"


@pytest.mark.parametrize("kind", [GateError, ValueError])
@pytest.mark.parametrize("github", [True, False])
def test_no_error_reaches_a_terminal_or_github_with_a_secret(
    config: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    kind: type[Exception],
    github: bool,
) -> None:
    def fail(*_: object, **__: object) -> int:
        raise kind(f"could not ask /k/sk-abcdefgh1234567890 with {NAMED}, {CALLED}")

    monkeypatch.setattr(group.group, "main", fail)
    monkeypatch.setenv("GITHUB_ACTIONS", "true" if github else "")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(config.with_name("summary")))
    assert group.invoke(["doctor", "-c", str(config)], debug=True) == 3
    told = capsys.readouterr()
    said = told.out + told.err + (config.with_name("summary").read_text() if github else "")
    assert "could not ask /k/" in said
    for secret in ("sk-abcdefgh1234567890", NAMED, CALLED):
        assert secret not in said
