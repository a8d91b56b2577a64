from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from tests.conftest import Golden
from tests.support.samples import ALL, failing, passing
from tests.support.strategies import reports

from mlgate.core.errors import EvidenceError
from mlgate.core.report import Report
from mlgate.reports.json_v1 import document as json_v1

ROOT = Path(__file__).parents[4]
SCHEMA = json_v1.schema()
VALIDATOR = Draft202012Validator(SCHEMA)


def test_the_schema_is_one_and_names_itself_as_reports_do() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$id"] == json_v1.SCHEMA


def test_the_committed_schema_is_the_codes(golden: Golden) -> None:
    golden("../../docs/reference/report.v1.schema.json", json.dumps(SCHEMA, indent=2) + "\n")


@pytest.mark.parametrize("name", ALL)
def test_committed_reports_follow_the_schema(name: str) -> None:
    text = (ROOT / f"tests/golden/reports/{name}.json").read_text()
    VALIDATOR.validate(json.loads(text))
    assert json_v1.render(json_v1.parse(text)) == text


@settings(max_examples=50)
@given(reports)
def test_every_report_follows_the_schema(report: Report) -> None:
    VALIDATOR.validate(json.loads(json_v1.render(report)))


def test_the_json_is_canonical() -> None:
    text = json_v1.render(failing())
    assert text == json.dumps(json.loads(text), sort_keys=True, indent=2) + "\n"
    assert text.isascii()


def test_what_json_cannot_carry_is_a_word() -> None:
    measured = replace(passing().measurements[0], low=math.nan, high=-math.inf)
    text = json_v1.render(replace(passing(), measurements=(measured,)))
    assert '"low": "nan"' in text
    assert '"high": "-inf"' in text
    assert json_v1.parse(text).measurements[0].high == -math.inf


def paths(value: object, at: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    match value:
        case dict():
            return [at, *(p for key in value for p in paths(value[key], (*at, key)))]
        case list():
            return [at, *(p for index, item in enumerate(value) for p in paths(item, (*at, index)))]
    return [at]


DOCUMENT = json.loads(json_v1.render(failing()))
OBJECTS = [p for p in paths(DOCUMENT) if p and isinstance(p[-1], str)]


def changed(path: tuple[str | int, ...], change: str, value: object = None) -> str:
    document = json.loads(json.dumps(DOCUMENT))
    owner = document
    for key in path[:-1]:
        owner = owner[key]
    if change == "drop":
        del owner[path[-1]]
    elif change == "add":
        owner["more"] = value
    else:
        owner[path[-1]] = value
    return json.dumps(document)


@given(st.sampled_from(OBJECTS), st.sampled_from(["drop", "add"]))
def test_a_missing_or_unknown_key_is_refused(path: tuple[str | int, ...], change: str) -> None:
    with pytest.raises(EvidenceError):
        json_v1.parse(changed(path, change))


@settings(max_examples=200)
@given(st.sampled_from(OBJECTS), st.sampled_from([{}, [1], True, "NaN", {"a": None}]))
def test_a_value_of_the_wrong_type_is_refused(path: tuple[str | int, ...], value: object) -> None:
    text = changed(path, "set", value)
    if VALIDATOR.is_valid(json.loads(text)):
        return  # a string where a string belongs
    with pytest.raises(EvidenceError):
        json_v1.parse(text)


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("outcome",), "passed"),
        (("exit_code",), 0),
        (("exit_code",), 3),
        (("version",), 2),
        (("version",), True),
        (("schema",), "https://example.org/schema.json"),
        (("findings", 0, "outcome"), "passed"),
        (("findings", 0, "outcome"), "PASSED"),
        (("findings", 0, "id"), "summaries/bleu/min"),
        (("findings", 0, "bound"), "at_least"),
        (("findings",), []),
        (("checks", 0, "missing"), 3),
        (("checks", 0, "planned"), 200.0),
        (("measurements", 0, "value"), "Infinity"),
        (("measurements", 0, "value"), 10**400),
        (("measurements", 0, "better"), "sideways"),
        (("notices",), None),
    ],
)
def test_a_report_that_contradicts_itself_is_refused(path: tuple[str | int, ...], value: object) -> None:
    with pytest.raises(EvidenceError):
        json_v1.parse(changed(path, "set", value))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{}",
        "[]",
        "null",
        "{",
        "NaN",
        '{"outcome": "failed", "outcome": "passed"}',
        "[" * 100_000,
        '{"version": 1e999}',
    ],
)
def test_what_is_no_report_is_refused(text: str) -> None:
    with pytest.raises(EvidenceError):
        json_v1.parse(text)


@given(
    st.text()
    | st.recursive(st.none() | st.text() | st.floats(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)).map(
        json.dumps
    )
)
def test_no_text_at_all_raises_anything_else(text: str) -> None:
    with pytest.raises(EvidenceError):
        json_v1.parse(text)


def test_a_twin_key_in_a_finding_is_refused() -> None:
    text = json_v1.render(failing()).replace('"outcome": "failed",', '"outcome": "failed", "outcome": "passed",', 1)
    with pytest.raises(EvidenceError, match="twice"):
        json_v1.parse(text)


def test_an_error_says_where() -> None:
    with pytest.raises(EvidenceError) as error:
        json_v1.parse(changed(("findings", 1, "candidate", "n"), "set", "many"))
    assert error.value.where == "report.findings[1].candidate.n"
    assert error.value.message == "expected a whole number"


def test_a_later_wording_of_reason_and_docs_is_read() -> None:
    document = json.loads(changed(("reason",), "set", "said better"))
    document["findings"][0]["docs"] = "https://docs.example/findings#max_drop"
    assert json_v1.parse(json.dumps(document)) == json_v1.parse(json.dumps(DOCUMENT))
