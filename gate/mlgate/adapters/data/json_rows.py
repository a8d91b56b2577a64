"""Objects out of JSON, of data and of answers alike: one a line, or all in one document. And why a text has none."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import TypeGuard

from mlgate.adapters.data.field_values import DEEPEST_NESTING
from mlgate.adapters.data.section_line import SectionLine
from mlgate.core import strict_json
from mlgate.core.errors import ConfigError

Row = Mapping[str, object]

_ONE_A_LINE = "a .jsonl file holds one JSON object a line"
_A_PAGE = "it is a web page or XML: where it was downloaded, take the raw file"
_NAMES_SHOWN = 5


def of_line(text: str, number: int, source: str, line: SectionLine, *, is_finite: bool = True) -> Row:
    """Return the object that a line holds. *line* names the file in the configuration, for hints.

    Raises ConfigError, with `file:line` and what to do, for what is none.
    """
    where = f"{source}:{number}"
    try:
        row = strict_json.loads(text, is_finite=is_finite)
    except json.JSONDecodeError as error:
        said = f"the line is not JSON: {error.msg[:1].lower()}{error.msg[1:]} at column {error.colno}"
        raise ConfigError(said, hint=_next_step(text, source, line), where=where) from error
    except ValueError as error:
        hint = "write null, or leave the field out" if "is not a JSON value" in str(error) else ""
        raise ConfigError(f"the line is not JSON: {error}", hint=hint, where=where) from error
    except RecursionError as error:
        raise _too_deep("line", where) from error
    if not isinstance(row, dict):
        raise ConfigError("the line is not a JSON object", hint=_next_step(text, source, line), where=where)
    _refuse_depth(text, row, "line", where)
    return row


def of_document(
    text: str, source: str, line: SectionLine, is_row: Callable[[Row], bool], *, is_finite: bool = True
) -> Iterator[tuple[int, Row]]:
    """Yield the objects of a document, numbered from 1 on: of a list, of a list in an object, or one after the other.

    *is_row* tells an object that is a row itself from one that holds the rows. Raises ConfigError for what is none.
    """
    try:
        values = list(strict_json.stream(text, is_finite=is_finite))
    except json.JSONDecodeError as error:
        said = f"it is not JSON: {error.msg[:1].lower()}{error.msg[1:]} at column {error.colno}"
        hint = _next_step(text.split("\n")[error.lineno - 1], source, line, in_document=True)
        raise ConfigError(said, hint=hint, where=f"{source}:{error.lineno}") from error
    except ValueError as error:
        hint = "write null, or leave the field out" if "is not a JSON value" in str(error) else ""
        raise ConfigError(f"it is not JSON: {error}", hint=hint, where=source) from error
    except RecursionError as error:
        raise _too_deep("document", source) from error
    _refuse_depth(text, values, "document", source, above=3)
    for number, value in enumerate(_rows(values, source, line, is_row), 1):
        if number == 1 and _is_squad_article(value):
            said = "it holds articles, as SQuAD's own files do: the questions stand inside their paragraphs"
            raise ConfigError(said, hint=line.converted(source, f"jq {_SQUAD}"), where=source)
        if not isinstance(value, dict):
            raise ConfigError(
                f"row {number} is not a JSON object", hint="write a list of objects", where=f"{source}:{number}"
            )
        yield number, value


def _rows(values: list[object], source: str, line: SectionLine, is_row: Callable[[Row], bool]) -> list[object]:
    match values:
        case [list(items)]:
            return items
        case [dict(one)] if _are_columns(one):
            said = "it holds columns, as pandas writes them, and not rows"
            raise ConfigError(said, hint=line.converted(source, f"jq {_PANDAS}"), where=source)
        case [dict(one)] if not is_row(one):
            lists = [name for name, value in one.items() if _is_list_of_objects(value)]
            if len(lists) == 1:
                return list(one[lists[0]])
            if lists:
                names = ", ".join(f"`{name[:60]}`" for name in lists[:_NAMES_SHOWN])
                said = f"it has more than one list of objects: {names}"
                raise ConfigError(said, hint=line.converted(source, f"jq {_filter(lists[0])}"), where=source)
    return values


_PANDAS = "'. as $all | [$all[] | keys_unsorted[]] | unique | map(. as $row | $all | map_values(.[$row]))'"

_SQUAD = (
    '\'[.. | objects | select(has("qas")) | .context as $context | .qas[] | '
    "{id, question, context: $context, answers: [.answers[]?.text]}]'"
)


def _is_squad_article(value: object) -> bool:
    match value:
        case {"paragraphs": [{"qas": list()}, *_]}:
            return True
    return False


def _filter(name: str) -> str:
    """Return the filter as a shell takes it: the name is the file's, and may hold whatever ends a quote."""
    plain = re.fullmatch(r"[A-Za-z_]\w*", name, re.ASCII)
    return f"'.{name}'" if plain else shlex.quote(f".[{json.dumps(name)}]")


def _is_list_of_objects(value: object) -> TypeGuard[list[dict[str, object]]]:
    return isinstance(value, list) and bool(value) and all(isinstance(item, dict) for item in value)


def _are_columns(value: Row) -> bool:
    columns = [one for one in value.values() if isinstance(one, dict)]
    if len(columns) != len(value) or len(columns) < 2:  # noqa: PLR2004 - an input and a reference
        return False
    return all(one.keys() == columns[0].keys() for one in columns) and all(key.isdecimal() for key in columns[0])


def _next_step(text: str, source: str, line: SectionLine, *, in_document: bool = False) -> str:
    """Return what to do with a text that is no object: the ways in which such files usually come."""
    bare = text.strip()
    if "\r" in text.rstrip("\r"):
        return line.converted(source, "tr '\\r' '\\n'")
    if bare.startswith("{'"):
        said = "import ast, json, sys; [print(json.dumps(ast.literal_eval(row))) for row in sys.stdin if row.strip()]"
        return "it is written as Python writes a dict: " + line.converted(source, f'python3 -c "{said}"')
    if bare.endswith(",") and _is_object(bare[:-1]):
        return line.converted(source, "sed 's/,[[:space:]]*$//'")
    if in_document:
        return "repair it there: `jq . FILE` says the same" if bare else "write a list of objects"
    if bare.startswith("[") or bare in ("{", "}") or (bare.startswith("{") and not bare.endswith("}")):
        return f"if the file is one JSON document, write `{line.where(format='json')}`"
    return _A_PAGE if bare.startswith("<") else _ONE_A_LINE


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _refuse_depth(text: str, value: object, what: str, where: str, above: int = 0) -> None:
    deepest = DEEPEST_NESTING + above
    if text.count("{") + text.count("[") > deepest and _depth(value) > deepest:
        raise _too_deep(what, where)


def _depth(value: object) -> int:
    """Return the levels of nesting, without recursion: json.loads goes deeper than a Python function can."""
    depth, level = 0, [value]
    while level := [item for item in level if isinstance(item, dict | list)]:
        depth += 1
        level = [item for box in level for item in (box.values() if isinstance(box, dict) else box)]
    return depth


def _too_deep(what: str, where: str) -> ConfigError:
    return ConfigError(f"the {what} is nested deeper than {DEEPEST_NESTING} levels", where=where)
