"""Strict YAML: threats T10 to T20, and that every value is found where it is written."""

from __future__ import annotations

import json
import math

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from tests.support.waiting import works_at_most

from mlgate.config.yaml import parse as strict_yaml
from mlgate.config.yaml.parse import Value, parse
from mlgate.config.yaml.position import Mark, Steps
from mlgate.core.errors import ConfigError

LOADERS = [yaml.SafeLoader] + ([yaml.CSafeLoader] if yaml.__with_libyaml__ else [])


@pytest.fixture(params=LOADERS, ids=lambda loader: loader.__name__)
def _loader(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(strict_yaml, "_LOADER", request.param)


both_loaders = pytest.mark.usefixtures("_loader")


def refused(text: str) -> str:
    with pytest.raises(ConfigError) as caught:
        parse(text, "m.yaml")
    assert caught.value.exit_code == 2
    return "\n".join(str(error) for error in (caught.value, *caught.value.more))


INVISIBLE = "(delete it; inside double quotes it can be written as an escape)"
NUMBER = "or write a number like 12, 0.5 or 1e3)"
FINITE = "is no finite number (write a number, or quote it as text:"
LONG = "a whole number has at most 18 digits (quote it if it is an id and no quantity)"
BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + i)}: &{chr(98 + i)} [*{chr(97 + i)}, *{chr(97 + i)}]\n" for i in range(12)
)
AGAIN = "some YAML readers take it for true, false or null, others for text"
DIFFER = "YAML readers disagree about the number it is"


@both_loaders
@pytest.mark.parametrize(
    ("row", "text", "told"),
    [
        ("T10", "min: .nan", f"m.yaml:1:6: '.nan' {FINITE} \".nan\")"),
        ("T11", "min: .inf", f"m.yaml:1:6: '.inf' {FINITE} \".inf\")"),
        ("T11", "min: -.Inf", f"m.yaml:1:6: '-.Inf' {FINITE} \"-.Inf\")"),
        ("T12", "min: !!float nan", "m.yaml:1:6: tags are not used here (delete the word that begins with !)"),
        (
            "T12",
            "min: !!python/object/apply:os.system [id]",
            "m.yaml:1:6: tags are not used here (delete the word that begins with !)",
        ),
        ("T13", '{"min": NaN}', f"m.yaml:1:9: 'NaN' {FINITE} \"NaN\")"),
        (
            "T13",
            "min: 1e999",
            "m.yaml:1:6: '1e999' is beyond what a number can hold (write a number that can be measured)",
        ),
        (
            "T13",
            "max_drop: 1e-999",
            "m.yaml:1:11: '1e-999' is beyond what a number can hold (write a number that can be measured)",
        ),
        ("T14", "min: 12:30:45", f"m.yaml:1:6: '12:30:45' is ambiguous: {DIFFER} (quote it: \"12:30:45\", {NUMBER}"),
        ("T14", "min: 010", f"m.yaml:1:6: '010' is ambiguous: {DIFFER} (write 10, or quote it as text: \"010\")"),
        (
            "T14",
            "min: 1_000",
            f"m.yaml:1:6: '1_000' is ambiguous: {DIFFER} (write 1000, or quote it as text: \"1_000\")",
        ),
        ("T14", "min: 0x1F", f"m.yaml:1:6: '0x1F' is ambiguous: {DIFFER} (quote it: \"0x1F\", {NUMBER}"),
        ("T14", "min: .5", f"m.yaml:1:6: '.5' is ambiguous: {DIFFER} (write 0.5, or quote it as text: \".5\")"),
        ("T14", "{min: 0,5}", "m.yaml:1:7: '0,5' is no number: a comma ends an entry (write 0.5)"),
        ("T14", "{max_drop: 2,5%, a: 1}", "m.yaml:1:12: '2,5%' is no number: a comma ends an entry (write 2.5%)"),
        ("T14", "{max: 1,000}", "m.yaml:1:7: '1,000' is no number: a comma ends an entry (write 1000)"),
        ("T14", "min: no", f"m.yaml:1:6: 'no' is ambiguous: {AGAIN} (write false, or quote it as text: \"no\")"),
        ("T14", "on: 1", f"m.yaml:1:1: 'on' is ambiguous: {AGAIN} (quote it: \"on\")"),
        (
            "T14",
            "a: TRUE",
            f"m.yaml:1:4: 'TRUE' is ambiguous: {AGAIN} (write true, or quote it as text: \"TRUE\")",
        ),
        (
            "T14",
            "a: 2024-01-01",
            f"m.yaml:1:4: '2024-01-01' is ambiguous: {DIFFER} (quote it: \"2024-01-01\", {NUMBER}",
        ),
        ("T15", "min: 30\nmin: 0", "m.yaml:2:1: the key 'min' is given twice: lines 1 and 2 (keep one of them)"),
        ("T15", '{min: 30, "min": 0}', "m.yaml:1:11: the key 'min' is given twice: lines 1 and 1 (keep one of them)"),
        ("T17", "<<: {min: 0}", "m.yaml:1:1: merge keys are not used here (write the keys out where they are needed)"),
        ("T17", "a: 1\n---\nb: 0", "m.yaml:2:1: there is more than one document (keep one, and delete the line `---`)"),
        (
            "T17",
            "%YAML 1.1\n---\na: 1",
            "m.yaml:1:1: directives are not used here (delete the lines that begin with %)",
        ),
        (
            "T17",
            "a: &x 1",
            "m.yaml:1:4: anchors and aliases are not used here (write the value out where it is needed)",
        ),
        ("T17", "a: ! 1", "m.yaml:1:4: tags are not used here (delete the word that begins with !)"),
        ("T18", "[" * 17 + "]" * 17, "m.yaml:1:17: it is nested deeper than 16 levels (flatten it)"),
        ("T18", "[" * 5000, "m.yaml:1:17: it is nested deeper than 16 levels (flatten it)"),
        ("T18", "- " * 5000, "m.yaml:1:33: it is nested deeper than 16 levels (flatten it)"),
        ("T19", "- a\n" * 5000, "m.yaml:5000:3: there are more than 5,000 keys and values (keep data in files)"),
        ("T20", "n: " + "9" * 10_000, f"m.yaml:1:4: {LONG}"),
        ("T20", "n: -" + "9" * 30, f"m.yaml:1:4: {LONG}"),
        ("T22", "", "m.yaml:1:1: the file is empty (write one with `mlgate init`)"),
        ("T22", "\ufeff# nothing\r\n", "m.yaml:1:1: the file is empty (write one with `mlgate init`)"),
        ("T22", "a: b\0c", f"m.yaml:1:5: here is a character that nobody can see: U+0000 {INVISIBLE}"),
        ("T22", 'a: "b\\0"', "m.yaml:1:4: a NUL or half a character is not text (remove the escape)"),
        ("keys", "1: a", "m.yaml:1:1: a key must be text, not '1' (quote it: '1')"),
        ("keys", "? [a]\n: b", "m.yaml:1:3: a key must be text, not a mapping or a list (write `name: value`)"),
        ("tabs", "a: b: c", "m.yaml:1:5: it is not YAML: mapping values are not allowed REST"),
        ("hidden", "a: 1 # \u2028min: 0", f"m.yaml:1:8: here is a line break that editors hide: U+2028 {INVISIBLE}"),
        ("hidden", "a: 1 #\rmin: 0", f"m.yaml:1:7: here is a line break that editors hide: U+000D {INVISIBLE}"),
        ("hidden", "a: 1 #\u202e", f"m.yaml:1:7: here is a character that nobody can see: U+202E {INVISIBLE}"),
    ],
)
def test_what_yaml_readers_read_differently_is_refused_with_its_place(row: str, text: str, told: str) -> None:
    del row
    start, rest, _ = told.partition("REST")
    assert refused(text).startswith(start) if rest else refused(text) == told


@both_loaders
def test_t16_a_bomb_of_aliases_is_refused_before_anything_grows() -> None:
    with works_at_most(0.5):
        told = refused(BOMB)
    assert told.startswith("m.yaml:1:4: anchors and aliases are not used here")


def test_t19_two_megabytes_are_refused_without_parsing() -> None:
    with works_at_most(0.5):
        told = refused("- a\n" * 500_000)
    assert told == "m.yaml: a configuration has at most 256 KB (keep data in files and name them here)"
    assert "256 KB" in refused("# " + "ä" * 140_000)


@pytest.mark.parametrize(
    "text",
    [
        "[" * 250_000,
        "{" * 250_000,
        "? " * 120_000,
        "a: " * 80_000,
        "'\\" * 120_000,
        "# " * 120_000,
        "!" * 250_000,
        "&a " * 80_000,
        "| \n" * 80_000,
        "\n" * 250_000,
        "[1," * 80_000,
    ],
)
def test_no_text_of_the_largest_size_takes_long(text: str) -> None:
    with works_at_most(2):
        refused(text)


@both_loaders
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1e3", {"a": 1000.0}),
        ("a: 1.5e-3", {"a": 0.0015}),
        ("a: 2%", {"a": "2%"}),
        ("a: 30s", {"a": "30s"}),
        ("a: 'no'", {"a": "no"}),
        ("a: [true, false, null, ~, , x]".replace(", ,", ","), {"a": [True, False, None, None, "x"]}),
        ("n: 1", {"n": 1}),
        ("\ufeffa: b\r\nc: |\r\n  d\r\n", {"a": "b", "c": "d\n"}),
        ("---\na: 1\n...\n", {"a": 1}),
        ("a:", {"a": None}),
        ("just text", "just text"),
        ('"<<": 1', {"<<": 1}),
        ("a: 挨拶 😀", {"a": "挨拶 😀"}),
    ],
)
def test_plain_yaml_means_what_it_says(text: str, value: Value) -> None:
    assert parse(text, "m.yaml").value == value


@both_loaders
def test_all_words_that_are_wrong_are_told_at_once_and_in_their_order() -> None:
    assert refused("b: no\na: 010\nb: &x 1\n").splitlines() == [
        f"m.yaml:1:4: 'no' is ambiguous: {AGAIN} (write false, or quote it as text: \"no\")",
        f"m.yaml:2:4: '010' is ambiguous: {DIFFER} (write 10, or quote it as text: \"010\")",
        "m.yaml:3:1: the key 'b' is given twice: lines 1 and 3 (keep one of them)",
        "m.yaml:3:4: anchors and aliases are not used here (write the value out where it is needed)",
    ]


@both_loaders
@pytest.mark.parametrize(
    ("steps", "key", "value"),
    [
        (("checks",), (1, 1), (2, 3)),
        (("checks", "ä"), (2, 3), (2, 6)),
        (("checks", "ä", "min"), (2, 7), (2, 12)),
        (("list",), (3, 1), (4, 1)),
        (("list", 0), None, (4, 3)),
        (("list", 1, "b"), (5, 3), (5, 6)),
        (("list", "a"), None, (4, 3)),
        ((), None, (1, 1)),
    ],
)
def test_every_key_and_every_value_is_found(steps: Steps, key: tuple[int, int] | None, value: tuple[int, int]) -> None:
    place = parse("checks:\n  ä: {min: 0.5}\nlist:\n- a\n- b: c\n", "m.yaml").positions.places[steps]
    assert (place.key, place.value) == (Mark(*key) if key else None, Mark(*value))


def test_what_is_not_written_is_found_at_the_section_around_it() -> None:
    positions = parse("checks:\n  a: {min: 0.5}\n", "m.yaml").positions
    assert positions.where(("checks", "a", "max")) == "m.yaml:2:3"
    assert positions.where(("checks", "a", "min")) == "m.yaml:2:12"
    assert positions.where(("checks", "a", "min"), key=True) == "m.yaml:2:7"
    assert positions.where(("model", "name")) == "m.yaml:1:1"


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**17), 10**17))
def test_every_number_that_json_writes_comes_back_the_same(number: float) -> None:
    back = parse(f"a: {json.dumps(number)}", "m.yaml").value
    assert isinstance(back, dict)
    assert back["a"] == number
    assert type(back["a"]) is type(number)
    assert math.copysign(1, float(str(back["a"]))) == math.copysign(1, number) or isinstance(number, int)


@given(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))
def test_every_text_that_is_quoted_comes_back_the_same(text: str) -> None:
    escaped = "".join(f"\\U{ord(char):08x}" for char in text)
    assert parse(f'a: "{escaped}"', "m.yaml").value == {"a": text}


@given(st.text() | st.text("[]{}:,-?&*!|>'\"%@`#<~ \n\t\r0123456789abeno.x_\\\ufeff\u2028\ud800\0", max_size=60))
def test_any_text_is_parsed_or_refused(text: str) -> None:
    try:
        parse(text, "m.yaml")
    except ConfigError as error:
        for one in (error, *error.more):
            assert one.message
            assert one.where.startswith("m.yaml")


@given(st.text("[]{}:,-?&*!|>'\"%@`#<~ \n\t\r0123456789abeno.x_\\", max_size=40))
def test_both_loaders_agree(text: str) -> None:
    outcomes = []
    for loader in LOADERS:
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(strict_yaml, "_LOADER", loader)
            try:
                outcomes.append(repr(parse(text, "m.yaml").value))
            except ConfigError:
                outcomes.append("refused")
    assert len({*outcomes} - {"refused"}) <= 1
