"""The rules of a file as one digest: a later process asks by it whether it judges by the same."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mlgate.config.config import Config
from mlgate.config.sections.deploy import DeploySection
from mlgate.config.translate.rules import to_rules
from mlgate.core.check import Json, Rule
from mlgate.core.identity import identity


def rules_digest(config: Config) -> str:
    """Return the SHA-256 of everything that decides how a model is judged: its checks, and what it is held against.

    An attestation names it, and a deploy demands it. What is written as the default is the same as what is left out.
    Where the model runs and how it is deployed is no part of it.
    """
    baseline = config.document.baseline
    fields: dict[str, Json] = {
        "checks": _checks(config, config.document.checks),
        "baseline": _written(baseline) if baseline is not None else None,
    }
    return identity("rules", fields)


def step_rules_digest(config: Config, deploy: DeploySection) -> str:
    """Return the SHA-256 of everything that decides on a step of a rollout, for the process that goes on with it.

    That is the rules for users' requests, the checks that are asked, and how often.
    """
    fields: dict[str, Json] = {
        "analysis": _written(deploy.analysis) if deploy.analysis is not None else None,
        "checks": _checks(config, deploy.checks),
        "check_every": deploy.check_every.total_seconds(),
    }
    return identity("step_rules", fields)


def _checks(config: Config, names: Iterable[str]) -> Json:
    checks = config.document.checks
    return {name: [checks[name].kind, _written(checks[name])] for name in names}


def rules_of(config: Config) -> Iterator[tuple[str, Rule]]:
    """Yield every rule of the file, each with the check that it is of."""
    for check, resolved in config.resolved.items():
        for one in resolved.rules:
            yield from ((check, rule) for rule in to_rules(config, one))


def _written(section: object) -> Json:
    """Return a section's keys as JSON, without those that say what they would be anyway."""
    from pydantic import BaseModel

    assert isinstance(section, BaseModel)
    found: Json = section.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    return found
