"""The one room that knows config AND adapters: it names what the flow is run with."""

from __future__ import annotations

from mlgate.wiring.models import model
from mlgate.wiring.project import ASKING, KINDS, Project, tests
from mlgate.wiring.standalone import Standalone

__all__ = ["ASKING", "KINDS", "Project", "Standalone", "model", "tests"]
