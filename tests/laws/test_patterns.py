"""No text from outside takes more than its share of time: every regular expression is fed the worst of its own making.

Each pattern in the sources is found by walking them, so that a new one cannot be forgotten. What is compared are CPU
times in one process: eight times as long a text may take a few times more than eight times as long.
"""

from __future__ import annotations

import ast
import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlgate.reports.escape import flowing

SOURCES = [*sorted(Path("gate").rglob("*.py")), *sorted(Path("action").rglob("*.py"))]
CALLS = {"compile", "sub", "subn", "match", "fullmatch", "search", "split", "findall", "finditer"}
PUMPS = [
    " ",
    "\t",
    "\n",
    " \n",
    "a",
    "A",
    "0",
    "a0",
    "-",
    "_",
    ".",
    "a.",
    "a-",
    "/",
    "a/",
    ":",
    "::",
    "=",
    "#",
    '"',
    "\\",
]
PUMPS += ["\\\\", "{", "[", "(", "<", "1.", "1e", "é", "a b ", "a=b ", "0x", "[0", "\x1b[", "@", "a:", "a,", "''"]
SHORT, LONG = 1 << 10, 1 << 13
GENEROUS = 8 * 5
FLOOR_S = 0.008
"""Below, a whole text is looked through faster than a clock can be trusted."""


def is_anchored(text: str, line: int) -> bool:
    """Whether every use of the pattern that this line names begins where the text begins: nothing is searched for."""
    named = re.match(r"(_?[A-Z][A-Z_0-9]*) = re\.compile", text.splitlines()[line - 1])
    if named is None:
        return False
    uses = set(re.findall(rf"\b{named[1]}\.(\w+)", text))
    return bool(uses) and uses <= {"match", "fullmatch", "pattern"}


def patterns() -> Iterator[tuple[str, str | bytes, int]]:
    for path in SOURCES:
        text = path.read_text()
        for node in ast.walk(ast.parse(text)):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args):
                continue
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id == "re" and node.func.attr in CALLS:
                given = node.args[0]
                if isinstance(given, ast.Constant) and isinstance(given.value, str | bytes):
                    flags = re.IGNORECASE if "IGNORECASE" in ast.dump(node) else 0
                    kind = "anchored" if is_anchored(text, node.lineno) else "searched"
                    yield f"{path.stem}:{node.lineno}:{kind}", given.value, flags


FOUND = list(patterns())


def seconds(pattern: re.Pattern[str], pump: str, n: int, *, searched: bool) -> float:
    text = (pump * n)[:n] + "\x00"
    best = float("inf")
    for _ in range(3):
        begun = time.process_time()
        pattern.fullmatch(text)
        pattern.match(text)
        for _ in pattern.finditer(text if searched else ""):
            pass
        best = min(best, time.process_time() - begun)
        if best < FLOOR_S:
            break
    return best


def test_the_sources_are_found() -> None:
    assert len(FOUND) > 50


@pytest.mark.parametrize(("place", "source", "flags"), FOUND, ids=[place for place, _, _ in FOUND])
def test_a_pattern_takes_time_in_proportion_to_its_text(place: str, source: str | bytes, flags: int) -> None:
    text = source.decode("latin-1") if isinstance(source, bytes) else source
    pattern = re.compile(text, flags)
    for pump in PUMPS:
        short = seconds(pattern, pump, SHORT, searched=place.endswith("searched"))
        long = seconds(pattern, pump, LONG, searched=place.endswith("searched"))
        assert long < FLOOR_S or long <= GENEROUS * max(short, FLOOR_S / 8), f"{place}: {text!r} on {pump!r}"


def test_joining_lines_takes_time_in_proportion_to_the_text() -> None:
    def took(n: int) -> float:
        best = float("inf")
        for _ in range(3):
            begun = time.process_time()
            flowing(" " * n + "x")
            flowing(" \n" * (n // 2) + "x")
            best = min(best, time.process_time() - begun)
        return best

    assert took(1 << 20) <= GENEROUS * max(took(1 << 17), FLOOR_S)


@pytest.mark.parametrize(
    ("text", "line"),
    [("a \n\n b", "a ⏎ b"), ("\n a", " ⏎ a"), ("a", "a"), (" a ", " a "), ("a\n", "a ⏎ "), ("\n", " ⏎ ")],
)
def test_lines_are_joined_by_one_sign(text: str, line: str) -> None:
    assert flowing(text) == line
