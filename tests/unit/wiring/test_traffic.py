"""What tells the metrics of one model from another's: the names of its pods, as Kubernetes makes them."""

from __future__ import annotations

import re

import pytest

from mlgate.core.deploy.release import Deployed, Release
from mlgate.wiring.traffic import names


def deployed(name: str, kind: str = "InferenceService") -> Deployed:
    group = "serving.kserve.io/v1beta1" if kind == "InferenceService" else "apps/v1"
    return Deployed(Release(), ({"apiVersion": group, "kind": kind, "metadata": {"name": name}},), name)


def pod(workload: str, digest: str = "7d9f8b6c54", suffix: str = "xk2fd") -> str:
    """Return the name of a pod: a generated one is cut to 58 characters before its suffix."""
    return f"{workload}-{digest}-"[:58] + suffix


@pytest.mark.parametrize("name", ["summarizer-1f2e3d4c", "s", "a" * 30, "a" * 36, "a" * 44, "long-name-" * 4])
@pytest.mark.parametrize("kind", ["InferenceService", "Deployment"])
def test_a_models_pods_have_its_pattern(name: str, kind: str) -> None:
    workload = f"{name}-predictor" if kind == "InferenceService" else name
    assert re.fullmatch(names(deployed(name, kind), "models")["pods"], pod(workload))
    assert re.fullmatch(names(deployed(name, kind), "models")["workloads"], workload)


@pytest.mark.parametrize(
    "other",
    [
        pod("summarizer-1f2e3d4c"),
        pod("summarizer-v2"),
        "summarizer-loader-x7f9k",
        "summarizer-0",
        "xsummarizer-7d9f8b6c54-xk2fd",
    ],
)
def test_the_pods_of_something_else_have_not(other: str) -> None:
    assert not re.fullmatch(names(deployed("summarizer", "Deployment"), "models")["pods"], other)
    assert re.fullmatch(names(deployed("summarizer", "Deployment"), "models")["pods"], pod("summarizer"))
