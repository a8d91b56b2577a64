"""What a plain word of YAML means, and which words mean different things to different readers."""

from __future__ import annotations

import math
import re
from typing import TypeAlias

from mlgate.config.yaml.fault import quoted

Scalar: TypeAlias = str | int | float | bool | None

_WORDS: dict[str, bool | None] = {"true": True, "false": False, "null": None, "~": None, "": None}
_LONGEST_NUMBER = 18
_INTEGER = re.compile(r"-?(?:0|[1-9][0-9]*)")
_FLOAT = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?")
_PLAIN_TRUTH = {
    "yes": "true",
    "on": "true",
    "true": "true",
    "no": "false",
    "off": "false",
    "false": "false",
    "null": "null",
}
_TRUTH = re.compile("|".join(_PLAIN_TRUTH), re.IGNORECASE)
_BOUNDLESS = re.compile(r"[-+]?\.?(?:inf|infinity|nan)", re.IGNORECASE)
_BASED = re.compile(r"[-+]?0[xob][0-9a-f_]*", re.IGNORECASE)
_NUMBERISH = re.compile(r"[-+]?\.?[0-9][-0-9_:.eE+]*")
_LOOSE = re.compile(r"([-+]?)([0-9]*)(?:([.,])([0-9]*))?( ?%)?")
_THOUSANDS = 3


class Ambiguous(ValueError):  # noqa: N818 - it names what is wrong with the word
    """A word that cannot be taken for one thing only."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


def resolve(word: str) -> Scalar:
    """Return the value of an unquoted word: true, false, null, a finite number, else text.

    YAML 1.1 and 1.2 read `no`, `010`, `1e3`, `1_000` and `12:30` differently; what one of them takes for a number or
    a truth value and another does not raises Ambiguous, except `1e3`, which nobody means as text.
    """
    if word in _WORDS:
        return _WORDS[word]
    if _INTEGER.fullmatch(word):
        if len(word.lstrip("-")) > _LONGEST_NUMBER:
            raise Ambiguous(
                f"a whole number has at most {_LONGEST_NUMBER} digits", "quote it if it is an id and no quantity"
            )
        return int(word)
    if _FLOAT.fullmatch(word):
        return _number(word)
    if _BOUNDLESS.fullmatch(word):
        raise Ambiguous(f"{quoted(word)} is no finite number", f'write a number, or quote it as text: "{word}"')
    if _TRUTH.fullmatch(word):
        raise Ambiguous(
            f"{quoted(word)} is ambiguous: some YAML readers take it for true, false or null, others for text",
            f'write {_PLAIN_TRUTH[word.lower()]}, or quote it as text: "{word}"',
        )
    if _BASED.fullmatch(word) or _NUMBERISH.fullmatch(word):
        raise Ambiguous(
            f"{quoted(word)} is ambiguous: YAML readers disagree about the number it is",
            f"write {meant}, or quote it as text: {_in_quotes(word)}"
            if (meant := meant_number(word.replace("_", "")))
            else f"quote it: {_in_quotes(word)}, or write a number like 12, 0.5 or 1e3",
        )
    return word


def meant_number(text: str) -> str:
    """Return the number that a person means by *text*, as YAML has it: `0,5` and `.5` are 0.5; empty for none.

    A percentage keeps its sign. A comma before three digits is taken for one of thousands: `1,000` is 1000.
    """
    found = _LOOSE.fullmatch(text.strip())
    if not found or not (found[2] or found[4]) or len(text) > _LONGEST_NUMBER:
        return ""
    whole, part = found[2].lstrip("0"), found[4] or ""
    if found[3] == "," and whole and len(part) == _THOUSANDS:
        whole, part = whole + part, ""
    return f"{found[1].strip('+')}{whole or '0'}{f'.{part}' if part else ''}{(found[5] or '').strip()}"


def _number(word: str) -> float:
    value = float(word)
    mantissa = re.split("[eE]", word)[0]
    if not math.isfinite(value) or (value == 0 and mantissa.strip("-0.")):
        raise Ambiguous(f"{quoted(word)} is beyond what a number can hold", "write a number that can be measured")
    return value


def _in_quotes(word: str) -> str:
    return f'"{word}"' if len(word) <= 40 else '"…"'  # noqa: PLR2004 - fits a line
