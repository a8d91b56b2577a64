"""The command line: one short file a verb, loaded only when it is called."""

from __future__ import annotations

from mlgate.cli.group import main

__all__ = ["main"]
