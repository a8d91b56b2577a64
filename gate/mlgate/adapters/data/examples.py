"""The one way from rows to examples, whatever file they came in: formats only bring the rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from mlgate.adapters.data.columns import suggest
from mlgate.adapters.data.field_values import quoted
from mlgate.adapters.data.fields import Fields, group_of, input_of, own_id, slice_of
from mlgate.adapters.data.references import is_list_text, references_of
from mlgate.core.check import Example, digest_of
from mlgate.core.errors import ConfigError, EvidenceError
from mlgate.core.formats.field_path import Absent, pick
from mlgate.core.groups import is_blank, with_copies_joined

_FAULTS_SHOWN = 5
_MOST_VALUES = 100_000
"""Different values of one field that are kept apart."""
_LONGEST_VALUE = 200
"""Characters of a value by which it is told from others."""
_ID_DIGITS = 12
_MAY_BEGIN_A_LIST = ("[", " ", "\n", "\t")


@dataclass(frozen=True, slots=True)
class Dataset:
    """The examples of a check, and what a person should know about them."""

    examples: tuple[Example, ...]
    notices: tuple[str, ...] = ()
    repeating: tuple[tuple[str, int], ...] = ()
    """Further fields whose values stand in two rows or more on average, and how many values: they may be groups."""


def gather(
    rows: Iterable[tuple[int, Mapping[str, object]]], fields: Fields, *, source: str, unit: str = "line"
) -> Dataset:
    """Turn numbered rows into examples. *source* and *unit* (`line`, `row`) are for people: `data.jsonl:3`.

    Raises ConfigError at the first row that cannot be used, EvidenceError when there is no row at all.
    """
    examples: list[Example] = []
    noticed = _Noticed(unit)
    ids = _Ids(source, noticed)
    needed = dict.fromkeys([*fields.slices, *([fields.group] if fields.group else [])])
    unseen, names = set(needed), tuple[str, ...]()
    values = _Values()
    for number, row in rows:
        where = f"{source}:{number}"
        if not examples:
            fields, names = fields.settled(row), tuple(row)
        example = _example(row, fields, where)
        own = own_id(row, fields, where) if fields.id else ""
        fields = fields if examples else replace(fields, others_have_it=True)
        examples.append(replace(example, id=ids.given(own, number) if own else ids.made(example, number)))
        noticed.look_at(example, number)
        values.look_at(row, fields)
        unseen = {name for name in unseen if pick(row, name) is Absent.ABSENT}
    if not examples:
        raise EvidenceError("there is no row in it", hint="a check needs at least one example", where=source)
    if unseen:
        missing = [name for name in needed if name in unseen]
        what = "to group by" if missing[0] == fields.group else "to slice by"
        raise ConfigError(
            f"no row has the field {quoted(missing[0])} {what}", hint=suggest(missing, names), where=source
        )
    alone = sum(1 for example in examples if not example.group) if fields.group else 0
    grouped, copies = with_copies_joined(examples)
    notices = (*noticed.lines(fields), *_copies(copies), *_alone(alone, fields.group))
    return Dataset(grouped, notices, values.repeating(len(examples)))


def _example(row: Mapping[str, object], fields: Fields, where: str) -> Example:
    """Return the row as an example that has no id yet. *where* is the row's place, `file:line`, for errors."""
    return Example(
        id="",
        input=input_of(row, fields, where),
        references=references_of(row, fields, where),
        slices=tuple((name, slice_of(pick(row, name), name, where)) for name in fields.slices),
        group=group_of(row, fields.group, where) if fields.group else "",
    )


def _alone(count: int, group: str) -> Iterable[str]:
    if count:
        yield f"{_count_of(count, 'row has', 'rows have')} no {quoted(group)}: each counts by itself"


def _copies(count: int) -> Iterable[str]:
    if count:
        told = _count_of(count, "row asks what an earlier one asks", "rows ask what earlier ones ask")
        yield f"{told}: rows that ask the same are one group"


@dataclass(slots=True)
class _Values:
    """The different values of each further field of the rows."""

    seen: dict[str, set[str]] = field(default_factory=dict)

    def look_at(self, row: Mapping[str, object], fields: Fields) -> None:
        used = {fields.input, *fields.references, fields.id, fields.group}
        for name, value in row.items():
            if name not in used and isinstance(value, str | int) and not isinstance(value, bool) and value != "":
                known = self.seen.setdefault(name, set())
                if len(known) <= _MOST_VALUES:
                    known.add(str(value)[:_LONGEST_VALUE])

    def repeating(self, rows: int) -> tuple[tuple[str, int], ...]:
        found = [(name, len(values)) for name, values in self.seen.items() if 1 < len(values) <= rows / 2]
        return tuple(sorted(found, key=lambda one: (-one[1], one[0])))


@dataclass(slots=True)
class _Noticed:
    """What is kept and told, by row number."""

    unit: str
    blank_inputs: list[int] = field(default_factory=list)
    blank_references: list[int] = field(default_factory=list)
    lists: list[int] = field(default_factory=list)
    """The rows with a reference that is a text and looks like a list."""
    repeats: list[tuple[int, int]] = field(default_factory=list)
    """The row, and the earlier one that it equals."""

    def look_at(self, example: Example, number: int) -> None:
        if is_blank(example.input):
            self.blank_inputs.append(number)
        if any(is_blank(text) for text in example.references):
            self.blank_references.append(number)
        if any(text[:1] in _MAY_BEGIN_A_LIST and is_list_text(text) for text in example.references):
            self.lists.append(number)

    def lines(self, fields: Fields) -> Iterable[str]:
        """Yield one sentence a kind: at most five rows by number, and how many more there are."""
        for what, rows in (("input", self.blank_inputs), ("reference", self.blank_references)):
            if rows:
                told = _count_of(len(rows), "row has", "rows have")
                yield f"{told} an empty {what}: {self.unit} {_some(map(str, rows))}"
        if self.lists and fields.split_lists is None:
            told = _count_of(len(self.lists), "row has a reference that looks", "rows have a reference that looks")
            yield (
                f"{told} like a list and is one text: {self.unit} {_some(map(str, self.lists))}; write "
                f"`{fields.line.where(split_lists=True)}` if each item is a reference, `split_lists: false` if not"
            )
        if self.repeats:
            pairs = (f"{self.unit} {later} equals {self.unit} {first}" for later, first in self.repeats)
            told = _count_of(len(self.repeats), "row repeats an earlier one", "rows repeat earlier ones")
            ids = "an id of its own" if len(self.repeats) == 1 else "ids of their own"
            yield f"{told} and got {ids} (-2, -3, …): {_some(pairs)}"


@dataclass(slots=True)
class _Ids:
    """Makes sure that no two examples share an id."""

    source: str
    noticed: _Noticed
    rows: dict[str, list[int]] = field(default_factory=dict)
    """The rows of each id."""

    def given(self, own: str, number: int) -> str:
        known = self.rows.setdefault(own, [])
        if known:
            unit = self.noticed.unit
            raise ConfigError(
                f"the id {quoted(own)} is given twice: {unit} {known[0]} and {unit} {number}",
                hint="ids must be unique: rename or delete one of the two rows",
                where=f"{self.source}:{number}",
            )
        known.append(number)
        return own

    def made(self, example: Example, number: int) -> str:
        """Return an id by content, so that rows keep theirs when others come or go."""
        content = _content(example)
        known = self.rows.setdefault(content, [])
        known.append(number)
        if len(known) == 1:
            return content
        self.noticed.repeats.append((number, known[0]))
        return f"{content}-{len(known)}"


def has_made_id(example: Example) -> bool:
    """Return whether an example's id was made from its content, since its data has no ids."""
    return example.id.partition("-")[0] == _content(example)


def _content(example: Example) -> str:
    return digest_of([example.input, list(example.references)])[:_ID_DIGITS]


def _count_of(count: int, one: str, many: str) -> str:
    return f"{count:,} {one if count == 1 else many}"


def _some(items: Iterable[str]) -> str:
    """Join at most five, and say how many more there are."""
    listed = list(items)
    more = len(listed) - _FAULTS_SHOWN
    return ", ".join(listed[:_FAULTS_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
