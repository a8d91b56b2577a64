"""What `mlgate comment` accepts from strangers, 16 MB, is read and shown in seconds, whatever the report holds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.support import load_samples
from tests.support.fake_github import Pull, serving
from tests.support.github_events import SHA, environ, event
from tests.support.samples import failing
from tests.support.variants import variants
from tests.support.waiting import works_at_most

from mlgate.commands.comment import LARGEST_REPORT, comment
from mlgate.reports import annotations as workflow_commands
from mlgate.reports import junit
from mlgate.reports.json_v1 import document as json_v1
from mlgate.reports.markdown import comment as page
from mlgate.reports.markdown import report as markdown
from mlgate.reports.svg import charts
from mlgate.reports.terminal import report as terminal

MOST_S = 30
"""Of the processor, for one report and every renderer; the slowest takes 3 on the machine that it was written on, and
what was quadratic took minutes."""
PUMPS = [" ", " \n", "`", "@", "<", "\u200b", "\u0301", "\x1b[31m"]
FIELDS = [
    *(("findings", 0, name) for name in ("why", "where", "topic", "slice_by")),
    *(("segments", 0, name) for name in ("input", "candidate_answer", "baseline_answer", "example")),
    *(("policy", "changes", 0, name) for name in ("what", "where")),
    *(("loads", 0, name) for name in ("load", "flaw")),
    *(("loads", 0, "facts", 0, name) for name in ("name", "value")),
    *(("notices", 0), ("model",), ("policy", "source"), ("measurements", -1, "slice"), ("checks", 0, "id")),
    *(("baseline", "source"), ("baseline", "commit"), ("provenance", "commit")),
]
LISTS = [
    *(("findings",), ("notices",), ("segments",), ("measurements",), ("checks",), ("loads",), ("policy", "changes")),
    *(("loads", 0, name) for name in ("facts", "percentiles", "counts", "edges_ms", "baseline_counts")),
    ("segments", 0, "references"),
]
Place = tuple[str | int, ...]


def document() -> dict[str, Any]:
    """A report that has something of everything."""
    whole: dict[str, Any] = json.loads(json_v1.render(failing()))
    whole["loads"] = json.loads(json_v1.render(load_samples.late()))["loads"]
    whole["policy"] = {"source": "base 1234567", "changes": [{"direction": "looser", "what": "w", "where": "x:1:2"}]}
    whole["notices"] = ["n"]
    whole["checks"][0]["missing"], whole["checks"][0]["planned"] = 1, whole["checks"][0]["planned"] + 1
    return whole


def at(whole: Any, place: Place) -> Any:
    for step in place:
        whole = whole[step]
    return whole


def put(whole: Any, place: Place, value: Any) -> None:
    at(whole, place[:-1])[place[-1]] = value


def text_of(whole: Any) -> str:
    return json.dumps(whole, ensure_ascii=False, separators=(",", ":"))


def filled(place: Place, pump: str) -> str:
    """A report of 16 MB, nearly all of them *pump* at *place*."""
    whole = document()
    room = LARGEST_REPORT - len(text_of(whole).encode()) - 100
    put(whole, place, pump * (room // (len(json.dumps(pump, ensure_ascii=False).encode()) - 2)) + "x")
    return text_of(whole)


def crowded(*places: Place) -> str:
    """A report of 16 MB, nearly all of them the first entry of the lists at *places*, again and again."""
    whole = document()
    room = (LARGEST_REPORT - len(text_of(whole).encode()) - 100) // len(places)
    for place in places:
        entry = (at(whole, place) or [0])[0]
        put(whole, place, at(whole, place) + [entry] * (room // (len(text_of(entry).encode()) + 1) - 1))
    for place in places:
        if place == ("findings",):
            order = ["failed", "errored", "inconclusive", "warned", "passed"]
            whole["findings"].sort(key=lambda finding: order.index(finding["outcome"]))
    return text_of(whole)


def shown(text: str) -> None:
    """Read a report, and show it in every form."""
    report = json_v1.parse(text)
    for render in (markdown.render, terminal.render, junit.render, workflow_commands.render, charts.measurements):
        assert render(report)
    for load in report.loads[:3]:
        assert charts.latency(load)


@pytest.mark.parametrize("place", FIELDS, ids=lambda place: ".".join(map(str, place)))
def test_a_text_of_a_report_may_be_anything_and_16_mb_long(place: Place) -> None:
    pump = PUMPS[FIELDS.index(place) % len(PUMPS)]
    for worst in {pump, "\u0301", " \n"}:
        with works_at_most(MOST_S):
            shown(filled(place, worst))


@pytest.mark.parametrize("place", variants([(one,) for one in LISTS], 5), ids=lambda place: ".".join(map(str, place)))
def test_a_list_of_a_report_may_have_as_many_entries_as_16_mb_hold(place: Place) -> None:
    with works_at_most(MOST_S):
        shown(crowded(place))


@pytest.mark.parametrize(
    "places",
    [
        (("findings",), ("loads",)),
        (("findings",), ("loads", 0, "percentiles")),
        (("findings",), ("measurements",)),
        (("loads",), ("checks",)),
        (("segments",), ("measurements",)),
    ],
    ids=str,
)
def test_no_list_is_gone_through_for_each_entry_of_another(places: tuple[Place, ...]) -> None:
    with works_at_most(MOST_S):
        shown(crowded(*places))


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[tuple[Path, dict[str, str]]]:
    with serving() as github:
        github.pulls.append(Pull(7, SHA))
        artifact = tmp_path / "artifact"
        artifact.mkdir()
        yield artifact, environ(tmp_path, github.url, event(conclusion="failure"))
        (one,) = github.comments
        assert one.body.startswith(page.marker("mlgate"))
        assert len(one.body) <= page.LONGEST_COMMENT


@pytest.mark.needs_openapi
@pytest.mark.parametrize("pump", PUMPS)
def test_the_comment_on_16_mb_from_a_stranger_is_written_in_seconds(
    folder: tuple[Path, dict[str, str]], pump: str
) -> None:
    artifact, env = folder
    (artifact / "report.json").write_text(filled(("findings", 0, "why"), pump), encoding="utf-8")
    with works_at_most(MOST_S):
        assert comment(artifact, "mlgate", status=True, environ=env) == 0
