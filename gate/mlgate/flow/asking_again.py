"""Whether asking again can help: a lost connection may come back, and an answer that is no text will be none again."""

from __future__ import annotations

import re
from collections.abc import Iterable

from mlgate.core.evidence import NOT_ASKED, Gap, Row

_STATUS = re.compile(r"\bstatus ([1-5][0-9]{2})\b")
_MAY_PASS = frozenset({408, 425, 429})
_NEVER = frozenset({501, 505})
"""Of the server's own errors, those that say that it cannot do it at all."""
_LASTING = ("answered ", "refused to answer", "cannot be asked", "cannot load ", "no answer in ", "no test recorded it")
"""What a reason begins with that is in the model's answers, the request, or a file of answers."""
_ERROR = re.compile(r"(?:\w+\.)*(\w+)(?::|\s\(|$)")
_ERRORS_OF_CODE = frozenset(
    {
        "ArithmeticError",
        "AssertionError",
        "AttributeError",
        "FileNotFoundError",
        "ImportError",
        "IndentationError",
        "IndexError",
        "KeyError",
        "ModuleNotFoundError",
        "NameError",
        "NotImplementedError",
        "PermissionError",
        "RecursionError",
        "SyntaxError",
        "TabError",
        "TypeError",
        "UnboundLocalError",
        "UnicodeDecodeError",
        "UnicodeEncodeError",
        "ValueError",
        "ZeroDivisionError",
    }
)
"""Python's own errors that the same code raises again for the same input."""


def can_help(rows: Iterable[Row]) -> bool:
    """Return whether some example that was not answered may be answered next time; True where none was left."""
    reasons = {row.why for row in rows if isinstance(row, Gap)}
    return not reasons or any(may_pass(why) for why in reasons)


def may_pass(why: str) -> bool:
    """Return whether what kept an example from being answered may pass by itself. Whatever is not known may."""
    reason = why.removeprefix(NOT_ASKED)
    if status := _STATUS.search(reason):
        code = int(status[1])
        return code in _MAY_PASS or (code >= 500 and code not in _NEVER)  # noqa: PLR2004 - a server's own errors
    if reason.startswith(_LASTING):
        return False
    error = _ERROR.match(reason)
    return not (error and error[1] in _ERRORS_OF_CODE)
