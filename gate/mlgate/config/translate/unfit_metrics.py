"""Metrics that cannot judge answers to these examples: of the whole data, or of a part that its sum would hide."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from mlgate.config.sections.check import Check as Section
from mlgate.config.validate.metric_choice import ResolvedCheck, ResolvedMetric
from mlgate.config.yaml.fault import Complaint
from mlgate.core.check import Example
from mlgate.metrics import by_field
from mlgate.metrics.scripts import spaceless

_FEWEST = 2
"""Examples of a slice that is asked for by itself."""


def unfit_metrics(resolved: ResolvedCheck, section: Section, examples: Sequence[Example]) -> Iterator[Complaint]:
    """Yield each metric that scores good answers as bad: to the data, or to a slice in a script without spaces."""
    parts = [*_unspaced_slices(section, examples)]
    for name, one in resolved.metrics.items():
        if one.scoring is None:
            continue
        why, asked = one.scoring.unsuitable(examples), examples
        for where, part in parts if not why else ():
            if found := one.scoring.unsuitable(part):
                why, asked = f"{where}: {found}", part
                break
        if why:
            hint = _remedy(name, one, asked, _dividing_field(section, examples))
            yield Complaint(resolved.named[name], f"is unsuitable for this data: {why}", hint, at_key=True)


def _unspaced_slices(section: Section, examples: Sequence[Example]) -> Iterator[tuple[str, Sequence[Example]]]:
    """Yield name and examples of each slice of which a sizeable share is in a script without spaces."""
    parts: dict[tuple[str, str], list[Example]] = {}
    for example in examples:
        for field, value in example.slices:
            if field in section.slices:
                parts.setdefault((field, value), []).append(example)
    for (field, value), part in sorted(parts.items()):
        if len(part) >= _FEWEST and spaceless([example.references for example in part]):
            yield f"{field}={value}", part


def _dividing_field(section: Section, examples: Sequence[Example]) -> str:
    """Return the field whose values tell scripts without spaces from others; empty where none does."""
    for field in section.slices:
        values: dict[bool, set[str]] = {True: set(), False: set()}
        for example in examples:
            values[spaceless([example.references]) is not None].add(dict(example.slices).get(field, ""))
        if all(values.values()) and not values[True] & values[False]:
            return field
    return ""


def _remedy(name: str, one: ResolvedMetric, asked: Sequence[Example], field: str) -> str:
    """Return the line that scores what *asked* holds by what suits it; empty where nothing does."""
    kind = one.choice.kind
    option, value = by_field.remedy(kind, [example.references for example in asked])
    if not option or any(True for _ in by_field.fields_of(kind, one.choice.options)):
        return ""
    if not field or option == "tokenizer":
        return f"write metrics: {{{name}: {{{option}: {value}}}}}"
    by_value: dict[str, str] = {}
    for example in asked:
        if fitting := by_field.remedy(kind, [example.references])[1]:
            by_value.setdefault(dict(example.slices)[field], fitting)
    entries = ", ".join(f"{of}: {fitting}" for of, fitting in by_value.items())
    usual = one.choice.options.get(option, "13a")
    return f"write metrics: {{{name}: {{{option}: {{{field}: {{{entries}, {by_field.DEFAULT}: {usual}}}}}}}}}"
