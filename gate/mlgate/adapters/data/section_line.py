"""The line of mlgate.yaml that names a file: what is written there, and how it would read with other keys."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePath

from mlgate.core.formats.names import PACKED, packing, unpacked_name

_PLAIN = re.compile(r"[A-Za-z0-9_./][A-Za-z0-9_./*+-]*(?: [A-Za-z0-9_./*+-]+)*")
_NO_TEXT = re.compile(r"(?i)null|true|false|yes|no|on|off|y|n|[0-9._e+-]+|0[xo][0-9a-f_]+|\d{4}-.*")
"""What YAML would read as something else than text."""


@dataclass(frozen=True, slots=True)
class SectionLine:
    """One key of the configuration, and the keys under it: `data: {path: test.csv, input: question}`."""

    key: str = "data"
    written: Mapping[str, object] = field(default_factory=dict)
    """What stands there; empty where nobody knows."""

    def where(self, **changes: object) -> str:
        """Return the line to write, with some keys set anew."""
        keys = {**self.written, **changes}
        return f"{self.key}: {{{', '.join(f'{key}: {_flow(value)}' for key, value in keys.items())}}}"

    def without(self, *keys: str) -> SectionLine:
        """Return the line without some keys."""
        return SectionLine(self.key, {key: value for key, value in self.written.items() if key not in keys})

    def with_path(self, path: str) -> str:
        """Return the line that names another file."""
        if set(self.written) <= {"path"}:
            return f"{self.key}: {scalar(path)}"
        return self.where(path=path)

    def converted(self, source: str, command: str) -> str:
        """Return how to make another file of *source* by a command that filters, and the line that names that."""
        plain = PurePath(unpacked_name(source))
        new = plain.with_name(f"{plain.stem}.new{plain.suffix}")
        if packed := packing(source):
            made = f"{PACKED[packed]} -dc {shlex.quote(source)} | {command} > {shlex.quote(str(new))}"
        else:
            made = f"{command} < {shlex.quote(source)} > {shlex.quote(str(new))}"
        path = self.written.get("path")
        named = f"write `{self.with_path(str(PurePath(str(path)).with_name(new.name)))}`" if path else "name that file"
        return f"`{made}`, then {named}"


def scalar(text: str) -> str:
    """Return a text as YAML takes it between braces: plain where that can only be text, else in quotes."""
    if _PLAIN.fullmatch(text) and not _NO_TEXT.fullmatch(text):
        return text
    return json.dumps(text, ensure_ascii=False)


def _flow(value: object) -> str:
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return scalar(value)
        case Sequence():
            return _flow(value[0]) if len(value) == 1 else f"[{', '.join(_flow(item) for item in value)}]"
    return json.dumps(value)
