"""A model that has answered already: its answers come from a file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import Self

from mlgate.adapters.models.answers_file import AnswersFile, Layout, Record
from mlgate.adapters.models.answers_match import Match, shown_id
from mlgate.adapters.protocols.answer_text import text_or_failure
from mlgate.core.check import Example
from mlgate.core.errors import Refused
from mlgate.core.ports import Failure


class AnswersModel:
    """Looks answers up. Nothing is asked, nothing runs."""

    def __init__(
        self, answers: Mapping[str, str | Failure], digest: str, name: str, notices: Sequence[str] = ()
    ) -> None:
        self._answers = answers
        self._name = name
        self.digest = digest
        """Of the file's content, unpacked."""
        self.notices = tuple(notices)
        """What a person should know of how answers and examples were brought together."""

    @classmethod
    def read(
        cls, path: Path, *, example_ids: Sequence[str], data_has_ids: bool = True, layout: Layout | None = None
    ) -> Self:
        """Read JSONL, JSON, CSV or TSV, or plain text with one answer a line, each also packed.

        *example_ids* are those of the whole data, in its order (not of a shard): what goes by order is matched by it,
        and an id that is not among them is Refused. *data_has_ids*: the data itself gives them. EvidenceError: the
        file is damaged, or has another number of answers.
        """
        file = AnswersFile(path, layout)
        match = Match(path, example_ids, layout or Layout(), data_has_ids=data_has_ids)
        if file.kind == "lines":
            answers = match.lines(file.texts())
            return cls({name: text_or_failure(text) for name, text in answers.items()}, file.digest, path.name)
        records = file.records()
        first = next(records, None)
        if first is None:
            return cls({}, file.digest, path.name)
        found = _answers(chain([first], records), match, file.unit, by_order=match.goes_by_order(*first))
        return cls(match.known(found), file.digest, path.name, (*file.notices, *match.notices))

    def answer(self, examples: Sequence[Example]) -> Iterator[str | Failure]:
        """Yield what the file has for each example; what it has not is the gate's failure, never an empty answer."""
        for example in examples:
            yield self._answers.get(example.id, Failure(f"no answer in {self._name}", "gate"))

    def close(self) -> None:
        """Do nothing: nothing was started."""


def _answers(records: Iterable[Record], match: Match, unit: str, *, by_order: bool) -> dict[str, str | Failure]:
    found: dict[str, str | Failure] = {}
    seen: dict[str, int] = {}
    in_order: list[str | Failure] = []
    for number, record in records:
        answer = text_or_failure(match.answer_of(number, record))
        if by_order:
            match.refuse_id(number, record)
            in_order.append(answer)
            continue
        name = match.id_of(number, record)
        if found.setdefault(name, answer) != answer:
            raise Refused(
                f"{unit}s {seen[name]} and {number} answer {shown_id(name)} differently",
                hint="a model must be asked once an example; delete one of the two",
                where=str(match.path),
            )
        seen.setdefault(name, number)
    return match.ordered(in_order, "rows") if by_order else found
