"""Files that were not there before: none that is there is ever overwritten."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from mlgate.core.errors import ConfigError


def write(folder: Path, files: Mapping[str, str]) -> Iterator[Path]:
    """Write each text of *files* under its name, and yield where. Raises ConfigError before the first if one is there.

    Also for one that cannot be written.
    """
    for name in files:
        if (folder / name).exists():
            raise ConfigError("there is such a file already", where=str(folder / name), hint="name another folder")
    for name, text in files.items():
        target = folder / name
        try:
            target.parent.mkdir(parents=True, exist_ok=True)
            with target.open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise ConfigError(f"could not write: {error.strerror}", where=str(target)) from error
        yield target
