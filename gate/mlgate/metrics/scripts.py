"""Scripts that are written without spaces between words, by Unicode's script property (UAX #24).

Python has no script property; the package `regex`, which sacrebleu needs too, has it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import regex

_BY_CHARACTER = (
    "Han",
    "Hiragana",
    "Katakana",
    "Bopomofo",
    "Yi",
    "Tangut",
    "Nushu",
    "Khitan_Small_Script",
    "Thai",
    "Lao",
    "Khmer",
    "Myanmar",
    "Tai_Le",
    "New_Tai_Lue",
    "Tai_Tham",
    "Tai_Viet",
    "Ahom",
    "Javanese",
    "Balinese",
    "Batak",
    "Buginese",
)
"""Those in which nothing stands between words (UAX #14: classes ID, SA and AK)."""
_BY_SYLLABLE = ("Tibetan",)
"""Those that mark syllables, and not words."""

SIZEABLE = 0.1
"""The share of examples from which a script is a part of the data, and no foreign word in it."""
_MOST_LETTERS = 0.5
"""The share of a reference's letters from which it is written in such a script."""


_CUT = "[" + "".join(rf"\p{{Script_Extensions={name}}}" for name in _BY_CHARACTER) + "]"
_SPACELESS = "[" + "".join(rf"\p{{Script_Extensions={name}}}" for name in (*_BY_CHARACTER, *_BY_SYLLABLE)) + "]"


@lru_cache(maxsize=65_536)
def is_spaceless(character: str) -> bool:
    """Return whether *character* is of a script that is written without spaces between words."""
    return _spaceless().match(character) is not None


@lru_cache(maxsize=65_536)
def is_cut_by_character(character: str) -> bool:
    """Return whether *character* is a word of its own where words are counted: nothing marks where one ends."""
    return _cut().match(character) is not None


@cache
def _spaceless() -> regex.Pattern[str]:
    import regex

    return regex.compile(_SPACELESS)


@cache
def _cut() -> regex.Pattern[str]:
    import regex

    return regex.compile(_CUT)


@dataclass(frozen=True, slots=True)
class Spaceless:
    """The examples whose references are in scripts without spaces."""

    count: int
    total: int
    letters: str
    """Of those scripts, in those references."""

    def __str__(self) -> str:
        """Return how many there are, for people."""
        if self.count == self.total:
            return "the references are in a script without spaces"
        return f"{self.count:,} of {self.total:,} references are in a script without spaces"


def spaceless(references: Sequence[Sequence[str]]) -> Spaceless | None:
    """Return the examples whose references are mostly in scripts without spaces; None where they are few."""
    found = [letters for several in references if (letters := _spaceless_letters(several))]
    if not found or len(found) < SIZEABLE * len(references):
        return None
    return Spaceless(len(found), len(references), "".join(found))


def _spaceless_letters(texts: Sequence[str]) -> str:
    letters = [c for text in texts if not text.isascii() for c in text if c.isalpha()]
    found = [c for c in letters if is_spaceless(c)]
    every = len(letters) + sum(c.isalpha() for text in texts if text.isascii() for c in text)
    return "".join(found) if len(found) > _MOST_LETTERS * every else ""
