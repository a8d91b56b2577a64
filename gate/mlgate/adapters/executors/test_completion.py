"""The account of the user's tests: opened, closed, failed. One that never ended is no good answer.

A worker that dies (`os._exit(0)`, a segmentation fault) takes its reports with it. So every test of a recorded check is
opened before any runs and closed when it has passed; what is still open at the end is a gap of its check. The account
travels with the rows, under check names that no check can have.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from collections.abc import Set as AbstractSet

from mlgate.core.evidence import Gap, Observation, Row

_PREFIX = "pytest:"
_NEVER_ENDED = "its test never ended"
_RERUN = "it was run again after it failed, and only the first run counts: take the rerun away, or mend the test; "


def opened(check: str, test: str) -> Row:
    """Return the entry of a test that is about to run."""
    return Gap(_PREFIX + check, _unicode(test), _NEVER_ENDED)


def failed(check: str, test: str, why: str) -> Row:
    """Return the entry of a test that failed."""
    return Gap(_PREFIX + check, _unicode(test), _unicode(why))


def rerun(check: str, test: str, why: str) -> Row:
    """Return the entry of a test that is run again after it failed: whatever comes of it, only the first run counts."""
    return Gap(_PREFIX + check, _unicode(test), _unicode(f"{_RERUN}{why}"))


def closed(check: str, test: str) -> Row:
    """Return the entry of a test that passed to its end."""
    return Observation(_PREFIX + check, _unicode(test), {"ended": 1.0})


def _unicode(text: str) -> str:
    """Return *text* as evidence can hold it: the name of a file, or what an exception says, may not be Unicode."""
    return text.encode("utf-8", "backslashreplace").decode()


def is_entry(row: Row) -> bool:
    """Whether a row is an entry of the account."""
    return row.check.startswith(_PREFIX)


def _weight(entry: Row | None) -> int:
    """Return what says more: run again over failed over closed over opened. Workers' files come in any order."""
    match entry:
        case None:
            return 0
        case Gap(why=why) if why == _NEVER_ENDED:
            return 1
        case Observation():
            return 2
        case Gap(why=why) if why.startswith(_RERUN):
            return 4
        case _:
            return 3


def settle(rows: Sequence[Row], planned: AbstractSet[tuple[str, str]]) -> list[Row]:
    """Return the rows without the account's entries, and a gap for each test that failed or never ended."""
    return [*(row for row in rows if not is_entry(row)), *unsettled(filter(is_entry, rows), planned)]


def unsettled(entries: Iterable[Row], planned: AbstractSet[tuple[str, str]]) -> Iterator[Gap]:
    """Yield a gap for each test whose account is not closed, under a name that no planned example has."""
    account: dict[tuple[str, str], Row] = {}
    for entry in entries:
        if _weight(entry) > _weight(account.get(entry.key)):
            account[entry.key] = entry
    for (owner, test), entry in sorted(account.items()):
        if isinstance(entry, Gap):
            check, name = owner.removeprefix(_PREFIX), test
            while (check, name) in planned:
                name += "'"
            yield Gap(check, name, entry.why)
