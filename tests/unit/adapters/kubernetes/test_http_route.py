"""A route shares traffic by weight, and what a gateway has not taken is not in effect."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlgate.adapters.kubernetes import http_route
from mlgate.adapters.kubernetes.http_route import Backend, Gateway

OLD, NEW = Backend("summarizer-1", "summarizer-1-predictor", 80), Backend("summarizer-2", "summarizer-2-predictor", 80)
GATEWAY = Gateway("gate", "kserve", ("summarizer.example.com",), ("/v2", "/v1/models"))


def route(*shares: tuple[Backend, int]) -> dict[str, Any]:
    return http_route.desired("mlgate-summarizer", GATEWAY, shares, {"mlgate.dev/service": "summarizer"})


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
