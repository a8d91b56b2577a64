"""How a candidate has requests without a share of the traffic, in words."""

from __future__ import annotations

from mlgate.core.deploy.rollout import Opening

OPENINGS = {Opening.MIRRORED: "users' requests mirrored", Opening.AUDIENCE: "for its audience"}
