"""What stops a run is told without the secrets that the file and the environment name."""

from __future__ import annotations

from pathlib import Path

from mlgate.adapters.secrets.redactor import Secrets, in_environment
from mlgate.config.load import load
from mlgate.core.errors import GateError
from mlgate.wiring.models import secrets_of


def secrets_at(config: Path) -> Secrets:
    """Return the secrets of the file's models; where it cannot be read, those that are called so in the environment."""
    try:
        read = load(config)
        return secrets_of(read.model, *([read.baseline_model] if read.baseline_model else []))
    except (GateError, OSError, ValueError):
        return Secrets(in_environment(()))
