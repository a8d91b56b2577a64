"""The manifest that mlgate writes has no mistake that mlgate knows, with what the gate measured in it."""

from __future__ import annotations

from typing import get_args

import pytest
import yaml

from mlgate.adapters.kubernetes import manifest
from mlgate.adapters.kubernetes.manifest_rules.advice import advice
from mlgate.core.deploy.advice import Measured
from mlgate.core.deploy.release import Release
from mlgate.reports.starter_manifest import Kind, StarterManifest

MEASURED = Measured(peak_memory_mb=900, load_s=45, ready_path="/v2/models/summarizer/ready", port=9000)


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("gpus", [0, 1])
def test_it_has_no_mistake_and_is_a_release(kind: Kind, gpus: int) -> None:
    text = StarterManifest("summarizer", "ghcr.io/acme/summarizer", 2, gpus, MEASURED).render(kind)
    documents = list(yaml.safe_load_all(text))
    found = advice(documents, 0, MEASURED, (5, 25, 100), "summarizer")
    assert [one.topic for one in found] == (["gpu-any-kind"] if gpus else [])
    made = manifest.released("summarizer", Release(), documents)
    assert len(made.manifest) == len(documents)
    assert "1088Mi" in text
    assert "measured: 45 s" in text


@pytest.mark.parametrize("kind", get_args(Kind))
def test_what_was_not_measured_is_said_to_be_a_guess(kind: Kind) -> None:
    text = StarterManifest("summarizer", "summarizer:main", 1, 0, Measured(ready_path="/ready")).render(kind)
    assert "not measured: a guess" in text
    assert list(yaml.safe_load_all(text))
