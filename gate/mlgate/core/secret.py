"""What stands in a row where a secret stood: a mark that names the secret's variable, never its value."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator

from mlgate.core.evidence import Gap, Row

SHORTEST_SECRET = 8
"""Characters of a value that is replaced in answers. A shorter one is found in innocent text, and is no secret."""

URL = "URL"
"""The name of what is secret in an endpoint's address."""

_BEGIN = "[secret "
_MARK = re.compile(r"\[secret ([A-Za-z_][A-Za-z0-9_]{0,99})\]")


def mark(name: str) -> str:
    """Return what is written in place of the secret that *name* holds."""
    return f"{_BEGIN}{name}]"


def notices(check: str, rows: Iterable[Row]) -> Iterator[str]:
    """Yield a sentence for each secret that rows of a check held."""
    found: Counter[str] = Counter()
    for row in rows:
        found.update({name for text in _texts(row) if _BEGIN in text for name in _MARK.findall(text)})
    for name, count in sorted(found.items()):
        rows_have = "1 row has" if count == 1 else f"{count:,} rows have"
        what = "a part of the endpoint's address" if name == URL else f"the value of {name}"
        yield (
            f"{check}: the model repeated a secret: {rows_have} {mark(name)} in place of {what}; "
            "these answers are scored as they stand now"
        )


def _texts(row: Row) -> Iterator[str]:
    if isinstance(row, Gap):
        yield row.why
    else:
        yield from (value for value in row.seen.values() if isinstance(value, str))
