"""The gate's file, and what it is called where nobody named it. Light: it is imported before anything heavy."""

from __future__ import annotations

from pathlib import Path

from mlgate.core.errors import ConfigError

DEFAULT_FILE = Path("mlgate.yaml")
"""The gate's file, where nobody names another."""


def found(named: Path = DEFAULT_FILE, folder: Path = Path()) -> Path:
    """Return the gate's file in *folder*; of mlgate.yaml and mlgate.yml, when nobody named one, the one that is there.

    `mlgate.yaml` in the environment names none: the action always puts it there where its user did not. Raises
    ConfigError where both are there.
    """
    file = folder / named
    other = file.with_suffix(".yml")
    if named != DEFAULT_FILE or not other.exists():
        return file
    if file.exists():
        raise ConfigError("there are mlgate.yaml and mlgate.yml", where=str(other), hint="delete one, or name it: -c")
    return other
