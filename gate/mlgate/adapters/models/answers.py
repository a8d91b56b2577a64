"""A model that has answered already: its answers come from a file."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Self

from mlgate.adapters.data.fields import Absent, pick, suggest
from mlgate.adapters.models.answers_file import AnswersFile, Record
from mlgate.adapters.protocols.answer_text import text_or_failure
from mlgate.core.check import Example
from mlgate.core.errors import EvidenceError, Refused
from mlgate.core.ports import Failure

_EXAMPLES_SHOWN = 3


class AnswersModel:
    """Looks answers up. Nothing is asked, nothing runs."""

    def __init__(self, answers: Mapping[str, str | Failure], digest: str, name: str) -> None:
        self._answers = answers
        self._name = name
        self.digest = digest
        """Of the file's content, unpacked."""

    @classmethod
    def read(
        cls,
        path: Path,
        *,
        id_field: str = "id",
        answer_field: str = "answer",
        example_ids: Sequence[str],
    ) -> Self:
        """Read JSONL, CSV or TSV with ids, or plain text with one answer a line, each also `.gz`.

        *example_ids* are those of the whole data, in its order (not of a shard): plain text is matched by it, and an
        id that is not among them is Refused. EvidenceError: the file is damaged, or has another number of lines.
        """
        file = AnswersFile(path)
        match file.kind:
            case "jsonl" | "ndjson":
                answers = _by_id(file.objects(), id_field, answer_field, path)
            case "csv" | "tsv" | "tab":
                answers = _by_id(file.table(), id_field, answer_field, path)
            case "json" | "parquet" | "arrow" | "pkl" | "pickle" | "zip" | "bz2" | "xz" | "zst":
                raise EvidenceError(
                    f"answers are not read from .{file.kind}", hint="write .jsonl, .csv, .tsv or .txt", where=str(path)
                )
            case _:
                answers = _by_order(file.texts(), example_ids, path)
        _refuse_unknown(answers, example_ids, path)
        return cls(answers, file.digest, path.name)

    def answer(self, examples: Sequence[Example]) -> Iterator[str | Failure]:
        """Yield what the file has for each example; what it has not is the gate's failure, never an empty answer."""
        for example in examples:
            yield self._answers.get(example.id, Failure(f"no answer in {self._name}", "gate"))

    def close(self) -> None:
        """Do nothing: nothing was started."""


def _by_order(texts: Sequence[str], ids: Sequence[str], path: Path) -> dict[str, str | Failure]:
    if len(texts) != len(ids):
        raise EvidenceError(
            f"it has {len(texts):,} lines for {len(ids):,} examples",
            hint="write one answer a line, in the data's order; line breaks in answers need JSONL",
            where=str(path),
        )
    return {name: text_or_failure(text) for name, text in zip(ids, texts, strict=True)}


def _by_id(records: Iterator[Record], id_field: str, answer_field: str, path: Path) -> dict[str, str | Failure]:
    found: dict[str, str | Failure] = {}
    lines: dict[str, int] = {}
    for number, record in records:
        where = f"{path}:{number}"
        name = _id(pick(record, id_field), id_field, record, where)
        value = pick(record, answer_field)
        if value is Absent.ABSENT:
            raise EvidenceError(
                f"there is no answer `{answer_field}`", hint=suggest([answer_field], tuple(record)), where=where
            )
        answer = text_or_failure(value)
        if found.setdefault(name, answer) != answer:
            raise Refused(
                f"lines {lines[name]} and {number} answer {_in_backticks(name)} differently",
                hint="a model must be asked once an example; delete one of the two",
                where=str(path),
            )
        lines.setdefault(name, number)
    return found


def _id(value: object, field: str, record: Mapping[str, object], where: str) -> str:
    match value:
        case str() if value:
            return value
        case int() if not isinstance(value, bool) and abs(value) < 10**18:
            return str(value)
        case Absent.ABSENT:
            raise EvidenceError(f"there is no id `{field}`", hint=suggest([field], tuple(record)), where=where)
    raise EvidenceError(f"the id `{field}` is neither text nor a whole number", where=where)


def _refuse_unknown(answers: Collection[str], ids: Sequence[str], path: Path) -> None:
    known = set(ids)
    unknown = [name for name in answers if name not in known]
    if unknown:
        shown = ", ".join(_in_backticks(name) for name in unknown[:_EXAMPLES_SHOWN])
        more = f" and {len(unknown) - _EXAMPLES_SHOWN:,} more" if len(unknown) > _EXAMPLES_SHOWN else ""
        raise Refused(
            f"it answers examples that the data has not: {shown}{more}",
            hint="answer the data that the check names",
            where=str(path),
        )


def _in_backticks(name: str) -> str:
    return f"`{name}`" if len(name) <= 60 else f"`{name[:59]}…`"  # noqa: PLR2004 - fits a line
