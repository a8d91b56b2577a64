"""Where a registry has the image that was judged: what buildx, with the docker command's logins, says of it."""

from __future__ import annotations

from functools import partial

from mlgate.adapters.docker import buildx
from mlgate.adapters.docker.registry import fetch_by, pushed_image
from mlgate.core.deploy.release import PushedImage


def pushed(ref: str) -> PushedImage | None:
    """Return the image `name@sha256:…` and what engines call it; None for an empty *ref*. Raises GateError."""
    return pushed_image(ref, fetch_by(partial(buildx.find, "asking a registry for an image"))) if ref else None
