"""Words in any script: what counts as a token where rouge_score's own tokenizer sees ASCII only."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from mlgate.core.normal_form import normal

VERSION = f"ucd{unicodedata.unidata_version}"
"""Which Unicode character database says what a letter is; it comes with Python."""

_SPACELESS = (
    "CJK UNIFIED IDEOGRAPH",
    "CJK COMPATIBILITY IDEOGRAPH",
    "IDEOGRAPHIC",
    "HIRAGANA",
    "KATAKANA",
    "HALFWIDTH KATAKANA",
    "THAI ",
    "LAO ",
    "KHMER ",
    "MYANMAR ",
)
"""How Unicode's names of Han, kana, Thai, Lao, Khmer and Myanmar characters begin (Python has no script property)."""


@lru_cache(maxsize=65_536)
def is_spaceless(character: str) -> bool:
    """Return whether *character* is of a script that is written without spaces between words."""
    return unicodedata.name(character, "").startswith(_SPACELESS)


def words(text: str) -> list[str]:
    """Return the words of *text*: equal to rouge_score's on ASCII, and defined for every other script.

    Compatibility forms and case are folded (NFKC, casefold, NFKC, as Unicode's NFKC_Casefold does: full-width
    letters, ligatures and the Kelvin sign become plain letters). A word is a run of letters, marks and digits; all
    else separates. Han, kana, Thai, Lao, Khmer and Myanmar give one word a character (code point), marks included:
    finding their words needs a dictionary, and a dictionary would be one more thing that two runs must agree on.
    """
    folded = normal("NFKC", normal("NFKC", text).casefold())
    return folded.translate(_SPACED).split()


class _Spaced(dict[int, str]):
    """For str.translate: what each code point becomes, decided when it is first seen."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if unicodedata.category(character)[0] not in "LMN":
            spaced = " "
        elif is_spaceless(character):
            spaced = f" {character} "
        else:
            spaced = character
        self[code] = spaced
        return spaced


_SPACED = _Spaced()
