from __future__ import annotations

import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.linear import grows_with_the_text

from mlgate.core.text import normal_form
from mlgate.core.text.normal_form import Form, normal

FORMS: list[Form] = ["NFC", "NFKC"]
MARKS = "\u0301\u0316\u0344\u0345\u3099\uff9e\u0f71\u0f72\U0001d165\U0001d16e"
WHOLE = "".join(chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000)


@pytest.mark.parametrize("form", FORMS)
def test_every_character_becomes_what_unicodedata_makes_of_it(form: Form) -> None:
    assert normal(form, WHOLE) == unicodedata.normalize(form, WHOLE)


@pytest.mark.parametrize("form", FORMS)
@given(text=st.text(st.sampled_from(f"ae한가각漢ﷺẛ{MARKS}") | st.characters(exclude_categories=["Cs"])))
def test_every_text_becomes_what_unicodedata_makes_of_it(form: Form, text: str) -> None:
    long = f"{text}{'é' * (normal_form._SHORT + 1)}{text}"
    assert normal(form, long) == unicodedata.normalize(form, long)
    assert normal(form, text) == unicodedata.normalize(form, text)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "pump",
    [
        "\u0301\u0316",
        "\u0316\u0301",
        "\u0301\uff9e",
        "\u0344\u0316",
        MARKS,
        "e\u0301",
        "\U0001d15e",
        "\u1e9b\u0323",
        "한",
        "\ufdfa",
        "가\u11a8",
    ],
)
def test_a_megabyte_of_marks_takes_no_more_than_its_share(form: Form, pump: str) -> None:
    grows_with_the_text(lambda text: normal(form, text), pump)
