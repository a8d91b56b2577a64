"""The Markdown report's part on timed load: a table of percentiles, and in a fold the histogram as lying bars.

Bars stand in a table: in GitHub's `<pre>` the lines of upright bars stand apart, and a Mermaid chart draws the second
side's bars over the first's.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from mlgate.core.report import LoadSummary, Report
from mlgate.reports.content.escape import markdown, markdown_code
from mlgate.reports.content.histogram import Histogram, bar, histogram
from mlgate.reports.content.latency import TITLES, PercentileRow, reason, rows, sent, started, trust
from mlgate.reports.content.numbers import NO_NUMBER, SYMBOLS
from mlgate.reports.markdown.size_budget import PageBlock

LOADS = 10
ROWS = 20
_BINS = 12
_LONGEST_BAR = 16
"""Characters of the longest bar: two of them and the counts fit a phone's width."""
_MOST_FACTS = 20


def latency(report: Report) -> PageBlock:
    """Return one piece a load: what was sent, its percentiles, what to trust, and a fold with the histogram."""
    head = "\n#### Latency\n"
    return PageBlock(3, head, (_piece(report, load) for load in report.loads), len(report.loads), "loads", most=LOADS)


def _piece(report: Report, load: LoadSummary) -> str:
    outcome, flaw = reason(report, load)
    parts = [
        f"\n{markdown_code(load.check, 80)} {markdown(sent(load), 400)}\n",
        f"\n{SYMBOLS[outcome]} {markdown(flaw, 600)}\n" if flaw else "",
        _table(rows(report, load, ROWS)),
        _fact_line(trust(load)),
        _fold(load),
    ]
    return "".join(parts)


def _table(found: Sequence[PercentileRow]) -> str:
    if not found:
        return ""
    compared = any(row.baseline != NO_NUMBER for row in found)
    head = f"\n| | time in ms | candidate |{' baseline | change |' if compared else ''}\n"
    ruled = f"|---|---|---:|{'---:|---:|' if compared else ''}\n"
    return head + ruled + "".join(_row(row, compared=compared) for row in found)


def _row(row: PercentileRow, *, compared: bool) -> str:
    mark = SYMBOLS[row.outcome] if row.outcome is not None else ""
    name = markdown(f"{row.name} {TITLES.get(row.clock, row.clock)}".rstrip(), 80)
    cells = [mark, name, f"{row.value} {row.interval}".rstrip()]
    cells += [row.baseline, f"{row.change} {row.change_interval}".rstrip()] if compared else []
    return f"| {' | '.join(cells)} |\n"


def _fact_line(pieces: Iterable[str]) -> str:
    text = " · ".join(markdown(piece, 120) for _, piece in zip(range(_MOST_FACTS), pieces, strict=False))
    return f"\n{text}\n" if text else ""


def _fold(load: LoadSummary) -> str:
    shown = histogram(load, _BINS)
    bars = "".join(_bars(shown)) if shown else ""
    facts = _fact_line(started(load))
    if not bars and not facts:
        return ""
    summary = f"{'how times are spread, and ' if bars else ''}how the model was started"
    return f"\n<details><summary>{summary}</summary>\n{bars}{facts}\n</details>\n"


def _bars(shown: Histogram) -> Iterator[str]:
    both = bool(shown.baseline)
    yield f"\n| ms | candidate |{' baseline |' if both else ''}\n|---:|---|{'---|' if both else ''}\n"
    for index, share in enumerate(shown.candidate):
        ends = f"{_edge(shown.edges[index])} to {_edge(shown.edges[index + 1])}"
        sides = [share, *([shown.baseline[index]] if both else [])]
        bars = [f"{bar(side, shown.most, _LONGEST_BAR)} {side:.1%}".strip() for side in sides]
        yield f"| {ends} | {' | '.join(bars)} |\n"


def _edge(time: float) -> str:
    """Return the end of a bin in three digits: it is no measured time."""
    return f"{float(f'{time:.3g}'):,g}"
