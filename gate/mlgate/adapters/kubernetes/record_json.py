"""A service's record as JSON, in the ConfigMap that keeps it. What is not exactly of this form is damaged."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import fields
from typing import Any, cast

from mlgate.core import strict_json
from mlgate.core.check import Json
from mlgate.core.deploy.release import Deployed, Handover, Release, ServiceRecord
from mlgate.core.deploy.rollout import Health, Opening, Plan, Reading, Rollout
from mlgate.core.errors import ConfigError, EvidenceError
from mlgate.core.outcome import Outcome

FORMAT = "mlgate.rollout/1"


def write(record: ServiceRecord) -> str:
    """Return the record's text."""
    document = {
        "format": FORMAT,
        "mode": record.mode,
        "owner": record.owner,
        "accepted": deployed(record.accepted),
        "previous": deployed(record.previous),
        "candidate": deployed(record.candidate),
        "rollout": _rollout(record.rollout),
        "rules": record.rules,
        "handover": _handover(record.handover),
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)


def read(text: str) -> ServiceRecord:
    """Return the record of a text. Raises EvidenceError when it is damaged, or of a newer mlgate."""
    try:
        document = cast("dict[str, Any]", strict_json.loads(text))
        if document["format"] != FORMAT:
            raise EvidenceError(f"the record has the format {document['format']!r}", hint="upgrade mlgate")
        return ServiceRecord(
            mode=_text(document["mode"]),
            accepted=read_deployed(document["accepted"]),
            previous=read_deployed(document["previous"]),
            candidate=read_deployed(document["candidate"]),
            rollout=_read_rollout(document["rollout"]),
            owner=_text(document["owner"]),
            rules=_text(document.get("rules", "")),  # an older mlgate kept none: nobody goes on with its rollouts
            handover=_read_handover(document.get("handover")),  # an older mlgate detached no rollout
        )
    except (KeyError, TypeError, ValueError, OverflowError, AttributeError, RecursionError, ConfigError) as error:
        raise EvidenceError(f"the record of the service is damaged: {type(error).__name__}: {error}") from error


def deployed(one: Deployed | None) -> Json:
    """Return one model as JSON."""
    if one is None:
        return None
    release: dict[str, Json] = {field.name: getattr(one.release, field.name) for field in fields(Release)}
    if not one.release.attestation:
        del release["attestation"]  # an mlgate that knows none still reads what needs none
    manifest = [dict(obj) for obj in one.manifest]
    return {"release": release, "manifest": manifest, "name": one.name, "adopted": one.is_adopted}


def read_deployed(value: Mapping[str, Any] | None) -> Deployed | None:
    """Return one model of JSON. Raises KeyError, TypeError, ValueError or AttributeError where it is damaged."""
    if value is None:
        return None
    release = Release(**{name: _text(text) for name, text in value["release"].items()})
    manifest = tuple(dict(obj) for obj in value["manifest"])
    return Deployed(release, manifest, _text(value["name"]), is_adopted=_truth(value["adopted"]))


def _handover(one: Handover | None) -> Json:
    if one is None:
        return None
    asked = [list(span) for span in one.asked]
    return {"asked": asked, "restarts": dict(one.restarts), "taken": one.taken}


def _read_handover(value: Mapping[str, Any] | None) -> Handover | None:
    if value is None:
        return None
    asked = tuple((_number(begin), _number(end)) for begin, end in value["asked"])
    restarts = {uid: _whole(count) for uid, count in value["restarts"].items()}
    taken = None if value["taken"] is None else _number(value["taken"])
    return Handover(asked, restarts, taken)


def _rollout(one: Rollout | None) -> Json:
    if one is None:
        return None
    plan = one.plan
    return {
        "steps": list(plan.steps),
        "hold": plan.hold,
        "patience": plan.patience,
        "deadline": plan.deadline,
        "outlasts": plan.outlasts,
        "opening": plan.opening.value if plan.opening else None,
        "opening_hold": plan.opening_hold,
        "began": one.began,
        "history": [_reading(reading) for reading in one.history],
    }


def _read_rollout(value: Mapping[str, Any] | None) -> Rollout | None:
    if value is None:
        return None
    value = {"opening": None, "opening_hold": 0.0, "outlasts": False, **value}  # an older mlgate knew none of them
    steps = tuple(_whole(step) for step in value["steps"])
    hold, patience, deadline, opening_hold = (
        _number(value[name]) for name in ("hold", "patience", "deadline", "opening_hold")
    )
    opening = None if value["opening"] is None else Opening(value["opening"])
    plan = Plan(steps, hold, patience, deadline, opening, opening_hold, _truth(value["outlasts"]))
    return Rollout(plan, _number(value["began"]), tuple(_read_reading(one) for one in value["history"]))


def _reading(one: Reading) -> Json:
    return {
        "at": one.at,
        "candidate": one.candidate.value,
        "stable": one.stable.value,
        "weight": one.weight,
        "settled": one.is_settled,
        "judged": None if one.judged is None else one.judged.name.lower(),
        "measured": one.is_measured,
        "waits": one.waits,
        "why": one.why,
        "stop": one.stop,
    }


def _read_reading(value: Mapping[str, Any]) -> Reading:
    return Reading(
        at=_number(value["at"]),
        candidate=Health(value["candidate"]),
        stable=Health(value["stable"]),
        weight=None if value["weight"] is None else _whole(value["weight"]),
        is_settled=_truth(value["settled"]),
        judged=None if value["judged"] is None else Outcome[value["judged"].upper()],
        is_measured=_truth(value["measured"]),
        waits=None if value.get("waits") is None else _number(value["waits"]),
        why=_text(value["why"]),
        stop=_text(value["stop"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return value


def _truth(value: object) -> bool:
    if not isinstance(value, bool):
        raise TypeError(f"{value!r} is neither true nor false")
    return value


def _whole(value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no whole number")
    return value


def _number(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise TypeError(f"{value!r} is no number")
    return float(value)
