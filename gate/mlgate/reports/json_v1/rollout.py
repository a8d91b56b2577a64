"""A rollout as JSON, version 1: its plan, the readings that moved it, by what it was judged, and what was counted.

Times are Unix times in seconds, weights percent. The states follow from the plan and the readings, so they are held
against them when a document is read.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from mlgate.core.check import Bound, Rule
from mlgate.core.deploy.release import Deployed, Release
from mlgate.core.deploy.rollout import Health, Opening, Phase, Plan, Reading, Rollout
from mlgate.core.deploy.story import RolloutStory, ShownState, StepRules
from mlgate.core.deploy.traffic import Traffic, TrafficCounts, TrafficWindow
from mlgate.core.errors import ConfigError, EvidenceError
from mlgate.reports.json_v1.conclusions import OUTCOME, OUTCOMES
from mlgate.reports.json_v1.node import Node, Value
from mlgate.reports.json_v1.shape import (
    COUNT,
    FLAG,
    NUMBER,
    TEXT,
    Definition,
    Member,
    Role,
    array,
    choice,
    constant,
    document_schema,
    optional,
)

SCHEMA = "https://github.com/org/mlgate/blob/main/docs/reference/rollout.v1.schema.json"
VERSION = 1

_MINE = "a rollout that mlgate kept, version 1"


def _is_time(value: float) -> bool:
    return 0 <= value < math.inf


def _without_objects(release: Release, name: str, *, is_adopted: bool) -> Deployed:
    return Deployed(release, (), name, is_adopted=is_adopted)


MODEL = Definition(
    _without_objects,
    "One of the two models. Its objects are not kept: a manifest may have secrets.",
    (
        Member("name", TEXT, "Of the objects that ran it."),
        Member("image", TEXT, "`name@sha256:…`; empty for a model that mlgate found.", at="release.image"),
        Member("model", TEXT, "The model's digest in the verdict's provenance.", at="release.model"),
        Member("verdict", TEXT, "SHA-256 of the report that let it onto the cluster.", at="release.verdict"),
        Member("commit", TEXT, at="release.commit"),
        Member("judged", TEXT, "ISO 8601 in UTC.", at="release.judged"),
        Member("link", TEXT, "The CI run's page.", at="release.link"),
        Member("adopted", FLAG, "Somebody else made it.", at="is_adopted"),
    ),
    parts={"release": Release},
)
_TIMES = ("hold", "patience", "deadline", "opening_hold")
_OPENING = choice({one.value: one for one in Opening})
PLAN = Definition(
    Plan,
    "What the rollout might do.",
    (
        Member("steps", array(COUNT), "Percent, ascending to 100."),
        Member("hold", NUMBER, "Seconds that each step lasts at least."),
        Member("patience", NUMBER, "Seconds for what should happen by itself."),
        Member("deadline", NUMBER),
        Member("opening", optional(_OPENING), "What the first step is, which has 0 % then; null: it has a share."),
        Member("opening_hold", NUMBER, "Seconds that the opening lasts at least."),
        Member("outlasts", FLAG, "A step that is measured and not decided outlasts the deadline."),
    ),
    complaint=lambda plan: next(((key, "a time") for key in _TIMES if not _is_time(getattr(plan, key))), None),
)
_HEALTH = choice({one.value: one for one in Health})
READING = Definition(
    Reading,
    "What was seen when the rollout moved on.",
    (
        Member("at", NUMBER),
        Member("candidate", _HEALTH),
        Member("stable", _HEALTH),
        Member("weight", optional(COUNT), "What the candidate got; null: not known."),
        Member("settled", FLAG, "The cluster was as it should stay.", at="is_settled"),
        Member("judged", optional(OUTCOME), "How the step came out; null: not known."),
        Member("measured", FLAG, "Of a step that was not judged yet: more of the same would settle it.", "is_measured"),
        Member(
            "waits",
            optional(NUMBER),
            "Seconds for which a model, or the weight, had been lacking; null: all was there.",
        ),
        Member("why", TEXT),
        Member("stop", TEXT, "Why it had to go back at once; empty: it had not."),
    ),
    complaint=lambda reading: None if _is_time(reading.at) else ("at", "a time"),
)
STATE = Definition(
    ShownState,
    "Where the rollout was.",
    (
        Member("phase", choice({one.value: one for one in Phase})),
        Member("since", NUMBER),
        Member("weight", COUNT, "What the candidate was to have at most."),
        Member("opening", optional(_OPENING), "What else reached the candidate then."),
        Member("why", TEXT),
    ),
)
RULE = Definition(
    Rule,
    "One bound.",
    (
        Member("metric", TEXT),
        Member("bound", choice({one.value: one for one in Bound})),
        Member("limit", NUMBER),
        Member("relative", FLAG, "The limit is a fraction of what serves."),
        Member("confidence", NUMBER),
        Member("on_breach", OUTCOME),
        Member("on_inconclusive", OUTCOME),
        Member("where", TEXT, "`file:line:column`."),
    ),
)
ANALYSIS = Definition(
    StepRules,
    "What the steps were judged by.",
    (
        Member("rules", array(RULE.named("rule"))),
        Member("interval", NUMBER, "Seconds between two scrapes."),
    ),
    complaint=lambda one: None if _is_time(one.interval) else ("interval", "a time"),
)


def _miscounted(one: TrafficCounts) -> tuple[str, str] | None:
    if not 0 <= one.errors <= one.requests < math.inf:
        return "errors", "no more errors than requests, and no fewer than none"
    if not all(math.inf > a >= b >= 0 for a, b in pairwise((one.timed, *one.slower, 0.0))):
        return "slower", "no more requests beyond an edge than beyond the one before"
    return None


COUNTS = Definition(
    TrafficCounts,
    "Of one model in one window.",
    (
        Member("requests", NUMBER),
        Member("errors", NUMBER),
        Member("slower", array(NUMBER), "How many took longer than each edge."),
        Member("timed", NUMBER, "How many the histogram has."),
        Member("took_ms", NUMBER, "How long those took together; nan: nobody says."),
    ),
    complaint=_miscounted,
)
_SIDE = optional(COUNTS.named("counts"))
WINDOW = Definition(
    TrafficWindow,
    "A few seconds of both models.",
    (
        Member("at", NUMBER, "Its end."),
        Member("seconds", NUMBER),
        Member("candidate", _SIDE, "null: not measured."),
        Member("stable", _SIDE, "null: not measured."),
    ),
    complaint=lambda one: None if _is_time(one.at) and 0 < one.seconds < math.inf else ("seconds", "a time"),
)


def _ill_matched(traffic: Traffic) -> tuple[str, str] | None:
    if not all(0 < a < b < math.inf for a, b in pairwise((*traffic.edges_ms, math.nextafter(math.inf, 0)))):
        return "edges_ms", "ascending times"
    if any(b.at <= a.at for a, b in pairwise(traffic.windows)):
        return "windows", "windows in the order of time"
    sides = (side for one in traffic.windows for side in (one.candidate, one.stable) if side is not None)
    mixed = any(len(side.slower) != len(traffic.edges_ms) for side in sides)
    return ("windows", "one number an edge") if mixed else None


TRAFFIC = Definition(
    Traffic,
    "Users' requests from the first step on.",
    (
        Member("edges_ms", array(NUMBER), "Of the histogram's buckets, ascending, without the infinite one."),
        Member("windows", array(WINDOW.named("window"))),
        Member("why", TEXT, "Why they could not be read whole; empty where they could."),
    ),
    complaint=_ill_matched,
)


def _not_over(story: RolloutStory) -> tuple[str, str] | None:
    states = story.rollout.states
    if not _is_time(story.rollout.began):
        return "began", "a time"
    is_whole = states[-1].phase.is_over and all(a != b for a, b in pairwise(states))
    return None if is_whole else ("readings", "the readings that moved a rollout to its end")


STORY = Definition(
    RolloutStory,
    "A rollout that is over. Keys are only ever added in a new version.",
    (
        Member("schema", constant(SCHEMA, _MINE), at="", role=Role.WORDING),
        Member("version", constant(VERSION, _MINE), at="", role=Role.WORDING),
        Member("service", TEXT),
        Member("namespace", TEXT),
        Member("mode", TEXT, "How traffic was shared: `route`, `knative` …"),
        Member("outcome", choice({"promoted": True, "rolled_back": False}), at="is_promoted", role=Role.FOLLOWS),
        Member("reason", TEXT, "What decided that, in one sentence.", at="deciding.why", role=Role.FOLLOWS),
        Member("candidate", MODEL.named("model"), "The model that was tried."),
        Member("stable", optional(MODEL.named("model")), "The model that served beside it; null: none did."),
        Member("plan", PLAN.named("plan"), at="rollout.plan"),
        Member("began", NUMBER, at="rollout.began"),
        Member("readings", array(READING.named("reading")), "Those that moved it, in order.", at="rollout.history"),
        Member("states", array(STATE.named("state")), "Where it was, in order.", role=Role.FOLLOWS),
        Member(
            "analysis",
            optional(ANALYSIS.named("analysis")),
            "null: users' requests were held against nothing.",
            at="judged_by",
        ),
        Member("traffic", TRAFFIC.named("traffic")),
    ),
    parts={"rollout": Rollout},
    complaint=_not_over,
)
_DEFINED: Mapping[str, Definition[Any]] = {
    "model": MODEL,
    "plan": PLAN,
    "reading": READING,
    "state": STATE,
    "analysis": ANALYSIS,
    "rule": RULE,
    "traffic": TRAFFIC,
    "window": WINDOW,
    "counts": COUNTS,
}


def render(story: RolloutStory) -> str:
    """Return the document."""
    return json.dumps(STORY.write(story), indent=1, allow_nan=False) + "\n"


def parse(text: str) -> RolloutStory:
    """Return the rollout in *text*. Raises EvidenceError, with the path, for what `render` would not have written."""
    node = Node.of(text, "rollout")
    if not isinstance(node.value, dict) or (node.value.get("schema"), node.value.get("version")) != (SCHEMA, VERSION):
        raise node.wrong(_MINE)
    try:
        return STORY.read(node)
    except ConfigError as error:  # a plan that no file may have
        raise EvidenceError(error.message, where="rollout.plan") from error


def schema() -> dict[str, Value]:
    """Return the JSON Schema of what `render` writes; docs/reference/rollout.v1.schema.json is this one, committed."""
    return document_schema(SCHEMA, "mlgate rollout, version 1", STORY, _DEFINED, OUTCOMES.schema)
