"""Yes or no of each answer."""

from __future__ import annotations

from typing import Any

import pytest

from mlgate.metrics.registry import build


def passes(metric: str, options: dict[str, Any], answer: str, *references: str) -> bool:
    return bool(build(metric, options).statistics([answer], [references])[0, 0])


@pytest.mark.parametrize(
    ("metric", "options", "yes", "no"),
    [
        ("contains", {"text": "Paris"}, "It is Paris.", "It is paris."),
        ("contains", {"text": ["Rome", "Paris"], "lowercase": True}, "PARIS", "Berlin"),
        ("is_one_of", {"values": ["yes", "no"]}, " yes\n", "Yes"),
        ("matches", {"pattern": r"\[\d+\]"}, "so [3]", "so (3)"),
        ("max_length", {"words": 2}, " a b ", "a b c"),
        ("max_length", {"characters": 3}, "abc", "abcd"),
        ("json_valid", {}, '{"a": 1}', "{a: 1}"),
        ("json_valid", {}, "```json\nnull\n```", "Sure: {}"),
        ("json_schema", {"schema": {"type": "object", "required": ["a"]}}, '{"a": 1}', '{"b": 1}'),
        ("json_schema", {"schema": {"$ref": "#/$defs/n", "$defs": {"n": {"type": "number"}}}}, "5", '"5"'),
        ("json_schema", {"schema": {"type": "string", "pattern": "^a"}}, '"ab"', '"b"'),
    ],
)
def test_what_passes_and_what_does_not(metric: str, options: dict[str, Any], yes: str, no: str) -> None:
    assert passes(metric, options, yes)
    assert not passes(metric, options, no)


def test_without_a_text_the_references_are_looked_for() -> None:
    assert passes("contains", {}, "the capital is Paris", "Rome", "Paris")
    assert not passes("contains", {}, "the capital is Rome", "Paris")
    assert build("contains").unsuitable([["a"], [""]])
    assert not build("contains", {"text": "a"}).unsuitable([[""], []])


@pytest.mark.parametrize(
    ("metric", "options"),
    [
        ("max_length", {"words": 9}),
        ("json_valid", {}),
        ("matches", {"pattern": ".*"}),
        ("is_one_of", {"values": [" a"]}),
    ],
)
def test_an_empty_answer_passes_nothing(metric: str, options: dict[str, Any]) -> None:
    """A model that failed has an empty answer where a rule tolerates some failures."""
    assert not passes(metric, options, " \n")


@pytest.mark.parametrize(
    ("metric", "options", "why"),
    [
        ("contains", {"text": ""}, "write a text, or a list of texts"),
        ("is_one_of", {}, "values is missing"),
        ("matches", {}, "pattern must be an expression"),
        ("matches", {"pattern": "("}, "cannot be read"),
        ("max_length", {}, "write one of"),
        ("max_length", {"words": 1, "characters": 1}, "write one of"),
        ("max_length", {"words": -1}, "a whole number"),
        ("json_schema", {}, "schema must be a JSON schema"),
        ("json_schema", {"schema": {"type": "objekt"}}, "the schema is none"),
        ("json_schema", {"schema": {"$ref": "https://example.org/s.json"}}, "refers to https://example.org/s.json"),
        ("json_schema", {"schema": {"allOf": [{"$ref": "other.json"}]}}, "refers to other.json"),
        ("json_schema", {"schema": {"$ref": "#/$defs/none"}}, "refers to what it has not"),
        ("json_schema", {"schema": {"patternProperties": {"(a+)+$": {}}}}, "patternProperties is not taken"),
        ("json_valid", {"strict": True}, "has no option"),
    ],
)
def test_settings_that_make_no_test_are_told(metric: str, options: dict[str, Any], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        build(metric, options)


@pytest.mark.parametrize(
    ("metric", "options"),
    [("matches", {"pattern": r"^(a|a|aa)+$"}), ("json_schema", {"schema": {"pattern": r"^(a|a|aa)+$"}})],
)
def test_an_expression_that_does_not_come_to_an_end_is_no_score(metric: str, options: dict[str, Any]) -> None:
    answer = "a" * 40 + "!"
    with pytest.raises(ValueError, match="for more than 1 s"):
        passes(metric, options, f'"{answer}"' if metric == "json_schema" else answer)


def test_the_signature_tells_settings_apart() -> None:
    one, other = (build("matches", {"pattern": pattern}).signature([["a"]]) for pattern in ("a", "b"))
    assert one != other
    assert one.startswith("MATCHES|pattern:")
