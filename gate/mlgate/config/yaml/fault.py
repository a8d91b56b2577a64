"""Everything that is wrong with one configuration file, told at once and in its order."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches

from mlgate.config.yaml.position import Mark, Positions, Steps, located
from mlgate.core.errors import ConfigError

_PLAIN_STEP = re.compile(r"[A-Za-z0-9_.+-]{1,64}")
_LONGEST_NAME = 64


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong, and where in the file."""

    mark: Mark
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing that is wrong with the entry at *steps*, as the end of a sentence that begins with its name."""

    steps: Steps
    says: str
    """E.g. `must be a number, not text`."""
    hint: str = ""
    at_key: bool = False
    """Point at the key and not at its value."""

    def at(self, positions: Positions) -> Fault:
        """Return the whole sentence with its place."""
        return Fault(positions.mark(self.steps, key=self.at_key), f"{dotted(self.steps)} {self.says}", self.hint)


def refusal(name: str, faults: Iterable[Fault]) -> ConfigError:
    """Return the first fault of the file *name* as an error that carries the others. *faults* must not be empty."""
    errors = [
        ConfigError(_visible(fault.message), hint=_visible(fault.hint), where=located(name, fault.mark))
        for fault in sorted(dict.fromkeys(faults))
    ]
    return ConfigError(errors[0].message, hint=errors[0].hint, where=errors[0].where, more=tuple(errors[1:]))


def _visible(text: str) -> str:
    """Escape what does not print, wherever in a sentence it came from the file: errors reach terminals and logs."""
    return text if text.isprintable() else "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


def dotted(steps: Steps) -> str:
    """Return the way to an entry as people write it: `checks.summaries.rules.bleu.min`, `report[2]` (from 1)."""
    if not steps:
        return "the file"
    text = ""
    for step in steps:
        if isinstance(step, int):
            text += f"[{step + 1}]"
        else:
            text += ("." if text else "") + (step if _PLAIN_STEP.fullmatch(step) else quoted(step))
    return text


def quoted(value: object) -> str:
    """Return a value of the file so that it can be shown: short, one line, no control or invisible characters."""
    text = value if isinstance(value, str) else str(value)
    return repr(text if len(text) <= 40 else f"{text[:39]}…")  # noqa: PLR2004 - fits a line


def describe(value: object) -> str:
    """Return a value with its type, for people; never more of it than fits a line."""
    match value:
        case None:
            return "empty"
        case bool():
            return str(value).lower()
        case str():
            return f"the text {quoted(value)}"
        case int() | float():
            return f"the number {value}"
        case Mapping():
            return "a mapping"
        case _:
            return "a list"


def did_you_mean(name: str, there: Iterable[str], what: str) -> str:
    """Return a hint: the nearest name, if any is near, and all the names there are."""
    names = list(there)
    if not names:
        return f"{what}: none"
    near = get_close_matches(name, names, n=1) if len(name) <= _LONGEST_NAME else []
    near = near or [other for other in names if other.lower() == name.lower()]
    meant = f"did you mean `{near[0]}`? " if near else ""
    return f"{meant}{what}: {', '.join(names)}"
