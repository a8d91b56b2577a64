from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.samples import EVIL, failing, inconclusive, passing, warned
from tests.unit.reports import runner

from mlgate.core.errors import ConfigError
from mlgate.core.outcome import Outcome
from mlgate.reports import annotations as github

FINDING = failing().findings[0]


def commands(text: str) -> list[tuple[str, dict[str, str], str]]:
    parsed = [runner.command(line) for line in text.splitlines()]
    assert all(parsed)
    return [p for p in parsed if p]


def test_a_finding_is_shown_at_the_line_of_its_rule() -> None:
    name, properties, message = commands(github.render(failing()))[0]
    assert name == "error"
    assert properties == {
        "file": "mlgate.yaml",
        "line": "12",
        "col": "31",
        "title": "failed: summaries/rougeL/max_drop",
    }
    assert message == f"{FINDING.why} ({FINDING.docs})"


def test_a_warning_is_a_warning_and_a_pass_is_nothing() -> None:
    assert [name for name, _, _ in commands(github.render(warned()))] == ["warning"]
    assert github.render(passing()) == ""


def test_not_knowing_is_an_error() -> None:
    assert [name for name, _, _ in commands(github.render(inconclusive()))] == ["error"]


def test_a_report_without_findings_is_an_error() -> None:
    assert commands(github.render(replace(passing(), findings=())))[0][0] == "error"


@pytest.mark.parametrize(("count", "lines"), [(10, 10), (11, 10), (100_000, 10)])
def test_the_tenth_says_how_many_more_there_are(count: int, lines: int) -> None:
    told = commands(github.render(replace(failing(), findings=(FINDING,) * count)))
    assert len(told) == lines
    if count > lines:
        assert told[-1][2].startswith(f"and {count - 9:,} more")


def test_errors_and_warnings_are_counted_apart() -> None:
    warning = replace(FINDING, outcome=Outcome.WARNED)
    told = commands(github.render(replace(failing(), findings=(FINDING,) * 20 + (warning,) * 20)))
    assert [name for name, _, _ in told] == ["error"] * 10 + ["warning"] * 10


@pytest.mark.parametrize(
    "where", ["", "mlgate.yaml", "mlgate.yaml:12", "a:b:c", "a:1:c", "a:b:1", ":1:2", EVIL, "x:٣:٤", f"x:{'9' * 30}:1"]
)
def test_a_place_that_is_none_is_left_out(where: str) -> None:
    finding = replace(FINDING, rule=replace(FINDING.rule, where=where))
    assert commands(github.render(replace(failing(), findings=(finding,))))[0][1].keys() == {"title"}


@pytest.mark.parametrize(
    ("where", "file"),
    [("absent.yaml", "absent.yaml"), ("a,b:/mlgate.yml", "a,b:/mlgate.yml"), ("/tmp/x.yaml", ""), ("GITHUB_TOKEN", "")],  # noqa: S108 - a name only
)
def test_what_stops_a_run_is_shown_at_its_configuration_and_elsewhere_said_in_words(where: str, file: str) -> None:
    ((name, properties, message),) = commands(github.stopped(ConfigError("there is no such file", where=where)))
    assert (name, properties.get("file", ""), "line" in properties) == ("error", file, False)
    assert message == ("there is no such file" if file else f"{where}: there is no such file")


def test_a_windows_path_keeps_its_drive() -> None:
    finding = replace(FINDING, rule=replace(FINDING.rule, where="C:\\work\\mlgate.yaml:3:4"))
    properties = commands(github.render(replace(failing(), findings=(finding,))))[0][1]
    assert (properties["file"], properties["line"]) == ("C:\\work\\mlgate.yaml", "3")


def test_a_message_of_ten_megabytes_is_cut() -> None:
    finding = replace(FINDING, why="x" * 10_000_000, check="y" * 10_000_000)
    assert len(github.render(replace(failing(), findings=(finding,)))) < 5_000
