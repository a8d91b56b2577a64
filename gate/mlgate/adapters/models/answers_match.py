"""Whose an answer is: by its id, or by its place in the file. It must never be a guess that nobody sees."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TypeVar

from mlgate.adapters.data import columns
from mlgate.adapters.data.field_values import id_text
from mlgate.adapters.models.answers_file import Layout
from mlgate.core.errors import ConfigError, EvidenceError, Refused
from mlgate.core.formats.field_path import Absent, pick

_EXAMPLES_SHOWN = 3

T = TypeVar("T")


class Match:
    """Brings the answers of one file and the examples together."""

    def __init__(self, path: Path, ids: Sequence[str], layout: Layout, *, data_has_ids: bool) -> None:
        """*ids* are those of the data, in its order."""
        self.path = path
        self._ids = ids
        self._layout = layout
        self._data_has_ids = data_has_ids
        self.notices: tuple[str, ...] = ()
        """What a person should know."""

    def goes_by_order(self, number: int, first: Mapping[str, object]) -> bool:
        """Return whether answer n is of row n: as it is written, or where neither side has ids.

        Raises EvidenceError where only the data has ids: then the order may lie.
        """
        match, has_id = self._layout.match, pick(first, self._layout.id_field) is not Absent.ABSENT
        if match == "order":
            return True
        if match == "id" or has_id or self._layout.id_is_written or self._data_has_ids:
            if not has_id:
                raise self._no_id(number, first)
            return False
        self.notices = (f"{self.path.name}: neither its rows nor the data have ids: answer n was taken for row n",)
        return True

    def refuse_id(self, number: int, record: Mapping[str, object]) -> None:
        """Refuse a record that has an id where the first had none, and nobody wrote that the order counts."""
        name = self._layout.id_field
        if self._layout.match != "order" and pick(record, name) is not Absent.ABSENT:
            raise EvidenceError(
                f"it has the id `{name}`, and the first answer has none",
                hint=f"give every answer its id; or, if answer n is of row n of the data, write `{self._by_order()}`",
                where=f"{self.path}:{number}",
            )

    def lines(self, texts: Sequence[str]) -> dict[str, str]:
        """Return each text by its example's id. Raises EvidenceError for another number of lines."""
        blank = len(texts) - len(self._ids)
        if len(texts) != len(self._ids):
            if blank > 0 and not any(text.strip() for text in texts[-blank:]):
                named = shlex.quote(str(self.path))
                hint = f"delete the blank lines at its end: `sed -i '{len(self._ids) + 1},$d' -- {named}`"
            elif any("\r" in text for text in texts[:1]):
                hint = self._layout.line.converted(str(self.path), "tr '\\r' '\\n'")
            else:
                hint = "write one answer a line, in the data's order; line breaks in answers need JSONL"
            raise self._other_count(len(texts), "lines", hint)
        return self.ordered(texts, "lines")

    def ordered(self, answers: Sequence[T], unit: str) -> dict[str, T]:
        """Return each answer by its example's id. Raises EvidenceError for another number of answers."""
        if len(answers) != len(self._ids):
            hint = "write one answer for each row of the data, in its order; or give both an id"
            raise self._other_count(len(answers), unit, hint)
        return dict(zip(self._ids, answers, strict=True))

    def answer_of(self, number: int, record: Mapping[str, object]) -> object:
        """Return what the record answers."""
        name = self._layout.answer_field
        value = pick(record, name)
        if value is not Absent.ABSENT:
            return value
        if not record.keys().isdisjoint(self._ids):
            raise self._by_id(number)
        there = [one for one in record if one != self._layout.id_field]
        meant = columns.nearest([name], there) or columns.meant("answer", there) or next(iter(there), "")
        raise EvidenceError(
            f"there is no answer `{name}`",
            hint=f"write `{self._layout.line.where(answer=meant)}`; {columns.listed(tuple(record))}"
            if meant
            else columns.listed(tuple(record)),
            where=f"{self.path}:{number}",
        )

    def id_of(self, number: int, record: Mapping[str, object]) -> str:
        """Return the id of the example that the record answers."""
        name, where = self._layout.id_field, f"{self.path}:{number}"
        value = pick(record, name)
        if value is Absent.ABSENT:
            raise self._no_id(number, record)
        try:
            text = id_text(value, name, where)
        except ConfigError as error:
            raise EvidenceError(error.message, hint=error.hint, where=where) from error
        if text is None:
            hint = "write ids as texts: no digit is lost then" if isinstance(value, float) else "give every row its id"
            raise EvidenceError(f"the id `{name}` is neither text nor a whole number", hint=hint, where=where)
        return text

    def known(self, answers: Mapping[str, T]) -> Mapping[str, T]:
        """Return the answers, by ids of the data. Raises Refused for an id that is none of these.

        Where the data has no ids, those that count its rows from 0 or 1 are the rows' numbers.
        """
        known = set(self._ids)
        unknown = [name for name in answers if name not in known]
        if not unknown:
            return answers
        for begin in (0, 1):
            numbers = [str(number) for number in range(begin, begin + len(self._ids))]
            if not self._data_has_ids and answers.keys() == {*numbers}:
                name = self._layout.id_field
                said = (
                    f"{self.path.name}: the data has no ids: `{name}` was taken for the row's number, from {begin} on"
                )
                self.notices = (*self.notices, said)
                return {of: answers[number] for of, number in zip(self._ids, numbers, strict=True)}
        shown = ", ".join(shown_id(name) for name in unknown[:_EXAMPLES_SHOWN])
        more = f" and {len(unknown) - _EXAMPLES_SHOWN:,} more" if len(unknown) > _EXAMPLES_SHOWN else ""
        raise Refused(
            f"it answers examples that the data has not: {shown}{more}",
            hint=self._way_out(answers, unknown),
            where=str(self.path),
        )

    def _way_out(self, answers: Mapping[str, T], unknown: Sequence[str]) -> str:
        if {name.removesuffix(".0") for name in unknown} <= set(self._ids):
            return "write whole ids without `.0`: pandas adds it to a column where one is missing"
        if len(answers) == len(self._ids) == len(unknown):
            return f"if answer n is of row n of the data, write `{self._by_order()}`"
        ids = ", ".join(shown_id(name) for name in self._ids[:_EXAMPLES_SHOWN])
        more = ", …" if self._ids[_EXAMPLES_SHOWN:] else ""
        return f"answer the data that the check names, and nothing else: its ids are {ids}{more}"

    def _no_id(self, number: int, record: Mapping[str, object]) -> EvidenceError:
        """Return the error for a record without its id: which other field has one, or by order."""
        known, name = set(self._ids), self._layout.id_field
        if not known.isdisjoint(record):
            return self._by_id(number)
        fits = [one for one, value in record.items() if isinstance(value, str | int) and str(value) in known]
        if fits:
            hint = f"write `{self._layout.line.where(id=fits[0])}`"
        else:
            hint = f"if answer n is of row n of the data, write `{self._by_order()}`"
        return EvidenceError(
            f"there is no id `{name}`",
            hint=f"{hint}; {columns.listed(tuple(record))}",
            where=f"{self.path}:{number}",
        )

    def _by_id(self, number: int) -> EvidenceError:
        """Return the error for one object that has every answer under its id, as SQuAD's predictions are written."""
        names = json.dumps(self._layout.id_field), json.dumps(self._layout.answer_field)
        command = f"jq 'to_entries | map({{{names[0]}: .key, {names[1]}: .value}})'"
        return EvidenceError(
            "it is one object with an answer under each id",
            hint=f"make a row of each: {self._layout.line.converted(str(self.path), command)}",
            where=f"{self.path}:{number}",
        )

    def _by_order(self) -> str:
        return self._layout.line.without("id").where(match="order")

    def _other_count(self, has: int, unit: str, hint: str) -> EvidenceError:
        said = f"it has {has:,} {unit} for {len(self._ids):,} examples"
        return EvidenceError(said, hint=hint, where=str(self.path))


def shown_id(name: str) -> str:
    """Return an id for people: an answer's may be of any length."""
    return f"`{name}`" if len(name) <= 60 else f"`{name[:59]}…`"  # noqa: PLR2004 - fits a line
