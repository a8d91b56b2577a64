"""Where pytest finds its settings, and what of such a file it reads."""

from __future__ import annotations

import configparser
import re
import tomllib

_WHOLE = ("pytest.ini", ".pytest.ini", "pytest.toml", ".pytest.toml")
_PARTLY = ("pyproject.toml", "setup.cfg", "tox.ini", "setup.py")
_SECTIONS = ("tool:pytest", "pytest", "options.entry_points")
_PLUGIN = re.compile(r"-p[\s=\"',]*([A-Za-z_][\w.]*)")


def is_file_of(name: str) -> bool:
    """Return whether pytest may read its settings from a file of this name."""
    return name in (*_WHOLE, *_PARTLY)


def plugins(content: bytes) -> list[str]:
    """Return the plug-ins that a file of settings names behind `-p`."""
    return _PLUGIN.findall(content.decode("utf-8", "replace"))


def differ(name: str, before: bytes, after: bytes) -> bool:
    """Return whether pytest reads other settings of a file *name* that was edited."""
    return name in _WHOLE or _settings(name, before) != _settings(name, after)


def _settings(name: str, content: bytes) -> object:
    """Return what of a file pytest reads: its settings, and plug-ins that it makes known. Else all of it."""
    text = content.decode("utf-8", "replace")
    try:
        if name == "pyproject.toml":
            whole = tomllib.loads(text)
            project, tool = whole.get("project", {}), whole.get("tool", {})
            poetry = tool.get("poetry", {}).get("plugins")
            return (tool.get("pytest"), project.get("entry-points"), poetry)
        if name == "setup.py":
            return text if "pytest11" in text else ""
        parser = configparser.RawConfigParser(strict=False)
        parser.read_string(text)
        return {one: dict(parser[one]) for one in _SECTIONS if parser.has_section(one)}
    except (tomllib.TOMLDecodeError, configparser.Error, AttributeError, RecursionError):
        return text
