"""The rules of a file as one digest, which an attestation names and a deploy demands."""

from __future__ import annotations

from collections.abc import Iterator

from mlgate.config.config import Config
from mlgate.config.translate.rules import to_rules
from mlgate.core.check import Json, Rule
from mlgate.core.identity import identity


def rules_digest(config: Config) -> str:
    """Return the SHA-256 of everything that decides how a model is judged: its checks, and what it is held against.

    What is written as the default is the same as what is left out. Where the model runs and how it is deployed is no
    part of it.
    """
    document = config.document
    fields: dict[str, Json] = {
        "checks": {name: [check.kind, _written(check)] for name, check in document.checks.items()},
        "baseline": _written(document.baseline) if document.baseline is not None else None,
    }
    return identity("rules", fields)


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
