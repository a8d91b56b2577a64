"""rollout.json: its schema is committed, and what is not exactly of that form is refused with its place."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tests.conftest import Golden
from tests.support.simulated_rollout import BEGAN, SimulatedRollout
from tests.unit.reports.json_v1.test_document import paths

from mlgate.core.deploy.rollout import Plan
from mlgate.core.errors import EvidenceError
from mlgate.reports.json_v1 import rollout as json_v1

SCHEMA = json_v1.schema()
SHORT = Plan((50, 100), 60.0, 60.0, BEGAN + 1800)


@cache
def text() -> str:
    story = SimulatedRollout(plan=SHORT).run()
    hole = replace(story.traffic.windows[1], stable=None)
    return json_v1.render(replace(story, traffic=replace(story.traffic, windows=(story.traffic.windows[0], hole))))


def document() -> Any:
    return json.loads(text())


def test_the_committed_schema_is_the_codes(golden: Golden) -> None:
    Draft202012Validator.check_schema(SCHEMA)
    golden("../../docs/reference/rollout.v1.schema.json", json.dumps(SCHEMA, indent=2) + "\n")


def test_a_missing_an_unknown_or_a_wrong_value_is_refused() -> None:
    Draft202012Validator(SCHEMA).validate(document())
    for path in paths(document())[1:]:
        for change in ("drop", "add", "set"):
            changed = document()
            owner = changed
            for key in path[:-1]:
                owner = owner[key]
            if change == "drop":
                del owner[path[-1]]
            elif change == "add" and isinstance(owner, dict):
                owner["more"] = 1
            else:
                owner[path[-1]] = {"what": "nobody wrote"}
            if change == "drop" and isinstance(path[-1], int) and path[0] not in ("readings", "states"):
                continue  # an edge, a rule or a window less may be a whole document
            with pytest.raises(EvidenceError):
                json_v1.parse(json.dumps(changed))


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        (("version",), 2, "rollout"),
        (("schema",), "https://github.com/org/mlgate/blob/main/docs/reference/report.v1.schema.json", "rollout"),
        (("outcome",), "rolled_back", "rollout.outcome"),
        (("reason",), "because", "rollout.reason"),
        (("states", 3, "weight"), 100, "rollout.states"),
        (("plan", "steps"), [50], "rollout.plan"),
        (("plan", "hold"), "nan", "rollout.plan.hold"),
        (("plan", "hold"), 3600, "rollout.readings"),
        (("readings",), [], "rollout.readings"),
        (("readings", 0, "at"), "inf", "rollout.readings[0].at"),
        (("analysis", "interval"), -1, "rollout.analysis.interval"),
        (("traffic", "edges_ms"), [250, 100, 50], "rollout.traffic.edges_ms"),
        (("traffic", "edges_ms"), [50, 100], "rollout.traffic.windows"),
        (("traffic", "windows", 1, "at"), 0, "rollout.traffic.windows"),
        (("traffic", "windows", 0, "seconds"), 0, "rollout.traffic.windows[0].seconds"),
        (("traffic", "windows", 0, "candidate", "errors"), 1e6, "rollout.traffic.windows[0].candidate.errors"),
        (("traffic", "windows", 0, "candidate", "requests"), "nan", "rollout.traffic.windows[0].candidate.errors"),
        (("traffic", "windows", 0, "candidate", "slower"), [1, 2, 3], "rollout.traffic.windows[0].candidate.slower"),
    ],
)
def test_a_rollout_that_contradicts_itself_is_refused_with_its_place(
    path: tuple[str | int, ...], value: object, where: str
) -> None:
    changed = document()
    owner = changed
    for key in path[:-1]:
        owner = owner[key]
    owner[path[-1]] = value
    with pytest.raises(EvidenceError) as error:
        json_v1.parse(json.dumps(changed))
    assert (error.value.where or "").startswith(where)


@pytest.mark.parametrize("foreign", ["", "{}", "[]", "null", "{", "NaN", "[" * 100_000, '{"version": 1}'])
def test_what_is_no_rollout_is_refused(foreign: str) -> None:
    with pytest.raises(EvidenceError):
        json_v1.parse(foreign)
