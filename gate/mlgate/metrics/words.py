"""Words in any script: what counts as a token where rouge_score's own tokenizer sees ASCII only."""

from __future__ import annotations

import unicodedata

from mlgate.core.text.normal_form import normal
from mlgate.metrics.scripts import is_cut_by_character

VERSION = f"2-ucd{unicodedata.unidata_version}"
"""The second rule of what is a word, and which Unicode character database says what a letter is: it is Python's."""


def words(text: str) -> list[str]:
    """Return the words of *text*: equal to rouge_score's on ASCII, and defined for every other script.

    Compatibility forms and case are folded (NFKC, casefold, NFKC, as Unicode's NFKC_Casefold does: full-width
    letters, ligatures and the Kelvin sign become plain letters). A word is a run of letters, marks and digits; all
    else separates. Scripts in which nothing stands between words (Han, kana, Thai, Lao, Khmer, Myanmar …) give one
    word a character (code point), marks included: finding their words needs a dictionary, and a dictionary would be
    one more thing that two runs must agree on. Tibetan marks its syllables: each is a word.
    """
    folded = normal("NFKC", normal("NFKC", text).casefold())
    return folded.translate(_SPACED).split()


class _Spaced(dict[int, str]):
    """For str.translate: what each code point becomes, decided when it is first seen."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if unicodedata.category(character)[0] not in "LMN":
            spaced = " "
        elif is_cut_by_character(character):
            spaced = f" {character} "
        else:
            spaced = character
        self[code] = spaced
        return spaced


_SPACED = _Spaced()
