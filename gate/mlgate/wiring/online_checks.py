"""The file's own checks, asked of the model on the cluster through its gateway, with what serves beside it."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from mlgate.adapters.kubernetes.http_route import VARIANT_HEADER
from mlgate.adapters.terminal.output import tell
from mlgate.config.config import Config
from mlgate.config.load import parse
from mlgate.config.sections.deploy import DeploySection
from mlgate.config.sections.model import ModelSection
from mlgate.config.translate.checks import to_check
from mlgate.core.check import Check, Suite
from mlgate.core.errors import ConfigError
from mlgate.core.latency.metrics import FACTS
from mlgate.flow import paired_baseline
from mlgate.wiring.data import dataset
from mlgate.wiring.project import Project, written

_CANDIDATE, _STABLE = "MLGATE_CANDIDATE_VARIANT", "MLGATE_STABLE_VARIANT"
"""Variables that name the two models: a header's value comes from the environment."""
_OF_IMAGES = {*FACTS, "cpu_ms_per_request"} - {"max_rps"}
"""Metrics of a container that the gate itself started."""
_ASKING = ("protocol", "model", "prompt", "request", "answer", "params", "concurrency", "timeout", "batch")
_COMPARING = ("max_drop", "max_rise")


def project(config: Config, section: DeploySection, candidate: str, stable: str | None) -> Project:
    """Return the project of the online checks of two models by name. Raises ConfigError when no rule is left to hold.

    Left out are rules about a container of the gate's own and, with nothing beside, rules that compare.
    """
    os.environ[_CANDIDATE] = candidate
    text = json.dumps(_document(config, section, compares=stable is not None))
    own = parse(text, f"{config.path} (online checks)", config.root)
    if stable is not None:
        os.environ[_STABLE] = stable
        own = replace(own, past=_beside(own.model))
    checks = [_check(own, name) for name in own.checks]
    if own.baseline_model is not None:
        checks = list(paired_baseline.with_baseline(checks, written(own.baseline_model)))
    return Project(own, Suite.of(checks, own.model.name))


def _check(config: Config, name: str) -> Check:
    found = dataset(config, name)
    return to_check(config, name, found.examples, found.notices)


def _document(config: Config, section: DeploySection, *, compares: bool) -> Mapping[str, Any]:
    whole: dict[str, Any] = config.document.model_dump(mode="json", by_alias=True, exclude_unset=True)
    image = whole["model"]["image"]
    asked = {key: image[key] for key in _ASKING if key in image}
    asked.setdefault("model", config.model.served_name)
    busy = {"patience": "1ms"}  # a model that turns users away is no model to wait for
    endpoint = {"url": section.url, **asked, **busy, "headers": {VARIANT_HEADER: {"env": _CANDIDATE}}}
    checks = {name: _held(whole["checks"][name], name, compares=compares) for name in section.checks}
    document: dict[str, Any] = {
        "version": 1,
        "model": {"name": config.model.name, "endpoint": endpoint},
        "checks": checks,
        "report": ["terminal"],
    }
    if compares:
        document["baseline"] = {"from": "endpoint", "url": section.url}
    return document


def _held(check: Mapping[str, Any], name: str, *, compares: bool) -> Mapping[str, Any]:
    """Return a check with the rules that can be held on a cluster."""
    rules = {
        metric: {bound: limit for bound, limit in rule.items() if compares or bound not in _COMPARING}
        for metric, rule in check.get("rules", {}).items()
        if metric not in _OF_IMAGES
    }
    left = {metric: rule for metric, rule in rules.items() if rule.keys() & {"min", "max", *_COMPARING}}
    without = sorted(check.get("rules", {}).keys() - left.keys())
    if without and left:
        why = "they are about a container of the gate's own" + ("" if compares else ", or compare with nothing")
        tell(sys.stderr, f"mlgate: notice: {name}: online without the rules of {', '.join(without)}: {why}")
    if not left:
        raise ConfigError(
            f"check {name} has no rule that can be held on a cluster",
            hint="leave it out of deploy.checks; or give it a rule of answers or times, e.g. p95_ms: {max: 200}",
        )
    metrics = check.get("metrics")
    kept = {key: value for key, value in metrics.items() if key not in _OF_IMAGES} if metrics else None
    return {**check, "rules": left, **({"metrics": kept} if kept is not None else {})}


def _beside(model: ModelSection) -> ModelSection:
    """Return the model that serves, asked like the candidate under its own name."""
    values: dict[str, Any] = dict(written(model))
    headers = {VARIANT_HEADER: {"env": _STABLE}}
    return ModelSection.model_validate({**values, "endpoint": {**values["endpoint"], "headers": headers}})
