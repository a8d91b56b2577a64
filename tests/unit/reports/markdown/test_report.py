from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from markdown_it import MarkdownIt
from tests.support.samples import ALL, EVIL, errored, failing, hostile, passing
from tests.support.strategies import reports

from mlgate.core.report import Report
from mlgate.core.verdict import DOCS
from mlgate.reports.markdown import report as markdown

GITHUB = MarkdownIt("commonmark").enable("table")
OURS = {"<details>", "</details>", "<summary>", "</summary>", "<code>", "</code>", "<span>", "</span>", "<!-- -->"}


def assert_only_ours(page: str) -> None:
    """Every tag is one that we write, and the only link is to our own docs."""
    for token in GITHUB.parse(page):
        assert token.type not in ("fence", "code_block", "blockquote_open", "ordered_list_open")
        for part in [token, *(token.children or [])]:
            if part.type in ("html_block", "html_inline"):
                assert set(re.findall("<[^>]*>", part.content)) <= OURS
            assert part.type not in ("image", "strong_open", "code_inline", "hardbreak")
            if part.type == "link_open":
                assert str(part.attrs["href"]).startswith(DOCS)


@settings(max_examples=50)
@given(reports)
def test_no_text_from_outside_becomes_markup(report: Report) -> None:
    assert_only_ours(markdown.render(report))


@pytest.mark.parametrize("name", ALL)
def test_every_sample_is_only_our_markup(name: str) -> None:
    assert_only_ours(markdown.render(ALL[name]()))


def test_the_first_line_is_the_verdict_with_its_reason() -> None:
    first = markdown.render(failing()).splitlines()[0]
    assert html.unescape(first) == f"### ✗ FAILED: {failing().reason}"


def test_a_report_of_100_000_findings_is_a_page_with_a_count() -> None:
    finding = failing().findings[0]
    page = markdown.render(replace(failing(), findings=(finding,) * 100_000))
    assert len(page.encode()) <= 60_000
    assert "and 99,950 more findings that did not pass" in page
    assert page.rstrip().endswith(f"({finding.docs})")


def test_texts_of_ten_megabytes_are_cut() -> None:
    long = "挨拶|@org/team " * 700_000
    segment = replace(failing().segments[0], input=long, answer=long, example=long, references=(long,) * 50)
    finding = replace(failing().findings[0], why=long, check=long)
    page = markdown.render(
        replace(failing(), findings=(finding,) * 60, segments=(segment,) * 9, model=long, notices=(long,))
    )
    assert len(page.encode()) <= 60_000
    assert_only_ours(page)


def test_the_least_important_parts_go_first_and_whole() -> None:
    everything = replace(failing(), findings=failing().findings * 40, checks=errored().checks)
    page = markdown.render(everything, limit=20_000)
    assert len(page.encode()) <= 20_000
    assert "What did not pass" in page
    assert "#### Missing" in page
    assert "more findings that did not pass" in page
    assert page.count("<details>") == page.count("</details>")
    tables = [line for line in page.splitlines() if line.startswith("|")]
    assert all(line.endswith("|") for line in tables)


def test_a_limit_that_holds_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="bytes"):
        markdown.render(passing(), limit=100)


def test_the_longest_verdict_fits_the_least_limit() -> None:
    worst = "$" * 1_000
    finding = replace(failing().findings[0], why=worst, check=worst)
    heavy = replace(hostile(), findings=(finding,), model=worst, suite=worst, evidence=worst)
    heavy = replace(heavy, provenance=replace(heavy.provenance, commit=worst))
    baseline = failing().baseline
    assert baseline
    heavy = replace(heavy, baseline=replace(baseline, source=worst, commit=worst))
    assert len(markdown.render(heavy, limit=20_000).encode()) <= 20_000


def test_a_hostile_topic_is_no_link() -> None:
    finding = replace(failing().findings[0], topic=f"x) {EVIL}")
    assert "what this finding means" not in markdown.render(replace(failing(), findings=(finding,)))


def test_a_passing_report_folds_its_rules() -> None:
    page = markdown.render(passing())
    assert "What did not pass" not in page
    assert "<details><summary>✓ 3 rules hold</summary>" in page
