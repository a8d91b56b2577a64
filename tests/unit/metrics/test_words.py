from __future__ import annotations

import unicodedata

import pytest

from mlgate.metrics.scripts import is_spaceless
from mlgate.metrics.words import words


@pytest.mark.parametrize(
    ("text", "want"),
    [
        ("Don't stop_me, now!", ["don", "t", "stop", "me", "now"]),
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("300\u212a", ["300k"]),
        ("\uff21\uff22 \ufb01sh", ["ab", "fish"]),
        ("naïve cafe\u0301", ["naïve", "café"]),
        ("तेज़ लोमड़ी", [unicodedata.normalize("NFKC", "तेज़"), unicodedata.normalize("NFKC", "लोमड़ी")]),
        ("漢字かなカナ 10台", ["漢", "字", "か", "な", "カ", "ナ", "10", "台"]),
        ("\u0e01\u0e33 ok", ["\u0e01", "\u0e4d", "\u0e32", "ok"]),
        ("빠른 여우", ["빠른", "여우"]),
        ("བོད་སྐད། ok", ["བོད", "སྐད", "ok"]),
        ("ꦲꦤ", ["ꦲ", "ꦤ"]),
        ("a\u00a0b\u2003c\rd\x85e", ["a", "b", "c", "d", "e"]),
        ("🙂 … — \ud83d", []),
        ("", []),
    ],
)
def test_words_of(text: str, want: list[str]) -> None:
    assert words(text) == want


@pytest.mark.parametrize("character", "漢々〇かカーｶกກកကཀᦀꦲ")
def test_these_scripts_have_no_spaces(character: str) -> None:
    assert is_spaceless(character)


@pytest.mark.parametrize("character", "aяअ한ع1. \ud83d")
def test_these_have(character: str) -> None:
    assert not is_spaceless(character)
