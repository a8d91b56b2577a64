"""Traps of files."""

from __future__ import annotations

from tests.e2e.hints.trap import Trap

TRAPS: tuple[Trap, ...] = ()
