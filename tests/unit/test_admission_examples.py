"""The policies for a cluster's admission ask for what `mlgate attest` writes, and fail closed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from mlgate.core.attestation.statement import PREDICATE_TYPE, VERDICT, Result

FOLDER = Path(__file__).parents[2] / "examples/admission"


def policy(name: str) -> Any:
    return yaml.safe_load((FOLDER / f"{name}.yaml").read_text())["spec"]


@pytest.mark.parametrize("name", ["kyverno", "policy-controller"])
def test_a_policy_names_the_fields_that_are_written(name: str) -> None:
    text = (FOLDER / f"{name}.yaml").read_text()
    assert all(word in text for word in (PREDICATE_TYPE, VERDICT, Result.PASSED.value, "failedTests", "model"))
    assert "@refs/heads/main" in text


def test_no_pod_starts_while_kyverno_cannot_ask() -> None:
    spec = policy("kyverno")
    assert (spec["failurePolicy"], spec["validationActions"]) == ("Fail", ["Deny"])
    assert all(spec["validationConfigurations"].values())
    assert spec["attestations"][0]["intoto"]["type"] == PREDICATE_TYPE
    assert "CREATE" in spec["matchConstraints"]["resourceRules"][0]["operations"]


def test_the_policy_controller_enforces() -> None:
    spec = policy("policy-controller")
    assert spec["mode"] == "enforce"
    (authority,) = spec["authorities"]
    assert authority["signatureFormat"] == "bundle"
    assert authority["attestations"][0]["predicateType"] == PREDICATE_TYPE
