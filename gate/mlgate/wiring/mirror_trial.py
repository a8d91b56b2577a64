"""Two requests through the gateway, to the candidate alone: one that it is to copy, and one that it is not."""

from __future__ import annotations

from mlgate.adapters.http.status import status
from mlgate.adapters.kubernetes.http_route import TRIAL, TRIAL_HEADER, VARIANT_HEADER
from mlgate.config.sections.deploy import DeploySection
from mlgate.core.deploy.release import Deployed

_NOWHERE = "mlgate-trial"
"""A path that no model has: nothing is computed for it."""


def statuses(section: DeploySection, candidate: Deployed) -> tuple[int, int]:
    """Return how a request was answered, and how one that was to be copied. Raises AdapterError."""
    assert section.url is not None
    assert section.gateway is not None
    path = f"{section.gateway.paths[0].rstrip('/')}/{_NOWHERE}"
    named = {VARIANT_HEADER: candidate.name}
    return status(section.url, path, named), status(section.url, path, {**named, TRIAL_HEADER: TRIAL})
