"""The parts of the Markdown report below the findings: numbers, slices, segments, coverage and notices."""

from __future__ import annotations

from mlgate.core.metric import Metric
from mlgate.core.outcome import Outcome
from mlgate.core.report import CheckSummary, Report, Segment
from mlgate.reports.content import latency
from mlgate.reports.content.escape import flowing, markdown, markdown_code
from mlgate.reports.content.numbers import SYMBOLS, Figures, figures_of, shown, whole_checks, worst_slices
from mlgate.reports.markdown.latency import LOADS, ROWS
from mlgate.reports.markdown.size_budget import PageBlock

_SEGMENTS = 3
_TEXT = 600
"""Characters of one text of a segment."""


def measured(report: Report) -> PageBlock:
    """Return the table of whole checks: value, baseline, change with its interval, and the limits.

    Times that have their row under Latency are not repeated.
    """
    figures = whole_checks(figures_of(report), latency.told(report, LOADS, ROWS))
    head = "\n#### Measured\n\n| metric | candidate | baseline | change | limit |\n|---|---:|---:|---:|---|\n"
    several = len({f.measured.check for f in figures}) > 1
    rows = (f"| {_metric(f, with_check=several)} | {_numbers(f)} | {_limits(f)} |\n" for f in figures)
    return PageBlock(2, head, rows, len(figures), "metrics", most=50)


def slices(report: Report) -> PageBlock:
    """Return the table of the slices that did not pass; where all did, a block that takes no room."""
    figures = [f for f in worst_slices(figures_of(report)) if f.outcome is not Outcome.PASSED]
    head = (
        "\n#### Slices that broke\n\n| | slice | examples | metric | candidate | baseline | change |\n"
        "|---|---|---:|---|---:|---:|---:|\n"
    )
    several = len({m.check for m in report.measurements}) > 1
    rows = (
        f"| {SYMBOLS[f.outcome]} | {markdown_code(f.measured.slice, 80)} | {f.measured.n:,} "
        f"| {_metric(f, with_check=several)} | {_numbers(f)} |\n"
        for f in figures
    )
    return PageBlock(3, head, rows, len(figures), "slices that did not pass", most=10)


def moved(report: Report) -> PageBlock:
    """Return one fold a segment, of the three that moved most."""
    units = {(m.check, m.name): m.metric for m in report.measurements}
    folds = (_fold(s, units.get((s.check, s.name))) for s in report.segments)
    compared = any(segment.baseline is not None for segment in report.segments)
    head = f"\n#### {'Examples that moved it most' if compared else 'Worst examples'}\n\n"
    return PageBlock(4, head, folds, len(report.segments), "examples", most=_SEGMENTS)


def _fold(segment: Segment, metric: Metric | None) -> str:
    share = shown(metric, segment.moved, signed=True) if segment.moved else ""
    head = f"{markdown_code(segment.example, 80)} {markdown_code(f'{segment.check}/{segment.name}', 80)} {share}"
    texts = [("input", segment.input), *(("reference", text) for text in segment.references[:_SEGMENTS])]
    if segment.baseline is not None:
        texts.append(("baseline", segment.baseline))
    texts.append(("candidate", segment.answer))
    rows = "".join(f"| {name} | {_text(text)} |\n" for name, text in texts)
    rows += f"| unlike | {segment.unlike} |\n" if segment.unlike else ""
    return f"<details><summary>{head}</summary>\n\n| | |\n|---|---|\n{rows}\n</details>\n"


def _text(text: str) -> str:
    if not text:
        return "*empty*"
    return markdown_code(flowing(text, _TEXT), _TEXT) if text.strip() else "*blank*"


def coverage(report: Report) -> PageBlock:
    """Return what was asked and not answered, when something is missing."""
    holes = [check for check in report.checks if check.missing or check.gaps]
    head = "\n#### Missing\n\n| check | planned | answered | failed | never asked |\n|---|---:|---:|---:|---:|\n"
    return PageBlock(1, head, map(_hole, holes), len(holes), "checks with missing answers", most=20)


def _hole(check: CheckSummary) -> str:
    counts = (check.planned, check.answered, check.gaps, check.missing)
    return f"| {markdown_code(check.id, 80)} | {' | '.join(f'{n:,}' for n in counts)} |\n"


def notices(report: Report) -> PageBlock:
    """Return what a person should know and no rule judges."""
    lines = (f"- {markdown(notice, 400)}\n" for notice in report.notices)
    return PageBlock(3, "\n#### Notices\n\n", lines, len(report.notices), "notices", most=10)


def _metric(f: Figures, *, with_check: bool) -> str:
    name = f"{f.measured.check}/{f.measured.name}" if with_check else f.measured.name
    return markdown_code(name, 80)


def _numbers(f: Figures) -> str:
    """Return the three cells of candidate, baseline and change."""
    return f"{f.value} {f.interval} | {f.baseline} | {f.change} {f.change_interval}"


def _limits(f: Figures) -> str:
    return ", ".join(f"{SYMBOLS[x.outcome]} {markdown(x.rule.limit_text)}" for x in f.told())
