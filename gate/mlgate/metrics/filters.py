"""What is taken out of an answer before it is scored. The evidence keeps the raw answer, so other filters can be tried.

A filter that normalises does so on both sides; one that picks a part picks it of the answer alone.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mlgate.core.check import Json
from mlgate.core.formats.field_path import pick
from mlgate.core.text.fenced_json import NONE, value_of
from mlgate.core.text.normal_form import normal
from mlgate.core.text.scalar_text import scalar_text
from mlgate.metrics import search

if TYPE_CHECKING:
    import regex

NAMES = ("strip_reasoning", "first_line", "lowercase", "no_punctuation", "squash_spaces", "whisper")
"""The filters that take no settings."""
KEYS = ("regex", "json", "map")
"""Those that do, by the key that names them."""

_REASONED = re.compile(r"<(think(?:ing)?|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_NEVER_OPENED = re.compile(r"\A.*</(?:think(?:ing)?|reasoning)>", re.DOTALL | re.IGNORECASE)
"""Some servers send the opening mark with the prompt."""


@dataclass(frozen=True, slots=True)
class Filter:
    """One step from the raw text to what is scored."""

    signature: str
    """Its name with every setting that can change what it gives."""
    apply: Callable[[str], str] = field(repr=False)
    both: bool = False
    """Whether references are normalised, too."""


def build(written: Sequence[Json]) -> tuple[Filter, ...]:
    """Make filters, in order. Raises ValueError, naming its number from 1, for one that there is not."""
    found = []
    for number, one in enumerate(written, 1):
        try:
            found.append(_filter(one))
        except ValueError as error:
            raise ValueError(f"filter {number}: {error}") from error
    return tuple(found)


def answers(filters: Sequence[Filter], texts: Sequence[str]) -> list[str]:
    """Return what is scored of each answer. Raises ValueError where an expression does not come to an end."""
    found = list(texts)
    for one in filters:
        found = [one.apply(text) for text in found]
    return found


def references(filters: Sequence[Filter], several: Sequence[str]) -> tuple[str, ...]:
    """Return the references as they are compared: by those of the filters that normalise."""
    found = tuple(several)
    for one in filters:
        if one.both:
            found = tuple(one.apply(text) for text in found)
    return found


def signature(filters: Sequence[Filter]) -> str:
    """Return what a metric's signature says of its filters; empty where there is none."""
    return f"|filters:{'>'.join(one.signature for one in filters)}" if filters else ""


def _filter(written: Json) -> Filter:
    match written:
        case str(name) if name in _PLAIN:
            return _PLAIN[name]
        case "whisper":
            return _whisper()
        case {"regex": str(pattern), **more}:
            return _regex(pattern, {str(key): value for key, value in more.items()})
        case {"json": str(path), **more} if not more:
            return Filter(f"json({path})", lambda text: _picked(text, path))
        case {"map": Mapping() as labels, **more} if labels and not more:
            return _map(labels)
    raise ValueError(f"there are {', '.join(NAMES)}, and {{{'}, {'.join(f'{key}: …' for key in KEYS)}}}")


def _regex(pattern: str, more: Mapping[str, object]) -> Filter:
    expression = search.compiled(pattern)
    take = more.get("take", "first")
    if take not in ("first", "last") or more.keys() - {"group", "take"}:
        raise ValueError("a regex has `group` (a number or a name) and `take`: first or last")
    group = more.get("group", min(1, expression.groups))
    there = (*range(expression.groups + 1), *expression.groupindex)
    if isinstance(group, bool) or not isinstance(group, int | str) or group not in there:
        raise ValueError(f"the expression has no group {group!r}: a group is a number or a name")
    named = f"regex({pattern!r},{group}{',last' if take == 'last' else ''})"
    return Filter(named, lambda text: _found(expression, text, group, last=take == "last"))


def _found(expression: regex.Pattern[str], text: str, group: int | str, *, last: bool) -> str:
    """Return what the group of the first or the last match holds; nothing where there is no match."""
    match = (search.last if last else search.first)(expression, text)
    return (match.group(group) or "") if match else ""


def _picked(text: str, path: str) -> str:
    """Return what stands at *path* of the JSON in *text*; nothing where none does."""
    value = value_of(text, beside_text=True)
    if value is not NONE and path:
        value = pick({"answer": value}, f"answer.{path}")
    return scalar_text(value) or ""


def _map(labels: Mapping[str, Json]) -> Filter:
    if not all(isinstance(value, str) for value in labels.values()):
        raise ValueError("a map has a text for each text")
    if not all(key.strip() for key in labels):
        raise ValueError("a map has no text for an empty answer: a model that failed has one, too")
    known = {normal("NFC", key).strip(): str(value) for key, value in labels.items()}
    named = json.dumps(known, sort_keys=True, ensure_ascii=False)
    return Filter(f"map({named})", lambda text: known.get(normal("NFC", text).strip(), text))


def _whisper() -> Filter:
    try:
        from importlib.metadata import version

        from whisper_normalizer.english import EnglishTextNormalizer
    except ImportError as error:
        raise ValueError("whisper needs what is not installed: pip install 'mlgate[whisper]'") from error
    clean = EnglishTextNormalizer()
    return Filter(f"whisper-{version('whisper-normalizer')}", lambda text: str(clean(text)), both=True)


def _without_punctuation(text: str) -> str:
    return "".join(char for char in text if unicodedata.category(char)[0] != "P")


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


_PLAIN: Mapping[str, Filter] = {
    "strip_reasoning": Filter("strip_reasoning", lambda text: _NEVER_OPENED.sub("", _REASONED.sub("", text)).strip()),
    "first_line": Filter("first_line", _first_line),
    "lowercase": Filter("lowercase", lambda text: normal("NFC", normal("NFC", text).casefold()), both=True),
    "no_punctuation": Filter("no_punctuation", _without_punctuation, both=True),
    "squash_spaces": Filter("squash_spaces", lambda text: " ".join(text.split()), both=True),
}
