"""What was live when, as a table for a terminal of 80 columns: the latest first, each until the one above it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from mlgate.core.tracking.ledger import NO_VERSION, Ledger, LiveSpan
from mlgate.reports.content.escape import terminal

_HEAD = ("version", "since (UTC)", "for", "how", "commit", "verdict")
_MANY = 100
"""Above it, three digits have no fraction."""


def render(source: str, ledger: Ledger, alias: str, now: str) -> str:
    """Return the table of one alias; *now* ends the span that is open."""
    spans = ledger.spans(alias)
    if not spans:
        return f"{terminal(source)}: nothing was ever {alias}\n  next: mlgate promote, when a model has passed\n"
    rows = [_HEAD, *(tuple(_row(span, now)) for span in reversed(spans))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEAD))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    gone = ledger.live(alias) == NO_VERSION
    head = f"{terminal(source)}: what was {alias}" + (", and nothing is now" if gone else "")
    return "\n".join([head, "", *lines, *_unconfirmed_move(ledger, alias)]) + "\n"


def _row(span: LiveSpan, now: str) -> Iterator[str]:
    yield str(span.version) if span.version != NO_VERSION else "none"
    yield _minute(span.since.at)
    yield _duration(span.since.at, span.until.at if span.until else now)
    yield span.since.kind
    yield terminal(span.since.commit.partition("+")[0][:8], 8) or "-"
    yield terminal(span.since.verdict[:12], 12) or "-"


def _unconfirmed_move(ledger: Ledger, alias: str) -> Iterator[str]:
    last = ledger.last(alias)
    if last is not None and not last.done:
        yield ""
        yield f"The last move was cut off: {alias} may still point to version {last.before or 'none'}."
        yield "  next: mlgate promote completes it; mlgate doctor says more"


def _minute(at: str) -> str:
    when = _read(at)
    return when.strftime("%Y-%m-%d %H:%M") if when else "?"


def _duration(since: str, until: str) -> str:
    begin, end = _read(since), _read(until)
    if begin is None or end is None or end < begin:
        return "?"
    span = end - begin
    for unit, name in ((timedelta(days=1), "d"), (timedelta(hours=1), "h"), (timedelta(minutes=1), "min")):
        if span >= unit:
            count = span / unit
            return f"{count:,.0f} {name}" if count >= _MANY else f"{count:.3g} {name}"
    return f"{span.seconds} s"


def _read(at: str) -> datetime | None:
    """Return a time of the ledger's; None for what says no time, or not where on earth."""
    try:
        when = datetime.fromisoformat(at)
        return when.astimezone(UTC) if when.tzinfo else None
    except (ValueError, OverflowError):
        return None
