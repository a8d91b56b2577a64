"""The pictures of a verdict: well-formed, inert and legible whatever is in the report, and true to its numbers."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import replace
from itertools import combinations, pairwise
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types
from tests.conftest import Golden
from tests.support import load_samples
from tests.support.load_samples import late, slower
from tests.support.samples import (
    ALL,
    BLEU,
    ERRORS,
    EVIL,
    ROUGE,
    delta,
    errored,
    failing,
    hostile,
    measured,
    passing,
    rule,
)
from tests.support.samples import report as report_of
from tests.support.strategies import loads, metrics, numbers, reports
from tests.unit.reports import runner

from mlgate.core.check import Bound
from mlgate.core.comparison import hold_slice
from mlgate.core.limits import hold_limit
from mlgate.core.metric import Metric
from mlgate.core.report import LoadSummary, Report
from mlgate.reports.content.numbers import shown
from mlgate.reports.svg import charts
from mlgate.reports.svg import marks as svg_marks
from mlgate.reports.svg.scale import scale_of

law = settings(max_examples=100)
SVG = "{http://www.w3.org/2000/svg}"
ELEMENTS = {"svg", "title", "g", "rect", "line", "path", "circle", "text"}
NUMBER = r"-?\d+(\.\d)?"
ATTRIBUTE = re.compile(
    rf"{NUMBER}( {NUMBER})*|M({NUMBER} {NUMBER}L?)+Z?|#[0-9a-f]{{6}}|none|bold|middle|end|img|sans-serif"
)


class Word(NamedTuple):
    """One text of a picture, and the box that it takes in the widest of usual fonts."""

    text: str
    left: float
    right: float
    line: float


def sliced(count: int = 32) -> Report:
    """Return a check of two metrics and many slices, of which every fifth is worse."""
    base, parts, before, found = failing(), [], [], []
    drop = rule(Bound.MAX_DROP, 0.02, line=16, slice_by="module")
    for number in range(count):
        name = f"module={'a.name.that.is.long.' if number % 3 else 'm'}{number}"
        was = measured(ROUGE, 0.33, 0.02, slice_=name)
        part = measured(ROUGE, 0.33 - (0 if number % 5 else 0.06) + number * 0.001, 0.02, slice_=name)
        parts.append(part)
        before.append(was)
        found.append(hold_slice(drop, part, was, delta(part.value - was.value, 0.03)))
    whole = [finding for finding in base.findings if not finding.slice]
    return report_of([*whole, *found], [*base.measurements[:2], *parts], [*base.before[:2], *before])


def read(text: str) -> etree._Element:
    return etree.XML(text.encode(), etree.XMLParser(resolve_entities=False, no_network=True, recover=False))


def words(text: str) -> list[Word]:
    """Return the words that are drawn. Those in boxes of their own are placed by the box."""
    found = []
    for one in read(text).iter(f"{SVG}text"):
        box = one.getparent()
        if box.tag == f"{SVG}svg" and box.getparent() is not None:
            x, y = float(box.get("x")), float(box.get("y")) + float(one.get("y"))
        else:
            x, y = float(one.get("x")), float(one.get("y"))
        wide = svg_marks.wide(one.text or "", int(one.get("font-size")))
        left = x - {"middle": wide / 2, "end": wide}.get(one.get("text-anchor", ""), 0)
        found.append(Word(one.text or "", left, left + wide, y))
    return found


def said(text: str) -> list[str]:
    return [word.text for word in words(text)]


def lines(text: str, stroke: str) -> list[tuple[float, float, float, float]]:
    ends = ("x1", "y1", "x2", "y2")
    found = (one for one in read(text).iter(f"{SVG}line") if one.get("stroke") == stroke)
    x1, y1, x2, y2 = zip(*([float(one.get(end)) for end in ends] for one in found), strict=True)
    return list(zip(x1, y1, x2, y2, strict=True))


def of_one(metric: Metric, value: float, half: float, *limits: tuple[Bound, float]) -> Report:
    one = measured(metric, value, half)
    return report_of([hold_limit(rule(bound, limit, metric.name), one) for bound, limit in limits], [one], [])


def check(text: str) -> None:
    """Hold a picture to what every picture is: inert, on its card, and no word over another."""
    root = read(text)
    for one in root.iter():
        assert one.tag.removeprefix(SVG) in ELEMENTS
        for value in one.attrib.values():
            assert ATTRIBUTE.fullmatch(value), value
        for char in (one.text or "") + (one.tail or ""):
            assert char == "\n" or unicodedata.category(char)[0] in "LMNPS" or unicodedata.category(char) == "Zs"
            assert char not in "\u200b\u202e\u2028\u3164"
    for one in runner.lines(text):
        assert runner.command(one) is None
        assert runner.legacy(one) is None
    found = words(text)
    assert all(word.left >= 0 and word.right <= 760 and 0 <= word.line <= float(root.get("height")) for word in found)
    for a, b in combinations(found, 2):
        assert abs(a.line - b.line) > 8 or a.right <= b.left or b.right <= a.left, (a, b)


@law
@given(reports)
def test_a_picture_of_any_report_is_inert_and_legible(report: Report) -> None:
    check(charts.measurements(report))
    assert charts.measurements(report) == charts.measurements(replace(report))


@law
@given(loads)
def test_a_picture_of_any_load_is_inert_and_legible(load: LoadSummary) -> None:
    check(charts.latency(load))


@pytest.mark.parametrize("name", ALL)
def test_pictures_of_the_samples_are_inert_and_legible(name: str) -> None:
    check(charts.measurements(ALL[name]()))
    for load in ALL[name]().loads:
        check(charts.latency(load))


@pytest.mark.parametrize(
    ("name", "report"), [("failing", failing()), ("errored", errored()), ("hostile", hostile()), ("sliced", sliced())]
)
def test_measurements_look(name: str, report: Report, golden: Golden) -> None:
    golden(f"reports/{name}.svg", charts.measurements(report))


@pytest.mark.parametrize(("name", "report"), [("slower", slower()), ("late", late()), ("hostile", hostile())])
def test_latency_looks(name: str, report: Report, golden: Golden) -> None:
    golden(f"reports/{name}.latency.svg", charts.latency(report.loads[0]))


@law
@given(metrics, st.lists(numbers, max_size=6))
def test_a_scale_holds_every_number_in_order_between_ends_that_read_differently(
    metric: Metric, values: list[float]
) -> None:
    scale = scale_of(metric, values)
    if scale is None:
        return
    finite = sorted(value for value in values if math.isfinite(value))
    assert all(map(scale.holds, finite))
    assert all(0 <= scale.place(a) <= scale.place(b) <= 1 for a, b in pairwise(finite))
    assert shown(metric, scale.low) != shown(metric, scale.high)


@given(st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_usual_numbers_have_a_scale(value: float, half: float) -> None:
    for metric in (ROUGE, BLEU, ERRORS):
        assert scale_of(metric, (value, value - half, value + half))


@pytest.mark.parametrize("metric", [ROUGE, BLEU])
def test_a_scale_does_not_go_where_values_cannot(metric: Metric) -> None:
    most = metric.span
    assert (scale := scale_of(metric, (0.0, most)))
    assert (scale.low, scale.high) == (0, most)


@pytest.mark.parametrize(("limit", "clears"), [(0.29, True), (0.31, False), (0.33, False)])
def test_an_interval_that_clears_its_limit_is_seen_to(limit: float, clears: bool) -> None:
    text = charts.measurements(of_one(ROUGE, 0.32, 0.02, (Bound.MIN, limit)))
    tick = lines(text, svg_marks.INK)[-1][0]
    low = min(x for x, y, _, _ in lines(text, svg_marks.CANDIDATE) if y > 60)
    assert (low > tick) is clears


def test_what_a_limit_forbids_lies_on_its_worse_side() -> None:
    text = charts.measurements(of_one(ROUGE, 0.32, 0.02, (Bound.MIN, 0.25), (Bound.MAX, 0.4)))
    below, above = [one for one in read(text).iter(f"{SVG}rect") if one.get("fill") == svg_marks.BEYOND][1:]
    low, high = (x for x, _, _, _ in lines(text, svg_marks.INK)[1:])
    assert float(below.get("x")) + float(below.get("width")) == pytest.approx(low, abs=0.1)
    assert float(above.get("x")) == pytest.approx(high, abs=0.1)
    assert [word for word in said(text) if word in ("min 0.25", "max 0.4")][:2] == ["min 0.25", "max 0.4"]


def test_of_two_limits_side_by_side_both_are_drawn_and_one_is_named() -> None:
    text = charts.measurements(of_one(ROUGE, 0.4, 0.1, (Bound.MIN, 0.350), (Bound.MIN, 0.351)))
    check(text)
    assert len(lines(text, svg_marks.INK)) == 1 + 2
    assert "min 0.35" in said(text)


def test_a_baseline_of_another_signature_stands_beside_nothing() -> None:
    whole = passing()
    assert "baseline" in said(charts.measurements(whole))
    other = tuple(replace(one, signature="another") for one in whole.before)
    findings = tuple(replace(one, baseline=None) for one in whole.findings)
    assert "baseline" not in said(charts.measurements(replace(whole, before=other, findings=findings)))


def test_what_no_rule_asks_is_not_called_passed() -> None:
    text = said(charts.measurements(replace(passing(), findings=())))
    assert text.count("not judged") == 2
    assert "✓ passed" not in text


def test_a_rule_whose_metric_was_not_measured_has_a_row() -> None:
    text = said(charts.measurements(errored()))
    assert text.count("no measurement") == 2
    assert text.count("⊘ errored") == 3


def test_a_report_of_nothing_says_so() -> None:
    nothing = replace(passing(), findings=(), measurements=(), before=())
    assert said(charts.measurements(nothing)) == ["docstring-summarizer", "? inconclusive", "nothing was measured"]


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_what_is_no_number_is_said_and_not_drawn(value: float) -> None:
    text = charts.measurements(of_one(ROUGE, value, 0.1, (Bound.MIN, 0.3)))
    assert {"cannot be drawn", ROUGE.show(value), "⊘ errored"} <= set(said(text))
    assert not list(read(text).iter(f"{SVG}circle"))


def test_an_interval_without_an_end_has_no_cap_there() -> None:
    whole = of_one(ROUGE, 0.5, 0.1, (Bound.MIN, 0.3))
    open_above = replace(whole.measurements[0], high=math.inf)
    closed, open_ = (
        lines(charts.measurements(one), svg_marks.CANDIDATE)
        for one in (whole, replace(whole, measurements=(open_above,)))
    )
    assert len(closed) - len(open_) == 1


def test_the_twenty_worst_slices_are_shown_and_the_others_counted() -> None:
    text = said(charts.measurements(sliced()))
    assert sum(word.startswith("module=") for word in text) == 20
    assert text[-1] == "and 12 more: 12 passed"
    assert text.count("✗ failed") == 2 + 6
    assert not any(word.startswith("and ") for word in said(charts.measurements(sliced(20))))


def test_slices_that_are_left_out_are_not_called_harmless() -> None:
    worse = replace(sliced(25).findings[0], outcome=sliced(25).outcome)
    many = replace(sliced(), findings=tuple(replace(worse, slice=f"module={n}") for n in range(30)), measurements=())
    assert said(charts.measurements(many))[-1] == "and 10 more: 10 failed"


def test_of_too_many_metrics_the_worst_are_kept() -> None:
    parts = [replace(measured(ROUGE, 0.5, 0.1), name=f"m{number}") for number in range(99)]
    low = hold_limit(rule(Bound.MIN, 0.9, "m98"), parts[-1])
    text = said(charts.measurements(report_of([low], parts, [])))
    assert "m98" in text
    assert text[-1] == "and 39 more: 39 not judged"


def test_the_pointer_finds_the_whole_name_and_the_reason() -> None:
    name = "module=" + "x" * 300
    one = measured(ROUGE, 0.2, 0.01, slice_=name)
    text = charts.measurements(report_of([hold_limit(rule(Bound.MIN, 0.3), one)], [one], []))
    told = [title.text for title in read(text).iter(f"{SVG}title")]
    assert told[1] == f"summaries [{name}] rougeL\nfailed: rougeL 0.2000 is below the minimum 0.3"


def test_nobodys_name_is_a_second_line_of_what_the_pointer_finds() -> None:
    one = replace(measured(ROUGE, 0.2, 0.01), check="a\npassed: all is well")
    assert "\npassed" not in "".join(read(charts.measurements(report_of([], [one], []))).itertext("*"))


def test_both_sides_and_three_percentiles_are_drawn() -> None:
    load = slower().loads[0]
    text = charts.latency(load)
    bars = [one for one in read(text).iter(f"{SVG}rect") if one.get("fill") == svg_marks.BAR]
    assert len(bars) == 1 + sum(1 for count in load.counts if count)
    assert len(list(read(text).iter(f"{SVG}circle"))) == 3
    assert {"p50", "p95", "p99", "63.28", "[62.03, 64.56]", "57.20"} <= set(said(text))
    assert "p90" not in said(text)
    marks = [float(one.get("cx")) for one in read(text).iter(f"{SVG}circle")]
    assert marks == sorted(marks)


def test_a_load_without_a_baseline_names_none() -> None:
    text = said(charts.latency(late().loads[0]))
    assert "baseline" not in text
    assert text[2].startswith("? no time of it is judged: the generator, not the model,")


def test_a_load_without_times_keeps_its_numbers() -> None:
    text = charts.latency(replace(slower().loads[0], counts=()))
    assert {"no times to draw", "63.28"} <= set(said(text))
    assert not list(read(text).iter(f"{SVG}circle"))


def test_a_percentile_beyond_the_axis_is_not_drawn_on_it() -> None:
    load = slower().loads[0]
    far = replace(load.percentiles[0], value=1e6, high=1e7, baseline=math.nan)
    text = charts.latency(replace(load, percentiles=(far,)))
    assert not list(read(text).iter(f"{SVG}circle"))
    assert "1000000.00" in said(text)


def test_one_slow_request_among_a_million_is_seen() -> None:
    load = replace(slower().loads[0], counts=(10**6, *(0,) * 22, 1), before=())
    heights = [
        float(one.get("height"))
        for one in read(charts.latency(load)).iter(f"{SVG}rect")
        if one.get("fill") == svg_marks.BAR
    ]
    assert min(heights) == 1


@given(st.text() | st.just(EVIL), st.floats(0, 200), st.integers(8, 15))
def test_words_fit_their_room_or_end_in_an_ellipsis(text: str, room: float, size: int) -> None:
    kept = svg_marks.fitted(text, room, size)
    assert kept == text or kept.endswith("…")
    assert kept == "…" or svg_marks.wide(kept, size) <= room


def test_every_load_sample_has_a_picture() -> None:
    for make in load_samples.ALL.values():
        assert "speed" in said(charts.latency(make().loads[0]))
