"""A baseline that MLflow remembers: which one is meant, and what it needs of the rest of the file."""

from __future__ import annotations

from itertools import combinations

import pytest
from tests.unit.config.small import config, told

from mlgate.config.sections.mlflow_baseline import MlflowBaseline
from mlgate.config.yaml import parse

TRACKING = "tracking: {mlflow: }\n"
WRITTEN = {"alias": "best", "version": "7", "run": "1a2b3c", "latest": "main"}


def remembered(written: str = "", rest: str = TRACKING, model: str = "{python: a:b}") -> MlflowBaseline:
    baseline = config(model=model, rest=f"baseline: {{from: mlflow{written}}}\n{rest}").baseline
    assert isinstance(baseline, MlflowBaseline)
    return baseline


def fault(written: str, rest: str = TRACKING, model: str = "{python: a:b}") -> str:
    return told(model=model, rest=f"baseline: {{from: mlflow{written}}}\n{rest}")


def test_the_champion_is_meant_where_nothing_else_is_said() -> None:
    baseline = remembered()
    assert (baseline.alias, baseline.chosen_alias) == (None, "champion")


def test_one_of_four_ways_says_which_one_is_meant() -> None:
    assert remembered(", alias: best").chosen_alias == "best"
    assert (remembered(", version: 7").version, remembered(", version: 7").chosen_alias) == (7, None)
    assert (remembered(", run: 1a2b3c").run, remembered(", run: 1a2b3c").chosen_alias) == ("1a2b3c", None)
    assert (remembered(", latest: main").latest, remembered(", latest: main").chosen_alias) == ("main", None)


@pytest.mark.parametrize(("one", "other"), list(combinations(WRITTEN, 2)))
def test_two_ways_at_once_are_refused(one: str, other: str) -> None:
    assert fault(f", {one}: {WRITTEN[one]}, {other}: {WRITTEN[other]}") == (
        f"m.yaml:4:1: baseline has {one} and {other}: a baseline is one run (keep one of them)"
    )


@pytest.mark.parametrize("way", ["run", "latest"])
def test_a_run_is_of_no_registered_model(way: str) -> None:
    assert fault(f", model: m, {way}: {WRITTEN[way]}") == (
        f"m.yaml:4:33: baseline.model is not for {way}: a run belongs to no registered model (delete it)"
    )


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (
            ", alias: latest",
            (
                "m.yaml:4:33: baseline.alias is no alias: letters, digits, _ and -, at most 255; "
                "`latest` and `v1`, `v2` … are MLflow's own (e.g. champion)"
            ),
        ),
        (", alias: ", "m.yaml:4:33: baseline.alias has no value (write one, or delete the key)"),
        (", version: 0", "m.yaml:4:35: baseline.version must be at least 1, but is the number 0 (write 1 or more)"),
        (
            ', version: "7"',
            "m.yaml:4:35: baseline.version must be a whole number, but is the text '7' (write 7 without quotes)",
        ),
        (
            ", run: 'a; DROP'",
            "m.yaml:4:31: baseline.run is no run's id (copy it from the run's page: 32 letters and digits)",
        ),
        (', latest: "x\' OR 1"', "m.yaml:4:34: baseline.latest is no branch (e.g. latest: main)"),
        (", latest: a..b", "m.yaml:4:34: baseline.latest is no branch (e.g. latest: main)"),
        (
            ", model: org/m",
            (
                "m.yaml:4:33: baseline.model is no registered model's name: at most 250 characters, "
                "without / : \\ and .., no blank at its ends (e.g. summarizer)"
            ),
        ),
        (
            ", stage: Production",
            "m.yaml:4:26: baseline.stage is unknown (baseline has: from, compare, alias, version, run, latest, model)",
        ),
    ],
)
def test_a_mistake_in_it_is_told_with_the_right_key(written: str, expected: str) -> None:
    assert fault(written) == expected


@pytest.mark.parametrize("rest", ["", "report: [terminal]\n"])
def test_a_baseline_in_mlflow_needs_to_know_where_mlflow_is(rest: str) -> None:
    said = fault("", rest)
    assert said == (
        "m.yaml:4:18: baseline.from needs tracking.mlflow, and the file has none "
        "(add a line: tracking: {mlflow: sqlite:///mlflow.db})"
    )
    line = said.partition("add a line: ")[2].removesuffix(")")
    assert parse.parse(line, "hint").value == {"tracking": {"mlflow": "sqlite:///mlflow.db"}}
    assert remembered(rest=f"{rest}{line}\n").chosen_alias == "champion"


UNNAMEABLE = "{name: org/m, python: a:b}"


@pytest.mark.parametrize("written", ["", ", alias: best", ", version: 7"])
def test_a_version_of_a_model_that_no_registry_can_name_is_refused(written: str) -> None:
    assert fault(written, model=UNNAMEABLE) == (
        "m.yaml:2:15: model.name cannot be a registered model's name, and the baseline is a version of one "
        "(name it: tracking: {mlflow: {registry: {name: …}}})"
    )


@pytest.mark.parametrize(
    ("written", "rest"),
    [
        (", run: 1a2b3c", TRACKING),
        (", latest: main", TRACKING),
        (", model: m", TRACKING),
        ("", "tracking: {mlflow: {registry: {name: m}}}"),
        (", model: m", "tracking: {mlflow: {registry: {name: n}}}"),
    ],
)
def test_it_is_enough_that_one_name_can_be_registered(written: str, rest: str) -> None:
    assert remembered(written, rest, UNNAMEABLE).model in {None, "m"}


def test_both_are_told_at_once() -> None:
    with pytest.raises(Exception, match=r"model\.name cannot be") as caught:
        config(model=UNNAMEABLE, rest="baseline: {from: mlflow}")
    assert [fault.where for fault in getattr(caught.value, "more", ())] == ["m.yaml:4:18"]


def test_a_name_that_no_registry_takes_is_no_matter_while_nothing_is_registered() -> None:
    assert config(model=UNNAMEABLE, rest=TRACKING).tracking is not None
