"""YAML without its traps: text becomes plain values, each with its place, or an error that names the place.

Built on the parser's events, so that nothing is expanded, constructed or resolved that was not asked for.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TypeAlias

import yaml

from mlgate.config.yaml.fault import Fault, quoted, refusal
from mlgate.config.yaml.position import EntryPosition, Mark, Positions, Steps
from mlgate.config.yaml.scalar import Ambiguous, Scalar, meant_number, resolve
from mlgate.config.yaml.source import LARGEST_CONFIG, too_large
from mlgate.core.errors import ConfigError

Value: TypeAlias = "Scalar | list[Value] | dict[str, Value]"

DEEPEST_NESTING = 16
"""Levels of mappings and lists."""
MOST_NODES = 5_000
"""Keys and values."""

_LOADER = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
_UNSEEN = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]"  # what YAML itself refuses, and NEL
    "|[\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]"  # line breaks and order marks that a reviewer cannot see
    "|\r(?!\n)"
)
_DECIMALS = re.compile(r"[0-9]{1,15} ?%?")
_UNSOUND = re.compile("[\0\ud800-\udfff]")
_STEPS = {
    "mapping values are not allowed": "quote text that holds `: `, and indent keys of one mapping alike",
    "cannot start any token": "indent with spaces, and quote text that begins with a tab, %, @ or `",
    "found unexpected end of stream": "a quote or a bracket is opened and never closed",
}


@dataclass(frozen=True, slots=True)
class Tree:
    """A parsed text."""

    value: Value
    positions: Positions


def parse(text: str, name: str) -> Tree:
    """Parse *text* of the file *name*. Raises ConfigError with `file:line:column` for everything it does not accept."""
    if len(text) > LARGEST_CONFIG or len(text.encode("utf-8", "surrogatepass")) > LARGEST_CONFIG:
        raise too_large(name)
    text = text.removeprefix("\ufeff")
    unseen = _UNSEEN.search(text)
    if unseen:
        raise refusal(name, [_invisible(text, unseen)])
    builder = _Builder()
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except _Stop as stop:
        builder.faults.append(stop.fault)
    except yaml.YAMLError as error:
        builder.faults.append(_syntax(error))
    if builder.faults:
        raise refusal(name, builder.faults)
    if not builder.places:
        raise ConfigError("the file is empty", hint="write one with `mlgate init`", where=f"{name}:1:1")
    return Tree(builder.root, Positions(name, builder.places))


class _Stop(Exception):  # noqa: N818 - ends the loop, is never seen outside
    def __init__(self, fault: Fault) -> None:
        self.fault = fault


@dataclass(slots=True)
class _Open:
    """A mapping or a list whose end has not come yet."""

    into: dict[str, Value] | list[Value]
    steps: Steps
    key: tuple[str, Mark] | None = None
    """The key that waits for its value."""
    lines: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class _Builder:
    """Puts events together. Faults after which the rest can still be read are collected; others raise _Stop."""

    root: Value = None
    places: dict[Steps, EntryPosition] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    _stack: list[_Open] = field(default_factory=list)
    _nodes: int = 0
    _documents: int = 0
    _digits: tuple[str, Mark, int] | None = None
    """The last word, when it is a whole number: it, where it begins, and the column behind it."""

    def take(self, event: yaml.Event) -> None:
        """Go on by one event."""
        start = event.start_mark
        mark = Mark(start.line + 1, start.column + 1) if start else Mark(1, 1)
        match event:
            case yaml.DocumentStartEvent():
                self._begin(event, mark)
            case yaml.NodeEvent():
                self._node(event, mark)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._stack.pop()

    def _begin(self, event: yaml.DocumentStartEvent, mark: Mark) -> None:
        self._documents += 1
        if self._documents > 1:
            raise _Stop(Fault(mark, "there is more than one document", "keep one, and delete the line `---`"))
        if event.version or event.tags:
            raise _Stop(Fault(mark, "directives are not used here", "delete the lines that begin with %"))

    def _node(self, event: yaml.NodeEvent, mark: Mark) -> None:
        self._nodes += 1
        if self._nodes > MOST_NODES:
            raise _Stop(Fault(mark, f"there are more than {MOST_NODES:,} keys and values", "keep data in files"))
        unshared = Fault(mark, "anchors and aliases are not used here", "write the value out where it is needed")
        match event:
            case yaml.AliasEvent():
                raise _Stop(unshared)  # it may stand for a key, so nothing behind it can be placed
            case yaml.NodeEvent(anchor=str()):
                self.faults.append(unshared)
            case yaml.ScalarEvent(tag=str()) | yaml.CollectionStartEvent(tag=str()):
                self._fault(mark, "tags are not used here", "delete the word that begins with !")
        match event:
            case yaml.MappingStartEvent():
                self._open({}, mark)
            case yaml.SequenceStartEvent():
                self._open([], mark)
            case yaml.ScalarEvent():
                self._scalar(event, mark)

    def _open(self, into: dict[str, Value] | list[Value], mark: Mark) -> None:
        if len(self._stack) >= DEEPEST_NESTING:
            raise _Stop(Fault(mark, f"it is nested deeper than {DEEPEST_NESTING} levels", "flatten it"))
        if self._expects_key:
            raise _Stop(Fault(mark, "a key must be text, not a mapping or a list", "write `name: value`"))
        self._stack.append(_Open(into, self._put(into, mark, nested=True)))

    def _scalar(self, event: yaml.ScalarEvent, mark: Mark) -> None:
        value: Scalar = event.value
        plain = event.implicit[0]
        before, self._digits = self._digits, None
        if before and plain and self._expects_key and self._is_split(before, event.value, mark):
            return
        try:
            if plain and event.value == "<<" and self._expects_key:
                raise Ambiguous("merge keys are not used here", "write the keys out where they are needed")  # noqa: TRY301
            value = resolve(event.value) if plain else event.value
        except Ambiguous as error:
            is_word = self._expects_key and event.value != "<<"
            self._fault(mark, error.message, f'quote it: "{event.value}"' if is_word else error.hint)
        if isinstance(value, str) and _UNSOUND.search(value):
            self._fault(mark, "a NUL or half a character is not text", "remove the escape")
        if self._expects_key:
            self._key(value, event.value, mark)
        else:
            self._put(value, mark)
            if type(value) is int and event.end_mark:
                self._digits = (event.value, mark, event.end_mark.column + 1)

    def _is_split(self, before: tuple[str, Mark, int], word: str, mark: Mark) -> bool:
        """Tell of a number with a comma inside brackets, `{min: 0,5}`, which YAML reads as two entries."""
        digits, place, end = before
        if not _DECIMALS.fullmatch(word) or (mark.line, mark.column) != (place.line, end + 1):
            return False
        written = f"{digits},{word}"
        self._fault(place, f"{quoted(written)} is no number: a comma ends an entry", f"write {meant_number(written)}")
        self._stack[-1].key = (word, mark)  # YAML gives it an empty value
        return True

    @property
    def _expects_key(self) -> bool:
        return bool(self._stack) and isinstance(self._stack[-1].into, dict) and self._stack[-1].key is None

    def _key(self, value: Scalar, written: str, mark: Mark) -> None:
        top = self._stack[-1]
        if not isinstance(value, str):
            self._fault(mark, f"a key must be text, not {quoted(written)}", f"quote it: {quoted(written)}")
        if written in top.lines:
            first = top.lines[written]
            self._fault(
                mark, f"the key {quoted(written)} is given twice: lines {first} and {mark.line}", "keep one of them"
            )
        top.lines.setdefault(written, mark.line)
        top.key = (written, mark)

    def _put(self, value: Value, mark: Mark, *, nested: bool = False) -> Steps:
        if not self._stack:
            self.root = value
            self.places[()] = EntryPosition(mark, nested=nested)
            return ()
        top = self._stack[-1]
        if isinstance(top.into, list):
            steps: Steps = (*top.steps, len(top.into))
            top.into.append(value)
            self.places[steps] = EntryPosition(mark, nested=nested)
            if isinstance(value, str):
                self.places.setdefault((*top.steps, value), EntryPosition(mark))
            return steps
        assert top.key is not None  # _expects_key sent every key to _key
        key, key_mark = top.key
        top.key = None
        steps = (*top.steps, key)
        top.into[key] = value
        self.places[steps] = EntryPosition(mark, key_mark, nested)
        return steps

    def _fault(self, mark: Mark, message: str, hint: str) -> None:
        self.faults.append(Fault(mark, message, hint))


def _invisible(text: str, found: re.Match[str]) -> Fault:
    before = text[: found.start()].split("\n")
    what = "a line break that editors hide" if found[0] in "\r\x85\u2028\u2029" else "a character that nobody can see"
    return Fault(
        Mark(len(before), len(before[-1]) + 1),
        f"here is {what}: U+{ord(found[0]):04X}",
        "delete it; inside double quotes it can be written as an escape",
    )


def _syntax(error: yaml.YAMLError) -> Fault:
    problem = (getattr(error, "problem", None) or "it cannot be read").strip()
    mark = getattr(error, "problem_mark", None)
    place = Mark(mark.line + 1, mark.column + 1) if mark else Mark(1, 1)
    advice = next((step for sign, step in _STEPS.items() if sign in problem), "check indentation and quotes around it")
    return Fault(place, f"it is not YAML: {problem}", advice)
