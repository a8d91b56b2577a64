"""Lists that somebody wrote as text into one value: `["a", "b"]`, as JSON and Python write them."""

from __future__ import annotations

import ast
import json
import re
import warnings

_ITEM = re.compile(
    r"""'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"|[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?|True|False|None|true|false|null"""
)
_BLANK = re.compile(r"\s*")
_WORDS = {"True": True, "true": True, "False": False, "false": False, "None": None, "null": None}


def list_items(text: str) -> list[object] | None:
    """Return the items of a text that is a list of texts, numbers and truth values; None for any other text.

    Raises ValueError for one whose items have no commas between them: numpy shows its arrays so.
    """
    bare = text.strip()
    if not (bare.startswith("[") and bare.endswith("]")):
        return None
    items: list[object] = []
    at, end, commas = _after_blanks(bare, 1), len(bare) - 1, 0
    while at < end:
        if not (found := _ITEM.match(bare, at, end)):
            return None
        try:
            items.append(_value(found.group()))
        except (ValueError, SyntaxError):
            return None
        at = _after_blanks(bare, found.end())
        if at < end and bare[at] == ",":
            commas += 1
            at = _after_blanks(bare, at + 1)
    if len(items) > 1 and not commas:
        raise ValueError("its items have no commas between them")
    return items if commas >= len(items) - 1 else None


def _after_blanks(text: str, at: int) -> int:
    found = _BLANK.match(text, at)
    assert found is not None  # it may be of no character
    return found.end()


def _value(token: str) -> object:
    if token in _WORDS:
        return _WORDS[token]
    try:
        value: object = json.loads(token)
    except ValueError:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an escape that Python does not know
            value = ast.literal_eval(token)
    return value
