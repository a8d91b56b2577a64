"""Which columns of a file mean what, by the names that people give them: a guess that a person confirms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches

from mlgate.adapters.data.field_values import quoted

_INPUTS = (
    "input inputs question prompt text sentence source src query instruction article document utterance content "
    "problem passage message request body review tweet comment headline title premise sourcetext x"
)
_REFERENCES = (
    "reference references ref refs answer answers label labels target targets tgt completion output expected "
    "expectedoutput expectedanswer response gold goldanswer groundtruth translation summary highlights solution "
    "class category intent sentiment correctanswer correct targettext y"
)
_ANSWERS = (
    "answer answers prediction predictions pred predicted output outputs response completion hypothesis hyp "
    "generatedtext generated generation modeloutput predictedlabel predictiontext result translation summary text label"
)
_IDS = "id uid uuid guid exampleid sampleid questionid qid rowid recordid key idx"
_INNER = "text value answer content reference label translation output name"

NAMES: Mapping[str, Sequence[str]] = {
    "input": _INPUTS.split(),
    "references": _REFERENCES.split(),
    "id": _IDS.split(),
    "answer": _ANSWERS.split(),
}
"""Usual names for what a row has, the most usual first."""
_FIELDS_SHOWN = 12


def meant(what: str, there: Iterable[str], without: Iterable[str] = ()) -> str:
    """Return the column that is probably the row's *what*, `input`, `references`, `id` or `answer`; empty for none."""
    taken = set(without)
    names = {_bare(name): name for name in reversed([*there]) if name not in taken}
    return next((names[usual] for usual in NAMES[what] if usual in names), "")


def inside(value: object, path: str) -> str:
    """Return the path to the texts in a list or an object: `answers.text`, `answers.*.text`; empty for none."""
    if isinstance(value, list | tuple):
        if not value or isinstance(value[0], str | int | float):
            return path  # a list of texts is read as it stands
        return inside(value[0], f"{path}.*")
    if isinstance(value, Mapping):
        fit = [str(name) for name in value if _is_text(value[name]) and "." not in str(name)]
        usual = {_bare(name): name for name in reversed(fit)}
        best = next((usual[name] for name in _INNER.split() if name in usual), fit[0] if fit else "")
        if best:
            return f"{path}.{best}"
        deeper = (inside(item, f"{path}.{name}") for name, item in value.items() if "." not in str(name))
        return next((found for found in deeper if found), "")
    return path if isinstance(value, str | int | float) else ""


def holds_texts(value: object) -> bool:
    """Return whether a value is a text, a number or a truth value, or a list of these: nothing has to be guessed."""
    items = value if isinstance(value, list | tuple) else [value]
    return all(isinstance(item, str | int | float) for item in items)


def turns(row: Mapping[str, object]) -> tuple[str, str] | None:
    """Return the paths to the last question and the last answer of a conversation; None for a row without one."""
    for name, value in row.items():
        match value:
            case [*_, {"role": "user", "content": str()}, {"role": "assistant", "content": str()}] if "." not in name:
                return f"{name}.{len(value) - 2}.content", f"{name}.{len(value) - 1}.content"
    return None


def suggest(asked: Sequence[str], there: Sequence[str]) -> str:
    """Return the hint for a field that is not there: the nearest one, and those that there are."""
    close = nearest(asked, there)
    return f"did you mean {quoted(close)}? {listed(there)}" if close else listed(there)


def nearest(asked: Sequence[str], there: Sequence[str]) -> str:
    """Return the name that is most like one of those asked for; empty for none."""
    bare = {_bare(name): name for name in reversed(there)}
    found = [bare[_bare(name)] for name in asked if _bare(name) in bare]
    return next(iter([*found, *(match for name in asked for match in get_close_matches(name, there, n=1))]), "")


def listed(there: Sequence[str]) -> str:
    """Return the names that there are, in one sentence."""
    names = ", ".join(quoted(name) for name in there[:_FIELDS_SHOWN])
    more = f" and {len(there) - _FIELDS_SHOWN} more" if len(there) > _FIELDS_SHOWN else ""
    return f"the row's fields: {names}{more}" if there else "the row has no fields"


def _is_text(value: object) -> bool:
    first = value[0] if isinstance(value, list | tuple) and value else value
    return isinstance(first, str | int | float) and first != ""


def _bare(name: str) -> str:
    """Return a name as its synonyms are listed: `Ground Truth`, `ground_truth` and `groundTruth` are one."""
    return re.sub(r"[\W_]", "", name.casefold())
