"""The comment's text: only ours, whole, and never longer than GitHub takes."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from tests.support.samples import ALL, EVIL, passing
from tests.support.strategies import reports

from mlgate.core.report import Report
from mlgate.core.untrusted_report import UntrustedReport
from mlgate.reports.markdown import comment

RAN = UntrustedReport("failure", "https://github.com/acme/model/actions/runs/17", "run 17, attempt 2", fork=True)


@settings(max_examples=50)
@given(reports)
def test_any_report_is_a_comment_with_its_marker_first_and_its_run_last(report: Report) -> None:
    body = comment.render("small", replace(RAN, report=report))
    assert body.startswith("<!-- mlgate:small -->\n### ")
    assert body.endswith(f"[run 17, attempt 2]({RAN.url}) ended with <code>failure</code>.\n")
    assert len(body.encode()) <= comment.LONGEST_COMMENT
    assert 0 < len(comment.description(replace(RAN, report=report))) <= 140


@pytest.mark.parametrize("size", range(60, 110))
def test_a_page_that_fills_the_comment_leaves_room_for_the_notes(size: int) -> None:
    finding = replace(passing().findings[0], why="|" * size)
    heard = replace(RAN, report=replace(passing(), findings=(finding,) * 100))
    assert len(comment.render("x" * 40, heard).encode()) <= comment.LONGEST_COMMENT


def test_why_there_is_no_report_is_text_from_outside() -> None:
    heard = replace(RAN, why=EVIL)
    body = comment.render("small", heard)
    assert not re.search(r"<img|@org|\]\(javascript|\x1b", body)
    assert "\x1b" not in comment.description(heard)


@pytest.mark.parametrize("name", ALL)
def test_a_report_in_a_run_that_succeeded_is_doubted_only_when_it_blocks(name: str) -> None:
    report = ALL[name]()
    body = comment.render("small", replace(RAN, conclusion="success", fork=False, report=report))
    assert ("The report blocks this change" in body) == report.outcome.blocks
    assert "reported by the pull request" in body
