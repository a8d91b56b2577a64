"""What holds for every report, whatever a model, a data set or a file put into it."""

from __future__ import annotations

import re
import unicodedata
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.samples import failing
from tests.support.strategies import reports
from tests.unit.reports import runner

from mlgate.core.outcome import Outcome
from mlgate.core.report import Report
from mlgate.core.rule_change import Direction
from mlgate.reports import annotations as github
from mlgate.reports import junit
from mlgate.reports.content.text_width import width as columns
from mlgate.reports.json_v1 import document as json_v1
from mlgate.reports.markdown import report as markdown
from mlgate.reports.terminal import report as terminal
from mlgate.reports.terminal import segments

law = settings(max_examples=100)


@law
@given(reports)
def test_a_report_survives_its_json(report: Report) -> None:
    again = json_v1.parse(json_v1.render(report))
    assert repr(again) == repr(report)  # repr instead of ==, for NaN is not NaN
    assert again.provenance == report.provenance  # whose repr leaves out the baseline
    assert json_v1.render(again) == json_v1.render(report)


@law
@given(reports)
def test_another_question_is_never_said_to_be_passed(report: Report) -> None:
    asked = bool(report.policy and any(one.direction is Direction.QUESTION for one in report.policy.changes))
    assert report.outcome == max(report.verdict.outcome, Outcome.WARNED if asked else Outcome.PASSED)
    if asked and report.outcome is Outcome.WARNED:
        assert report.reason.startswith("not the question that the base asks: ")
        assert "::warning " in github.render(report)
        assert 'name="question"' in junit.render(report)


@law
@given(reports, st.integers(40, 130))
def test_no_line_of_any_renderer_is_a_command_but_our_own_annotations(report: Report, width: int) -> None:
    for text in (
        terminal.render(report, width=width),
        terminal.render(report, width=width, colour=True),
        markdown.render(report),
        json_v1.render(report),
        junit.render(report),
        segments.render(report.segments, width=width),
    ):
        for line in runner.lines(text):
            assert not line.lstrip().startswith("::")
            assert "##[" not in line


@law
@given(reports)
def test_every_annotation_is_one_error_or_warning_and_nothing_else(report: Report) -> None:
    for line in runner.lines(github.render(report))[:-1]:
        parsed = runner.command(line)
        assert parsed is not None
        name, properties, _ = parsed
        assert name in ("error", "warning")
        assert set(properties) <= {"file", "line", "col", "title"}
        assert runner.legacy(line) is None


@law
@given(reports, st.integers(0, 130))
def test_a_terminal_line_never_exceeds_the_width(report: Report, width: int) -> None:
    for line in terminal.render(report, width=width).splitlines():
        kept = ("https://github.com/org/mlgate/", "mlgate ")  # to be opened, or copied
        assert columns(line) <= max(40, width) or line.startswith(kept)


@law
@given(reports)
def test_colour_only_adds_to_the_plain_text(report: Report) -> None:
    coloured = terminal.render(report, colour=True)
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == terminal.render(report)
    assert "\x1b" not in terminal.render(report)


@law
@given(reports)
def test_only_visible_characters_reach_a_terminal(report: Report) -> None:
    for char in terminal.render(report).replace("\n", ""):
        assert char == " " or unicodedata.category(char)[0] in "LMNPS" or unicodedata.category(char) == "Zs"


@law
@given(reports, st.integers(20_000, 70_000))
def test_markdown_keeps_to_its_limit_and_keeps_the_verdict(report: Report, limit: int) -> None:
    page = markdown.render(report, limit=limit)
    assert len(page.encode()) <= limit
    assert report.outcome.name in page.splitlines()[0]
    assert page.count("<details>") == page.count("</details>")


@law
@given(reports)
def test_junit_is_well_formed_and_green_only_when_the_gate_is_open(report: Report) -> None:
    root = ET.fromstring(junit.render(report).encode())  # noqa: S314 - our own output
    red = [*root.iter("failure"), *root.iter("error")]
    assert bool(red) == report.outcome.blocks
    assert int(root.attrib["failures"]) + int(root.attrib["errors"]) == len(red)
    assert int(root.attrib["tests"]) == len(list(root.iter("testcase")))


@law
@given(reports)
def test_every_renderer_writes_utf8_and_the_same_bytes_again(report: Report) -> None:
    for render in (terminal.render, markdown.render, json_v1.render, junit.render, github.render):
        assert render(report).encode() == render(report).encode()


@pytest.mark.parametrize("width", [-1, 0, 40])
def test_a_hopeless_width_is_forty_columns(width: int) -> None:
    assert terminal.render(failing(), width=width) == terminal.render(failing(), width=40)
