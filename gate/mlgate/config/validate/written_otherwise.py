"""What to write in place of a value that is of another kind than its section, or of a key that belongs elsewhere."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import PurePath

from mlgate.config.sections.check import AccuracyCheck
from mlgate.config.sections.document import Document, FileBaseline
from mlgate.config.sections.image import Image
from mlgate.config.sections.load import RateLoad
from mlgate.config.sections.metric import RecordedMetric
from mlgate.config.sections.model import Endpoint, ModelSection
from mlgate.config.sections.rule import RuleSection
from mlgate.config.sections.section import Section
from mlgate.config.sections.served import checked_address
from mlgate.config.sections.tracking import Tracking
from mlgate.config.validate.bounds import usual
from mlgate.config.validate.metric_choice import BOUNDS, CHECK_KEYS, by_name
from mlgate.config.validate.pydantic_locations import Spot, trace
from mlgate.config.yaml.position import Steps
from mlgate.config.yaml.scalar import meant_number

_FUNCTION = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*:[^\W\d]\w*(?:\.\w+)*")
_ADDRESS = re.compile(r"[a-z][a-z0-9+.-]*://", re.IGNORECASE)
_HTTP = re.compile(r"https?://", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z0-9_./:@+-]{1,80}")
_PROTOCOLS = (
    ("/v1/chat/completions", "openai-chat"),
    ("/v1/completions", "openai-completions"),
    ("/v2/models", "kserve-v2"),
    ("/v1/models", "kserve-v1"),
)
_NUMBER = re.compile(r"-?[0-9]+(?:[.,][0-9]+)?")


def instead(spot: Spot, value: object) -> str:
    """Return what to write at *spot* in place of *value*, which is none of what belongs there; empty: nobody knows."""
    section = spot.section
    name = str(spot.steps[-1]) if spot.steps else ""
    if section is None:
        return _of_mapping(name, value)
    if issubclass(section, RuleSection):
        return _rule(name, value)
    if issubclass(section, RecordedMetric):
        return f"write {name}: {{better: {value if value in ('higher', 'lower') else 'higher'}}}"
    return f"write {line}" if (line := _line(section, name, value)) else ""


def _line(section: type[Section], name: str, value: object) -> str:
    """Return the line that says by the section's keys what *value* says by itself."""
    if issubclass(section, RateLoad):
        number = _number(value)
        return f"load: {{rate: {50 if number is None else number:g}, duration: 20s}}"
    text = value if isinstance(value, str) and _PLAIN.fullmatch(value) else ""
    for known, key, write in _SHORT:
        if issubclass(section, known):
            return f"{key or name}: {write(text)}"
    return ""


def endpoint(address: str) -> str:
    """Return an endpoint's mapping for an address. What may hold a secret is not repeated."""
    shown = address if _HTTP.match(address) and "?" not in address and _is_sound(address) else "http://…"
    protocol = next((name for path, name in _PROTOCOLS if path in shown), "openai-chat")
    for path, _ in _PROTOCOLS:
        shown = shown.partition(path)[0]
    return f"{{url: {shown}, protocol: {protocol}}}"


def is_address(value: object) -> bool:
    """Whether a value is an address, which messages do not repeat: it may hold a password."""
    return isinstance(value, str) and _ADDRESS.match(value) is not None


def _is_sound(address: str) -> bool:
    try:
        checked_address(address)
    except ValueError:
        return False
    return True


def _baseline(value: str) -> str:
    if value in ("ci", "mlflow", "champion"):
        return f"{{from: {value}}}" if value != "champion" else "{from: mlflow, alias: champion}"
    if _HTTP.match(value):
        shown = endpoint(value).partition("url: ")[2].partition(",")[0]
        return f"{{from: endpoint, url: {shown}}}"
    if value in ("git", "main", "master") or value.startswith(("origin/", "refs/")):
        branch = "main" if value == "git" else value.rpartition("/")[2]
        return f"{{from: git, ref: refs/remotes/origin/{branch}, path: baseline.jsonl.gz}}"
    return f"{{from: file, path: {value if value not in ('', 'file') else 'baseline.jsonl.gz'}}}"


def _model(value: str) -> str:
    if _HTTP.match(value):
        return f"{{endpoint: {endpoint(value)}}}"
    if _FUNCTION.fullmatch(value):
        return f"{{python: {value}}}"
    if PurePath(value).suffix in (".jsonl", ".csv", ".tsv", ".txt"):
        return f"{{answers: {value}}}"
    return "{python: pkg.mod:fn}, or one of endpoint, image and answers"


def _tracking(value: str) -> str:
    return f"{{mlflow: {value if is_address(value) and '@' not in value else 'sqlite:///mlflow.db'}}}"


_SHORT: tuple[tuple[type[Section], str, Callable[[str], str]], ...] = (
    (Endpoint, "endpoint", endpoint),
    (Image, "image", lambda value: f"{{ref: {value or 'NAME'}, protocol: kserve-v2}}"),
    (FileBaseline, "baseline", _baseline),
    (ModelSection, "model", _model),
    (Tracking, "tracking", _tracking),
    (AccuracyCheck, "", lambda _: "{data: test.jsonl, rules: {rougeL: {min: 0.3}}}"),
)
"""What a text alone stands for, by the section that belongs in its place. No key: the entry's own name."""


def _rule(name: str, value: object) -> str:
    """Return a rule for a number, a text with a number in it, or nothing, that stands in place of one."""
    if name in BOUNDS:
        bound = f"{name}: {_number(value):.12g}" if _number(value) is not None else f"{name}: …"
        return f"write the metric first: rules: {{rougeL: {{{bound}}}}}"
    return f"write {name}: {usual(by_name(name), _number(value))}"


def _number(value: object) -> float | None:
    match value:
        case bool() | None:
            return None
        case int() | float():
            return value
        case str() if found := _NUMBER.search(value):
            number = float(meant_number(found[0]) or "nan")
            return number / 100 if value.strip().endswith("%") and number > 1 else number
        case [one, *_]:
            return _number(one)
    return None


def _of_mapping(name: str, value: object) -> str:
    """Return what to write for a mapping of names to sections."""
    match name, value:
        case "rules", [str(metric), *_] if _PLAIN.fullmatch(metric):
            return f"write rules: {{{metric}: {usual(by_name(metric), None)}}}"
        case "rules", _:
            return "write rules: {rougeL: {min: 0.3}}"
        case "checks", _:
            return "give each check a name: checks: {summaries: {data: test.jsonl, rules: {rougeL: {min: 0.3}}}}"
    return ""


def is_misplaced(steps: Steps) -> bool:
    """Whether an entry is, or stands below, a key of a check that was written under its `rules`."""
    return steps[:1] == ("checks",) and steps[2:3] == ("rules",) and steps[3:4] != () and steps[3] in CHECK_KEYS


def elsewhere(location: Sequence[int | str], key: str, value: object) -> tuple[str, str]:
    """Return where a key belongs that is unknown where it stands, and the hint; empty where it belongs nowhere near."""
    parent = trace(location)
    for name, section in _inner(location, parent).items():
        if key in _keys(section):
            inner = trace((*location, name, key))
            line = instead(inner, value).removeprefix("write ") if isinstance(value, str) and inner.section else ""
            line = line or (f"{key}: {value}" if isinstance(value, str) and _PLAIN.fullmatch(value) else f"{key}: …")
            return name, f"write it under `{name}`: {name}: {{{line}}}"
    if parent.section is Document and key in CHECK_KEYS:
        return "checks", f"write it in a check: checks: {{summaries: {{{key}: …}}}}"
    if "rules" in _keys(parent.section) and key in BOUNDS:
        return "rules", f"write it under `rules`, below a metric: rules: {{rougeL: {{{key}: …}}}}"
    for end in range(len(location) - 1, -1, -1):
        outer = trace(location[:end])
        if outer.steps != parent.steps and key in _keys(outer.section):
            return "", f"move it up, to the keys of {'.'.join(map(str, outer.steps)) or 'the file'}"
    return "", ""


def _inner(location: Sequence[int | str], parent: Spot) -> Mapping[str, type[Section]]:
    """Return the sections that stand directly in the one at *location*, by key."""
    if parent.section is None:
        return {}
    found = {key: trace((*location, key)).section for key in _keys(parent.section)}
    return {key: section for key, section in found.items() if section is not None}


def _keys(section: type[Section] | None) -> list[str]:
    return [field.alias or name for name, field in section.model_fields.items()] if section else []
