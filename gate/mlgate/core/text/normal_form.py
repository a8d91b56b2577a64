"""Unicode's normal forms in time that grows with the text, whatever the text is.

CPython puts combining marks into their order by insertion: 64 KB of two marks that alternate in the wrong order take
four seconds, 1 MB takes fifteen minutes. In a text that is in order already it finds nothing to move.
"""

from __future__ import annotations

import re
import unicodedata
from typing import Literal

Form = Literal["NFC", "NFKC"]

_SHORT = 500
"""Characters of a text that is never slow: a quarter of a million steps."""

_MARKS = re.compile("[^\0]{2,}")


def normal(form: Form, text: str) -> str:
    """Return *text* in a normal form: what `unicodedata.normalize` returns, character for character."""
    if len(text) <= _SHORT or text.isascii():
        return unicodedata.normalize(form, text)
    return unicodedata.normalize(form, _in_canonical_order(text.translate(_DECOMPOSED[form])))


def _in_canonical_order(text: str) -> str:
    """Put every run of marks into canonical order: by class, and as they stood where classes are equal."""
    pieces, end = [], 0
    for run in _MARKS.finditer(text.translate(_CLASSES)):
        pieces.append(text[end : run.start()])
        pieces += sorted(text[run.start() : run.end()], key=unicodedata.combining)
        end = run.end()
    return "".join([*pieces, text[end:]])


class _Decomposed(dict[int, str]):
    """For str.translate: each code point's own decomposition, found when it is first seen."""

    def __init__(self, form: Literal["NFD", "NFKD"]) -> None:
        super().__init__()
        self._form = form

    def __missing__(self, code: int) -> str:
        self[code] = unicodedata.normalize(self._form, chr(code))
        return self[code]


class _Classes(dict[int, str]):
    """For str.translate: each code point's combining class, as a character; 0 for what is no mark."""

    def __missing__(self, code: int) -> str:
        self[code] = chr(unicodedata.combining(chr(code)))
        return self[code]


_DECOMPOSED = {"NFC": _Decomposed("NFD"), "NFKC": _Decomposed("NFKD")}
_CLASSES = _Classes()
