"""No text from outside takes more than its share of time: every regular expression is fed 1 MB of its worst.

Each pattern in the sources is found by walking them, so that a new one cannot be forgotten; those of the libraries that
split models' answers into words are found the same way. Texts are made from the pattern itself: what it repeats, again
and again, behind what has to stand before it. What is compared are processor times of one thread.
"""

from __future__ import annotations

import ast
import fnmatch
import importlib
import re
import re._constants as sre  # type: ignore[import-not-found] # what a pattern consists of, Python tells nowhere else
import re._parser as parser  # type: ignore[import-not-found]
import types
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import regex  # its stubs are another package
from tests.support.linear import LONG, grows_with_the_text, pumped, seconds

from mlgate.adapters.load.head_patterns import LONGEST_HEAD, shape_of
from mlgate.adapters.load.http1_parser import head_of
from mlgate.config.sections.section import Written
from mlgate.reports.content.escape import flowing, markdown, markdown_code, terminal, xml

OURS = [*sorted(Path("gate").rglob("*.py")), *sorted(Path("action").rglob("*.py"))]
LIBRARIES = [
    *("sacrebleu.tokenizers.tokenizer_13a", "sacrebleu.tokenizers.tokenizer_re", "sacrebleu.tokenizers.tokenizer_intl"),
    *("sacrebleu.tokenizers.tokenizer_zh", "sacrebleu.tokenizers.tokenizer_char", "sacrebleu.tokenizers.tokenizer_ter"),
    *("sacrebleu.metrics.bleu", "sacrebleu.metrics.chrf", "sacrebleu.metrics.ter", "sacrebleu.metrics.base"),
    *("rouge_score.tokenize", "rouge_score.tokenizers", "nltk.stem.porter"),
]
"""What an answer meets on its way to a number."""
BUILT = {
    "pattern": "a person's own, which searches one answer for a second at most: see test_filters.py",
    "self.pattern": "of every `Written`, which are found by what they are",
    r"b'\r\n'.join(parts) + b'\\r\\n\\r\\n(.*)'": "of a server's head: see test_a_shape_of_any_head…",
    "fnmatch.translate(glob)": "of names with holes in a change's tests: see test_a_name_with_many_holes…",
}
"""Patterns that no module holds, and where they are fed."""
CALLS = {"compile", "sub", "subn", "match", "fullmatch", "search", "split", "findall", "finditer"}
PUMPS = [
    " ",
    "\t",
    "\n",
    " \n",
    "\r",
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
PUMPS += ["{", "[", "(", "<", "1.", "1e", "é", "a b ", "a=b ", "\x1b[", "@", "a:", "a,", "''", "\u0301", "\u3042", "漢"]
SHORT = 1 << 13
WORST = 2
"""How many texts of a pattern are fed at full length: those that take longest when they are short."""


@dataclass(frozen=True)
class Found:
    """A pattern, where it stands, and whether it is searched for in a text, or only tried at its beginning."""

    place: str
    pattern: Any
    searched: bool


def module_of(path: Path) -> types.ModuleType:
    parts = path.with_suffix("").parts
    return importlib.import_module(".".join(parts[1:]).removesuffix(".__init__"))


def uses(trees: Sequence[ast.AST]) -> dict[str, set[str]]:
    """What is done with each name, anywhere: the methods that are called, `?` where it is handed on."""
    found: dict[str, set[str]] = {}
    for tree in trees:
        named = {id(n.value): n.attr for n in ast.walk(tree) if isinstance(n, ast.Attribute)}
        for node in ast.walk(tree):
            name = node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""
            if name and isinstance(getattr(node, "ctx", None), ast.Load):
                found.setdefault(name, set()).add(named.get(id(node), "?"))
    return found


def calls(tree: ast.AST) -> Iterator[tuple[ast.Call, str, str, str]]:
    """Every call that takes a pattern: the module it is a call of, the function, and the name that it is put under."""
    under = {
        id(n.value): n.targets[0].id
        for n in ast.walk(tree)
        if isinstance(n, ast.Assign) and len(n.targets) == 1 and isinstance(n.targets[0], ast.Name)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.args:
            owner = node.func.value
            if isinstance(owner, ast.Name) and owner.id in {"re", "regex"} and node.func.attr in CALLS:
                yield node, owner.id, node.func.attr, under.get(id(node), "")


def patterns(files: Sequence[tuple[Path, Callable[[], types.ModuleType]]]) -> Iterator[Found]:
    trees = {path: ast.parse(path.read_text()) for path, _ in files}
    known = uses(list(trees.values()))
    for path, module in files:
        for call, owner, function, name in calls(trees[path]):
            source = ast.unparse(call.args[0])
            if source in BUILT:
                continue
            space = vars(module())
            pattern = eval(source, dict(space))  # noqa: S307 - our own sources
            flags = next((ast.unparse(k.value) for k in call.keywords if k.arg == "flags"), "")
            flags = flags or (ast.unparse(call.args[1]) if function == "compile" and len(call.args) > 1 else "0")
            if isinstance(pattern, str | bytes):
                text = pattern.decode("latin-1") if isinstance(pattern, bytes) else pattern
                pattern = (regex if owner == "regex" else re).compile(text, eval(flags, dict(space)))  # noqa: S307
            seen = uses([trees[path]]) if name.startswith("_") else known
            tried = seen.get(name, {"?"}) if function == "compile" else {function}
            yield Found(f"{path.stem}:{call.lineno}", pattern, searched=not tried <= {"match", "fullmatch", "pattern"})


def written() -> Iterator[Found]:
    """The patterns of configured texts, which hang on types."""
    for path in OURS:
        if path.parent.name == "config":
            for name, value in vars(module_of(path)).items():
                metadata = [*getattr(value, "__metadata__", ()), value]
                for one in (one for one in metadata if isinstance(one, Written)):
                    yield Found(f"{path.stem}.{name}", re.compile(one.pattern), searched=False)


def library(name: str) -> tuple[Path, Callable[[], types.ModuleType]]:
    spec = find_spec(name)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin), lambda: importlib.import_module(name)


FOUND = [*patterns([(path, lambda path=path: module_of(path)) for path in OURS]), *written()]  # type: ignore[misc]
THEIRS = list(patterns([library(name) for name in LIBRARIES]))


def samples(tokens: Any) -> str:
    """A short text that *tokens*, a parsed pattern, match: roughly, and that is enough for a beginning."""
    return "".join(one(*token) for token in tokens)


def one(kind: Any, value: Any) -> str:  # noqa: PLR0911 - one return a kind
    match kind:
        case sre.LITERAL:
            return chr(int(value))
        case sre.NOT_LITERAL:
            return "a" if value != ord("a") else "b"
        case sre.ANY:
            return "a"
        case sre.IN:
            return next(iter(members(value)), "a")
        case sre.BRANCH:
            return samples(value[1][0])
        case sre.SUBPATTERN:
            return samples(value[3])
        case sre.ATOMIC_GROUP:
            return samples(value)
        case sre.MAX_REPEAT | sre.MIN_REPEAT | sre.POSSESSIVE_REPEAT:
            return samples(value[2]) * min(max(int(value[0]), 1), 100)
        case _:
            return ""


def members(value: Any) -> list[str]:
    """A character of each kind that a class has, at most six."""
    if value[0][0] is sre.NEGATE:
        inside = re.compile(f"[^{''.join(re.escape(c) for c in members(value[1:]))}]")
        return [c for c in "a 0-/.:\n" if inside.match(c)]
    first = {sre.LITERAL: chr, sre.RANGE: lambda v: chr(v[0]), sre.CATEGORY: category}
    return [first[kind](v) for kind, v in value][:6]


def category(value: Any) -> str:
    known = {sre.CATEGORY_SPACE: " ", sre.CATEGORY_DIGIT: "0", sre.CATEGORY_NOT_WORD: "-", sre.CATEGORY_NOT_DIGIT: "a"}
    return known.get(value, "a")


def repeats(tokens: Any, before: str = "") -> Iterator[tuple[str, str]]:
    """What each repeat in a pattern repeats, one text for each way to match it, and what stands before it."""
    for kind, value in tokens:
        if kind in (sre.MAX_REPEAT, sre.MIN_REPEAT, sre.POSSESSIVE_REPEAT):
            body = value[2]
            inner = body[0] if len(body) == 1 else (None, None)
            ways = members(inner[1]) if inner[0] is sre.IN else [samples(body)]
            yield from ((before, way) for way in ways if way)
            yield from repeats(body, before)
        elif kind is sre.SUBPATTERN:
            yield from repeats(value[3], before)
        elif kind is sre.ATOMIC_GROUP:
            yield from repeats(value, before)
        elif kind is sre.BRANCH:
            for branch in value[1]:
                yield from repeats(branch, before)
        elif kind in (sre.ASSERT, sre.ASSERT_NOT):
            yield from repeats(value[1], before)
        before += one(kind, value)


def fed(found: Found) -> set[tuple[str, str]]:
    """Beginnings and pumps to feed a pattern: its own, and what is often the worst."""
    own: set[tuple[str, str]] = set()
    if isinstance(found.pattern, re.Pattern):
        parsed = parser.parse(found.pattern.pattern, found.pattern.flags)
        own = set(repeats(parsed))
        own |= {("", before + way) for before, way in own}
        whole = samples(parsed)
        own |= {("", cut) for cut in (whole, whole[:-1]) if cut}
    return own | {("", pump) for pump in PUMPS}


def look(found: Found, text: str) -> None:
    found.pattern.fullmatch(text)
    found.pattern.match(text)
    if found.searched:
        for _ in found.pattern.finditer(text):
            pass


def test_the_sources_are_found() -> None:
    assert len(FOUND) > 90
    assert len(THEIRS) > 20
    places = {found.place.split(":")[0].split(".")[0] for found in FOUND}
    assert {"uris", "duration", "memory_size", "registry_names", "buildx_command", "build", "text_width"} <= places


@pytest.mark.parametrize("found", [*FOUND, *THEIRS], ids=[found.place for found in [*FOUND, *THEIRS]])
def test_a_megabyte_takes_a_pattern_no_more_than_its_share(found: Found) -> None:
    def work(begin: str) -> Callable[[str], None]:
        return lambda text: look(found, begin + text)

    def short(pair: tuple[str, str]) -> float:
        return seconds(lambda: look(found, pair[0] + pumped(pair[1], SHORT)), tries=1)

    for begin, pump in sorted(fed(found), key=short, reverse=True)[:WORST]:
        grows_with_the_text(work(begin), pump)


def test_a_shape_of_any_head_takes_no_more_time_than_the_reply_is_long() -> None:
    """The head that a shape is made of has at most 4 KB: each header adds a run that ends where its line does."""
    for filler in (b"a", b" ", b"a: ", b"x:"):
        lines = b"".join(b"h%d:%b\r\n" % (n, filler * 20) for n in range(60))[: LONGEST_HEAD - 200]
        raw = b"HTTP/1.1 200 OK\r\n" + lines[: lines.rfind(b"\r\n") + 2] + b"Content-Length: 5\r\n\r\n"
        shape = shape_of(raw, head_of(raw))
        assert shape is not None
        for text in ("a", " ", "\n", "h1:a\r\n"):
            grows_with_the_text(lambda reply, shape=shape, raw=raw: shape.match(raw[:-4] + reply.encode()), text)  # type: ignore[misc]


def test_a_name_with_many_holes_takes_no_more_time_than_the_path_is_long() -> None:
    """Python's own translation never goes back over a hole that it has passed."""
    for glob in ("*a" * 200 + "b", "*" * 400 + "b", "?*a" * 100 + "b"):
        pattern = re.compile(fnmatch.translate(glob))
        grows_with_the_text(pattern.match, "a", 1 << 16)


# What is shown is cut first


ESCAPERS: dict[str, Callable[[str], object]] = {
    "terminal": terminal,
    "markdown": markdown,
    "markdown_code": markdown_code,
    "xml": xml,
    "flowing": lambda text: flowing(text, 600),
}
HOSTILE = [" ", "\n", " \n", "`", "@", "<", "::", "##[", "\u200b", "\u0301", "\x1b[31m", ":a", "www.", "$", "\ud800"]


@pytest.mark.parametrize("escaper", ESCAPERS)
def test_what_is_cut_is_cut_before_it_is_read(escaper: str) -> None:
    """8 MB take no longer than 128 KB: all but the beginning is left alone."""
    for pump in HOSTILE:
        short, long = pumped(pump, 1 << 17), pumped(pump, 8 * LONG)
        allowed = 4 * max(seconds(lambda: ESCAPERS[escaper](short)), 0.005)  # noqa: B023 - called at once
        took = seconds(lambda: ESCAPERS[escaper](long), allowed)  # noqa: B023 - called at once
        assert took <= allowed, f"8 MB of {pump!r}: {took:.3f} s"


@pytest.mark.parametrize("pump", [" ", "\n", " \n", "\u0301", "a\u0301" + "\u0301" * 30])
def test_what_was_not_looked_at_is_not_passed_over_in_silence(pump: str) -> None:
    for shown in (terminal(pump * 100_000), xml(pump * 100_000), flowing(pump * 100_000, 400)):
        assert shown.endswith("…")


@pytest.mark.parametrize(
    ("text", "line"),
    [("a \n\n b", "a ⏎ b"), ("\n a", " ⏎ a"), ("a", "a"), (" a ", " a "), ("a\n", "a ⏎ "), ("\n", " ⏎ ")],
)
def test_lines_are_joined_by_one_sign(text: str, line: str) -> None:
    assert flowing(text, 400) == line
