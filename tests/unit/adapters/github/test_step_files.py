"""A step's outputs and summary: one line a value, and nothing outside of GitHub."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlgate.adapters.github import step_files
from mlgate.core.errors import AdapterError


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_OUTPUT", str(tmp_path / "outputs"))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary"))
    return tmp_path


def test_values_are_appended_one_a_line(files: Path) -> None:
    step_files.write_outputs({"verdict": "passed", "report-path": "a b=c/<<EOF/$(id)%0A"})
    step_files.write_outputs({"exit-code": "0"})
    assert (files / "outputs").read_text() == "verdict=passed\nreport-path=a b=c/<<EOF/$(id)%0A\nexit-code=0\n"


@pytest.mark.parametrize("value", ["a\nverdict=passed", "a\r", "a\0", "\x85", "\u2028", "\x1b[0m", "x" * 100_001])
def test_t63_a_value_that_is_not_one_line_sets_nothing_at_all(files: Path, value: str) -> None:
    with pytest.raises(AdapterError, match="not one line"):
        step_files.write_outputs({"verdict": "passed", "report-path": value})
    assert not (files / "outputs").exists()


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a\nb", "A", "1"])
def test_a_name_that_is_none_is_an_error(files: Path, name: str) -> None:
    with pytest.raises(AdapterError):
        step_files.write_outputs({name: "x"})
    assert not (files / "outputs").exists()


def test_text_that_is_no_unicode_is_written_escaped(files: Path) -> None:
    step_files.write_summary("a\udcff")
    assert (files / "summary").read_bytes() == b"a\\udcff"


def test_a_summary_that_github_would_drop_whole_is_an_error(files: Path) -> None:
    with pytest.raises(AdapterError, match="at most"):
        step_files.write_summary("ä" * (step_files.LARGEST_SUMMARY // 2 + 1))
    assert not (files / "summary").exists()


def test_a_file_that_cannot_be_written_is_an_error(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_OUTPUT", str(files))
    with pytest.raises(AdapterError, match="GITHUB_OUTPUT"):
        step_files.write_outputs({"verdict": "passed"})


def test_outside_of_github_nothing_is_written(files: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "")
    step_files.write_outputs({"verdict": "passed"})
    step_files.write_summary("x")
    assert not list(files.iterdir())
