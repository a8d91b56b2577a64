"""Variables of the environment that are on or off, in the words that the command line takes."""

from __future__ import annotations

import os
from collections.abc import Mapping

from mlgate.core.errors import ConfigError

_ON = frozenset({"1", "true", "t", "yes", "y", "on"})
_OFF = frozenset({"", "0", "false", "f", "no", "n", "off"})


def switch(name: str, environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether a variable is on, in the words that the command line takes. Raises ConfigError for others."""
    value = environ.get(name, "").strip().lower()
    if value not in _ON | _OFF:
        raise ConfigError(f"{value[:40]!r} is neither on nor off", where=name, hint=f"{name}=true, or leave it out")
    return value in _ON


def in_ci(environ: Mapping[str, str] = os.environ) -> bool:
    """Return whether a machine runs this. CI's variable is not ours: any word that does not say off is on."""
    return environ.get("GITHUB_ACTIONS") == "true" or environ.get("CI", "").strip().lower() not in _OFF


def in_github_actions() -> bool:
    """Return whether this process is a step of GitHub Actions."""
    return os.environ.get("GITHUB_ACTIONS") == "true"
