"""One metric over examples that ask for different options: `bleu: {tokenize: {lang: {zh: zh, default: 13a}}}`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlgate.core.check import Example, Json
from mlgate.core.metric import Metric
from mlgate.core.stats.jackknife import Array
from mlgate.metrics import bleu, filters, registry
from mlgate.metrics.filters import Filter
from mlgate.metrics.scorer import References, Scorer
from mlgate.metrics.scripts import spaceless

DEFAULT = "default"
"""The entry for every value that has none of its own."""

_OPTIONS: Mapping[str, Sequence[str]] = {
    "bleu": ("tokenize",),
    "rouge1": ("tokenizer", "use_stemmer"),
    "rouge2": ("tokenizer", "use_stemmer"),
    "rougeL": ("tokenizer", "use_stemmer"),
    "rougeLsum": ("tokenizer", "use_stemmer"),
    "ter": ("normalized", "asian_support"),
}
"""The options that may differ from example to example: they decide what is counted, and not how counts add up."""


@dataclass(frozen=True, slots=True)
class Scoring:
    """A metric as one check computes it: one scorer, or one for each value of a field of the examples."""

    scorers: Mapping[str, Scorer]
    """By value of `field`; `DEFAULT` for every other value. Their statistics add up to one corpus value."""
    field: str = ""
    """Empty: the default scores every example."""
    filters: tuple[Filter, ...] = ()
    """What is done to an answer, and to its references, before either is scored."""

    @property
    def metric(self) -> Metric:
        """Return the metric: the scorers' own, which is one."""
        return self._first.metric

    @property
    def needs_references(self) -> bool:
        """Return whether an example must have a reference: unless the scorer says that it needs none."""
        return bool(getattr(self._first, "needs_references", True))

    @property
    def _first(self) -> Scorer:
        return next(iter(self.scorers.values()))

    def signature(self, examples: Sequence[Example]) -> str:
        """Return every setting that can change the value; one that differs by the field is written for each value."""
        wanted = self._references(examples)
        parts = {value: one.signature(wanted).split("|") for value, one in self.scorers.items()}
        merged = (_merged(self.field, dict(zip(parts, column, strict=True))) for column in _columns(parts))
        return "|".join(merged) + filters.signature(self.filters)

    def unsuitable(self, examples: Sequence[Example]) -> str:
        """Return why the metric cannot judge answers to these examples, with what to use instead. Empty: it can."""
        missing = sorted({value for value in map(self._value, examples) if self._scorer(value) is None})
        if missing:
            names = ", ".join(missing[:3])
            return f"nothing is written for {self.field}={names}: add it, or an entry `{DEFAULT}`"
        for value, places in self._parts(examples).items():
            chosen = [examples[place] for place in places]
            scorer = self._scorer(value)
            assert scorer is not None  # missing has the others
            if why := scorer.unsuitable(self._references(chosen)):
                return f"{self.field}={value}: {why}" if self.field else why
        return ""

    def statistics(self, answers: Sequence[str], examples: Sequence[Example]) -> Array:
        """Return the statistics, shape (n, k), rows in the examples' order. Raises ValueError as a scorer does."""
        answers = filters.answers(self.filters, answers)
        if not self.field:
            return self._first.statistics(answers, self._references(examples))
        found: dict[int, Array] = {}
        for value, places in self._parts(examples).items():
            scorer = self._scorer(value)
            if scorer is None:
                raise ValueError(f"nothing is written for {self.field}={value}")
            rows = scorer.statistics([answers[i] for i in places], self._references([examples[i] for i in places]))
            found |= dict(zip(places, rows, strict=True))
        return np.array([found[place] for place in range(len(examples))])

    def value(self, totals: Array) -> Array:
        """Return the corpus values of summed statistics."""
        return self._first.value(totals)

    def _references(self, examples: Sequence[Example]) -> References:
        return [filters.references(self.filters, example.references) for example in examples]

    def _value(self, example: Example) -> str:
        return dict(example.slices).get(self.field, DEFAULT) if self.field else DEFAULT

    def _scorer(self, value: str) -> Scorer | None:
        return self.scorers.get(value, self.scorers.get(DEFAULT))

    def _parts(self, examples: Sequence[Example]) -> Mapping[str, list[int]]:
        parts: dict[str, list[int]] = {}
        for place, example in enumerate(examples):
            parts.setdefault(self._value(example), []).append(place)
        return parts


def scoring(kind: str, options: Mapping[str, Json], written: Sequence[Json] = ()) -> Scoring:
    """Make metric *kind* with *options* and the filters *written*. Raises ValueError for what it does not have."""
    steps = filters.build(written)
    field, values = _asked(kind, options)
    if not field:
        return Scoring({DEFAULT: registry.build(kind, options)}, filters=steps)
    return Scoring({value: registry.build(kind, _with(options, field, value)) for value in values}, field, steps)


def fields_of(kind: str, options: Mapping[str, Json]) -> Iterator[str]:
    """Yield the fields of the data that *options* of metric *kind* differ by."""
    for name, value in options.items():
        if isinstance(value, Mapping) and name in _OPTIONS.get(kind, ()):
            yield from (name for name in value if isinstance(name, str))


def remedy(kind: str, references: References) -> tuple[str, str]:
    """Return the option and its value that suit scripts without spaces; empty where the metric has none."""
    found = spaceless(references)
    if kind == "bleu" and found:
        return "tokenize", bleu.tokenizer_for(found.letters)
    return ("tokenizer", "unicode") if kind.startswith("rouge") and found else ("", "")


def _asked(kind: str, options: Mapping[str, Json]) -> tuple[str, list[str]]:
    """Return the one field that options differ by, and its values."""
    field, values = "", dict[str, None]()
    for name, option in options.items():
        if not isinstance(option, Mapping) or name not in _OPTIONS.get(kind, ()):
            continue
        if len(option) != 1 or not all(isinstance(one, Mapping) and one for one in option.values()):
            raise ValueError(
                f"{kind}: {name} goes by one field of the data: {{{name}: {{lang: {{zh: …, {DEFAULT}: …}}}}}}"
            )
        ((by, entries),) = option.items()
        if field and by != field:
            raise ValueError(f"{kind}: {name} goes by `{by}`, another option by `{field}`: use one field")
        field = by
        values |= dict.fromkeys(str(value) for value in entries) if isinstance(entries, Mapping) else {}
    return field, list(values)


def _with(options: Mapping[str, Json], field: str, value: str) -> Mapping[str, Json]:
    """Return the options as one value of the field has them."""
    found: dict[str, Json] = {}
    for name, option in options.items():
        entries = option.get(field) if isinstance(option, Mapping) else None
        if not isinstance(entries, Mapping):
            found[name] = option
        elif value in entries or DEFAULT in entries:
            found[name] = entries[value] if value in entries else entries[DEFAULT]
    return found


def _columns(parts: Mapping[str, list[str]]) -> Iterator[tuple[str, ...]]:
    """Yield the settings of several signatures side by side; whole signatures where they are not of one form."""
    if len({len(part) for part in parts.values()}) == 1:
        yield from zip(*parts.values(), strict=True)
    else:
        yield tuple("|".join(part) for part in parts.values())


def _merged(field: str, settings: Mapping[str, str]) -> str:
    if len(set(settings.values())) == 1:
        return next(iter(settings.values()))
    key = next(iter(settings.values())).partition(":")[0]
    entries = ",".join(f"{value}={one.partition(':')[2]}" for value, one in settings.items())
    return f"{key}:{field}{{{entries}}}"
