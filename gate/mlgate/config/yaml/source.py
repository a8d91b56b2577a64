"""The text of a configuration file, whatever the path turns out to be."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from mlgate.core.errors import ConfigError

LARGEST_CONFIG = 256 * 1024
"""Bytes that a configuration may have."""


def read(path: Path) -> str:
    """Return the text of the file at *path*. Never waits: a pipe, a device or a folder is a ConfigError at once."""
    name = str(path)
    try:
        # O_NONBLOCK: opening a pipe that nobody writes to would wait for ever. Unknown on Windows, as are such pipes.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0)
        descriptor = os.open(path, flags)
    except FileNotFoundError as error:
        raise ConfigError("there is no such file", hint="write one with `mlgate init`", where=name) from error
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise _unreadable(name, error) from error
    try:
        with os.fdopen(descriptor, "rb", closefd=True) as file:
            if not stat.S_ISREG(os.fstat(descriptor).st_mode):
                raise ConfigError("it is no regular file", hint="name a file, e.g. mlgate.yaml", where=name)
            content = file.read(LARGEST_CONFIG + 1)
    except IsADirectoryError as error:
        raise ConfigError("it is a folder", hint=f"name the file in it: {path / 'mlgate.yaml'}", where=name) from error
    except OSError as error:
        raise _unreadable(name, error) from error
    if len(content) > LARGEST_CONFIG:
        raise too_large(name)
    return _decoded_text(content, name)


def too_large(name: str) -> ConfigError:
    """Return the error for a text above the limit."""
    return ConfigError(
        f"a configuration has at most {LARGEST_CONFIG // 1024} KB",
        hint="keep data in files and name them here",
        where=name,
    )


def _decoded_text(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        before = content[: error.start].decode("utf-8").split("\n")
        raise ConfigError(
            f"byte 0x{content[error.start]:02x} is not UTF-8",
            hint="save the file as UTF-8",
            where=f"{name}:{len(before)}:{len(before[-1]) + 1}",
        ) from error


def _unreadable(name: str, error: OSError | ValueError) -> ConfigError:
    reason = getattr(error, "strerror", None) or str(error)
    return ConfigError(f"it cannot be read: {reason}", hint="check the path and its permissions", where=name)
