"""What is wrong with a manifest, for a terminal: errors first, each with its place and the next step."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlgate.core.deploy.advice import Advice
from mlgate.reports.content.escape import terminal
from mlgate.reports.content.plural import many
from mlgate.reports.content.text_width import hang, wrap

_WIDTH = 80


def render(found: Sequence[tuple[Advice, str]]) -> str:
    """Return the lines of each advice with its place, `file:line:column`, and what they come to."""
    told = [line for one, place in found for line in lines(one, place)]
    errors = sum(one.is_error for one, _ in found)
    warnings = len(found) - errors
    mends = sum(bool(one.fixes) for one, _ in found)
    if not found:
        return "the manifest has no mistake that mlgate knows\n"
    said = f"{many(errors, 'error')}, {many(warnings, 'warning')}"
    if mends:
        said += f"; --fix mends {mends} of them"
    return "\n".join([*told, said]) + "\n"


def lines(one: Advice, place: str) -> Iterator[str]:
    """Yield the lines of one advice about what is at *place*."""
    sign = "✗" if one.is_error else "!"
    yield f"{sign} {terminal(place)}"
    yield from hang("", wrap(f"{one.topic}: {terminal(one.says, 400)}", _WIDTH - 2), 2)
    yield from hang("  next: ", wrap(terminal(one.hint, 400), _WIDTH - 8), 8)
