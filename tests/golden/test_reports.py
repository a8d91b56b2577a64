"""Whole reports as people and machines get them, reviewed as text."""

from __future__ import annotations

import pytest
from tests.conftest import Golden
from tests.support.samples import ALL

from mlgate.reports import annotations as github
from mlgate.reports import junit
from mlgate.reports.json_v1 import document as json_v1
from mlgate.reports.markdown import report as markdown
from mlgate.reports.terminal import report as terminal

reports = pytest.mark.parametrize("name", ALL)


@reports
@pytest.mark.parametrize("width", [60, 80])
def test_the_terminal_shows(name: str, width: int, golden: Golden) -> None:
    golden(f"reports/{name}.{width}.txt", terminal.render(ALL[name](), width=width))


@reports
def test_a_pull_request_shows(name: str, golden: Golden) -> None:
    golden(f"reports/{name}.md", markdown.render(ALL[name]()))


@reports
def test_a_ci_server_reads(name: str, golden: Golden) -> None:
    golden(f"reports/{name}.xml", junit.render(ALL[name]()))


@reports
def test_a_program_reads(name: str, golden: Golden) -> None:
    golden(f"reports/{name}.json", json_v1.render(ALL[name]()))


@reports
def test_the_workflow_log_annotates(name: str, golden: Golden) -> None:
    golden(f"reports/{name}.annotations.txt", github.render(ALL[name]()))
