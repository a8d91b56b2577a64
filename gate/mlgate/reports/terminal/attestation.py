"""What was attested, and what was verified, for a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime

from mlgate.core.attestation.demands import Demands, Signed
from mlgate.core.attestation.statement import Statement
from mlgate.reports.content.escape import terminal
from mlgate.reports.content.plural import many

_LONGEST = 500


def written(statement: Statement, path: str, *, is_signed: bool) -> str:
    """Return what `mlgate attest` wrote, and what is left to do."""
    done = "attested" if is_signed else "ready to be signed"
    lines = [f"{done}: {statement.model} {statement.result.value}, in {path}", *_about(statement)]
    if not is_signed:
        lines.append("  next: sign it by actions/attest, or by a key: mlgate attest --key FILE")
    return _lines(lines)


def verified(found: Signed, demands: Demands) -> str:
    """Return what was verified, and until when that holds."""
    one = found.statement
    until = min(one.expires, one.verified + demands.max_age)
    rules, rows = many(len(demands.rules), "rule"), f"{one.present:,} of {one.expected:,} rows"
    return _lines(
        [
            f"verified: {one.model} {one.result.value}, signed by {found.signer}",
            *_about(one),
            f"  kept     {rules}; {rows} were observed",
            f"  good     until {_when(until)}",
        ]
    )


def _about(one: Statement) -> Iterator[str]:
    for subject in one.subjects:
        yield f"  subject  {subject.name}@sha256:{subject.sha256}"
    yield f"  judged   {_when(one.verified)}" + (f", commit {one.origin.commit[:10]}" if one.origin.commit else "")
    yield f"  rules    sha256:{one.rules_digest}"
    if one.url:
        yield f"  run      {one.url}"


def _when(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M UTC")


def _lines(lines: list[str]) -> str:
    """Return the lines with nothing in them that a terminal would obey: a statement's texts are its signer's."""
    return "\n".join(terminal(line, _LONGEST) for line in lines)
