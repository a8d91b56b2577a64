"""What buildx says while it builds (`--progress=rawjson`), read as it comes, bounded, and believed in nothing else.

A line is one of BuildKit's SolveStatus messages: vertexes (a step: began, ended, cached, failed), and what they print.
Names and prints are the Dockerfile's and its programs' own text.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from mlgate.core.build import BuildStep, Underway

LONGEST_LINE = 4 << 20
"""Bytes of one line; a longer one is passed over."""

_MOST_STEPS = 5_000
"""Steps."""
_LONGEST_NAME = 2_000
_MOST_PRINTED = 8_000
"""Bytes that are kept of what one step prints."""
_SAID = 40
"""Lines that are kept of what buildx says besides."""


@dataclass
class _Vertex:
    number: int
    name: str
    inputs: tuple[str, ...] = ()
    group: str = ""
    times: dict[str, str] = field(default_factory=dict)
    """When it began, and when it ended: a step may be taken up more than once."""
    cached: bool = False
    error: str = ""
    printed: bytes = b""

    @property
    def underway(self) -> bool:
        """Whether it has begun and not ended."""
        return any(not end for end in self.times.values())

    @property
    def met(self) -> bool:
        """Whether anything is known of it but its name."""
        return bool(self.times) or self.cached

    @property
    def seconds(self) -> float:
        return sum(max(0.0, _seconds(begin, end)) for begin, end in self.times.items() if end)


class BuildProgress:
    """The builder's account so far."""

    def __init__(self) -> None:
        self.said: deque[str] = deque(maxlen=_SAID)
        """What buildx says in plain words: its last lines hold the reason of a failure. Hostile."""
        self._vertexes: dict[str, _Vertex] = {}

    def feed(self, line: bytes) -> None:
        """Take one line. One that is no message is kept as plain words."""
        try:
            message = json.loads(line)
        except (ValueError, RecursionError):
            message = None
        if not isinstance(message, dict):
            text = line[:_LONGEST_NAME].decode("utf-8", "replace").rstrip()
            if text:
                self.said.append(text)
            return
        for vertex in _dicts(message, "vertexes"):
            self._vertex(vertex)
        for log in _dicts(message, "logs"):
            self._log(log)

    def steps(self) -> tuple[BuildStep, ...]:
        """Return what was done or found, in the order in which it was met. What shows as one step is one."""
        groups: dict[str, list[str]] = {}
        for digest, vertex in self._vertexes.items():
            if vertex.met:
                groups.setdefault(vertex.group or digest, []).append(digest)
        index = {digest: number for number, members in enumerate(groups.values()) for digest in members}
        return tuple(
            self._step([self._vertexes[digest] for digest in members], index, number)
            for number, members in enumerate(groups.values())
        )

    def underway(self, seconds: float) -> Underway:
        """Return how far the build is, *seconds* after it began."""
        known: dict[str, list[_Vertex]] = {}
        for digest, vertex in self._vertexes.items():
            if BuildStep(vertex.name, 0).instruction:
                known.setdefault(vertex.group or digest, []).append(vertex)
        doing = [vertex.name for vertex in self._vertexes.values() if vertex.underway]
        return Underway(
            seconds,
            steps=len(known),
            done=sum(all(one.met and not one.underway for one in members) for members in known.values()),
            cached=sum(all(one.cached for one in members) for members in known.values()),
            doing=doing[-1] if doing else "",
        )

    def failed(self) -> tuple[BuildStep, list[str]] | None:
        """Return the first step that failed and the last lines that it printed; None when none did.

        A cache that could not be read is a vertex that failed, too, but no reason to fail.
        """
        for vertex in self._vertexes.values():
            if vertex.error and vertex.name.startswith("["):
                return BuildStep(vertex.name, vertex.seconds, error=vertex.error), lines(vertex.printed)
        return None

    def _step(self, members: list[_Vertex], index: dict[str, int], own: int) -> BuildStep:
        needs = {index[digest] for vertex in members for digest in vertex.inputs if digest in index} - {own}
        return BuildStep(
            members[0].group or members[0].name,
            sum(vertex.seconds for vertex in members),
            cached=all(vertex.cached for vertex in members),
            error=next((vertex.error for vertex in members if vertex.error), ""),
            after=tuple(sorted(needs)),
        )

    def _vertex(self, told: dict[str, Any]) -> None:
        digest = _text(told, "digest")
        known = self._vertexes.get(digest)
        if known is None:
            if len(self._vertexes) >= _MOST_STEPS or not digest:
                return
            known = self._vertexes[digest] = _Vertex(len(self._vertexes), _text(told, "name"))
        inputs = told.get("inputs")
        if isinstance(inputs, list):
            known.inputs = tuple(one for one in inputs[:_MOST_STEPS] if isinstance(one, str))
        group = told.get("progressGroup")
        if isinstance(group, dict):
            known.group = _text(group, "name")
        begin = _text(told, "started")
        if begin and (begin in known.times or len(known.times) < _MOST_STEPS):
            known.times[begin] = _text(told, "completed")
        known.cached = known.cached or told.get("cached") is True
        known.error = known.error or _text(told, "error")

    def _log(self, told: dict[str, Any]) -> None:
        vertex = self._vertexes.get(_text(told, "vertex"))
        data = told.get("data")
        if vertex is None or not isinstance(data, str):
            return
        try:
            vertex.printed = (vertex.printed + base64.b64decode(data))[-_MOST_PRINTED:]
        except (binascii.Error, ValueError):
            return


def lines(printed: bytes, most: int = 20) -> list[str]:
    """Return the last lines of what a program printed, as text. Of a line that was overwritten, how it ended."""
    text = printed.decode("utf-8", "replace")
    ends = [line.rstrip("\r").rpartition("\r")[2].rstrip() for line in text.split("\n")]
    return [line[:_LONGEST_NAME] for line in ends if line][-most:]


def _dicts(message: dict[str, Any], key: str) -> list[dict[str, Any]]:
    found = message.get(key)
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _text(told: dict[str, Any], key: str) -> str:
    value = told.get(key)
    return value[:_LONGEST_NAME] if isinstance(value, str) else ""


def _seconds(begin: str, end: str) -> float:
    try:
        return (_moment(end) - _moment(begin)).total_seconds()
    except (ValueError, OverflowError):
        return 0.0


def _moment(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)
