"""Two texts that a reader takes for one: where they differ, by code point."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

from mlgate.core.text.normal_form import normal

_SHOWN = 6
"""Code points of each side."""

_CYRILLIC = (
    "\u0410\u0412\u0415\u0405\u0406\u0408\u041a\u041c\u041d\u041e\u0420\u0421\u0422\u0423\u0425"
    "\u0430\u0435\u043e\u0440\u0441\u0443\u0445\u0455\u0456\u0458"
)
_GREEK = "\u0391\u0392\u0395\u0396\u0397\u0399\u039a\u039c\u039d\u039f\u03a1\u03a4\u03a5\u03a7\u03bf\u03bd\u03b9"
_JOINER = "\u034f"
"""The combining grapheme joiner: a mark that shows as nothing."""
_AS_LATIN = str.maketrans(_CYRILLIC + _GREEK, "ABESIJKMHOPCTYX" + "aeopcyxsij" + "ABEZHIKMNOPTYXovi")
"""Letters that most typefaces draw as the Latin ones (UTS #39 has the whole list)."""


def difference(answer: str, references: Iterable[str]) -> str:
    """Return the code points in which *answer* differs from a reference that looks the same; empty where none does."""
    for reference in references:
        if answer != reference and _appearance(answer) == _appearance(reference):
            ours, theirs = _middles(answer, reference)
            return f"the answer has {_named(ours)} where the reference has {_named(theirs)}"
    return ""


def _appearance(text: str) -> str:
    """Return what is seen of a text: marks on their letters, nothing that has no width, plain spaces."""
    plain = normal("NFKC", text).translate(_AS_LATIN)
    return " ".join("".join(char for char in plain if unicodedata.category(char) != "Cf" and char != _JOINER).split())


def _middles(one: str, other: str) -> tuple[str, str]:
    """Return what stands between the begin and the end that both have."""
    begin = 0
    while begin < min(len(one), len(other)) and one[begin] == other[begin]:
        begin += 1
    end = 0
    while end < min(len(one), len(other)) - begin and one[-1 - end] == other[-1 - end]:
        end += 1
    return one[begin : len(one) - end], other[begin : len(other) - end]


def _named(text: str) -> str:
    if not text:
        return "nothing"
    more = f" and {len(text) - _SHOWN:,} more" if len(text) > _SHOWN else ""
    return " ".join(f"U+{ord(char):04X}" for char in text[:_SHOWN]) + more
