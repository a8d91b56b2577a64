"""A route shares traffic by weight, and what a gateway has not taken is not in effect."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from mlgate.adapters.kubernetes import http_route
from mlgate.adapters.kubernetes.http_route import Audience, Backend, Gateway, Split
from mlgate.core.deploy.rollout import Opening

OLD, NEW = Backend("summarizer-1", "summarizer-1-predictor", 80), Backend("summarizer-2", "summarizer-2-predictor", 80)
GATEWAY = Gateway("gate", "kserve", ("summarizer.example.com",), ("/v2", "/v1/models"))


def route(*shares: tuple[Backend, int], mirrored: Backend | None = None) -> dict[str, Any]:
    split = Split(shares, mirrored)
    return http_route.desired("mlgate-summarizer", GATEWAY, split, {"mlgate.dev/service": "summarizer"})


def test_each_model_has_its_weight_and_answers_to_its_name() -> None:
    rules = route((OLD, 95), (NEW, 5))["spec"]["rules"]
    assert [ref["weight"] for ref in rules[-1]["backendRefs"]] == [95, 5]
    assert [match["path"]["value"] for match in rules[-1]["matches"]] == ["/v2", "/v1/models"]
    named = {rule["matches"][0]["headers"][0]["value"]: rule["backendRefs"][0]["name"] for rule in rules[:-1]}
    assert named == {"summarizer-1": OLD.service, "summarizer-2": NEW.service}


@pytest.mark.parametrize("weight", [0, 1, 5, 33, 100])
def test_the_weight_is_read_back_as_it_was_written(weight: int) -> None:
    made = route((OLD, 100 - weight), (NEW, weight))
    assert http_route.weight_of(made, NEW.service) == weight
    assert http_route.weight_of(made, OLD.service) == 100 - weight


def test_a_copy_is_no_weight_and_only_users_requests_are_copied() -> None:
    made = route((OLD, 100), (NEW, 0), mirrored=NEW)
    assert (http_route.weight_of(made, NEW.service), http_route.weight_of(made, OLD.service)) == (0, 100)
    assert http_route.is_mirrored(made, NEW.service)
    assert not http_route.is_mirrored(made, OLD.service)
    assert not http_route.is_mirrored(route((OLD, 100), (NEW, 0)), NEW.service)
    assert not http_route.is_mirrored(None, NEW.service)
    assert ["filters" in rule for rule in made["spec"]["rules"]] == [False, False, True]


@pytest.mark.parametrize(
    ("cookies", "is_in"),
    [
        ("group=b", True),
        ("a=1; group=b", True),
        ("group=b; a=1", True),
        ("a=1; group=b; c=2", True),
        ("a=1;group=b;c=2", True),
        ("group=bb", False),
        ("group=b.", False),
        ("subgroup=b", False),
        ("a=group=b", False),
        ("group=a", False),
        ("Group=b", False),
        ("", False),
    ],
)
def test_a_cookie_is_told_apart_from_every_other(cookies: str, *, is_in: bool) -> None:
    match = Audience("group", "b", is_cookie=True).match
    assert match["type"] == "RegularExpression"
    assert (re.search(match["value"], cookies) is not None) == is_in
    assert (re.fullmatch(match["value"], cookies) is not None) == is_in


def test_what_is_written_in_a_cookie_is_no_pattern() -> None:
    pattern = Audience("a.b-c", "x.y~z", is_cookie=True).match["value"]
    assert re.search(pattern, "a.b-c=x.y~z")
    assert not re.search(pattern, "aXb-c=x.y~z")
    assert not re.search(pattern, "a.b-c=xXy~z")


def test_an_audience_has_no_weight_and_a_name_still_wins() -> None:
    split = Split([(OLD, 100), (NEW, 0)], audience=(Audience("x-group", "beta"), NEW))
    made = http_route.desired("mlgate-summarizer", GATEWAY, split, {})
    assert (http_route.weight_of(made, NEW.service), http_route.weight_of(made, OLD.service)) == (0, 100)
    assert http_route.opening_of(made, NEW.service) is Opening.AUDIENCE
    assert http_route.opening_of(made, OLD.service) is None
    assert http_route.opening_of(route((OLD, 95), (NEW, 5)), NEW.service) is None
    assert http_route.opening_of(route((OLD, 100), (NEW, 0), mirrored=NEW), NEW.service) is Opening.MIRRORED
    names = [[one["name"] for one in rule["matches"][0].get("headers", ())] for rule in made["spec"]["rules"]]
    assert names == [["x-mlgate-variant"], ["x-mlgate-variant"], ["x-group"], []]  # of equals the first one wins


def test_a_trial_of_an_audience_copies_nothing() -> None:
    made = http_route.trial("mlgate-summarizer-trial", GATEWAY, NEW, {}, Audience("group", "b", is_cookie=True))
    (rule,) = made["spec"]["rules"]
    assert "filters" not in rule
    assert [one["name"] for one in rule["matches"][0]["headers"]] == ["x-mlgate-variant", "x-mlgate-trial", "Cookie"]
    assert http_route.opening_of(made, NEW.service) is None


def test_a_trial_touches_no_users_request() -> None:
    made = http_route.trial("mlgate-summarizer-trial", GATEWAY, NEW, {})
    assert http_route.weight_of(made, NEW.service) == 0
    assert not http_route.is_mirrored(made, NEW.service)
    for rule in made["spec"]["rules"]:
        assert rule["filters"][0]["requestMirror"]["backendRef"]["name"] == NEW.service
        names = [[header["name"] for header in match["headers"]] for match in rule["matches"]]
        assert names == [["x-mlgate-variant", "x-mlgate-trial"]] * 2


def test_a_weight_that_a_hand_wrote_is_never_read_as_less() -> None:
    made = route((OLD, 2), (NEW, 1))
    assert http_route.weight_of(made, NEW.service) == 34
    assert http_route.weight_of(None, NEW.service) == 0


def test_the_captured_route_of_kserve_is_read() -> None:
    captured = json.loads((Path(__file__).parents[3] / "golden/kserve/httproute-demo.json").read_text())
    assert http_route.weight_of(captured, "demo-v3-predictor") == 5
    assert http_route.is_in_effect(captured)
    captured["metadata"]["generation"] += 1
    assert not http_route.is_in_effect(captured)


def taken(generation: int, **changed: Any) -> dict[str, Any]:
    conditions = [
        {"type": name, "status": "True", "observedGeneration": generation, **changed}
        for name in ("Accepted", "ResolvedRefs")
    ]
    return {"parentRef": {"name": "gate", "namespace": "kserve"}, "conditions": conditions}


@pytest.mark.parametrize(
    ("parents", "is_in_effect"),
    [
        ([taken(2)], True),
        ([taken(1)], False),
        ([], False),
        ([taken(2, status="False")], False),
        ([taken(2), taken(1)], True),
    ],
)
def test_only_what_every_gateway_has_taken_is_in_effect(parents: list[dict[str, Any]], *, is_in_effect: bool) -> None:
    made = route((OLD, 100))
    made["metadata"]["generation"] = 2
    made["status"] = {"parents": parents}
    assert http_route.is_in_effect(made) == is_in_effect


def test_a_gateway_that_does_not_take_the_route_is_quoted() -> None:
    made = route((OLD, 100))
    assert "no gateway has looked" in http_route.complaint(made)
    made["status"] = {"parents": [taken(2, status="False", reason="NotAllowedByListeners", message="no host")]}
    assert "NotAllowedByListeners: no host" in http_route.complaint(made)
