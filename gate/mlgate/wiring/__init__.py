"""The one room that knows config AND adapters: it names what the flow is run with."""

from __future__ import annotations

from mlgate.wiring.choice import Choice
from mlgate.wiring.models import model
from mlgate.wiring.project import ASKING, KINDS, Project, tests
from mlgate.wiring.publish import tell_error
from mlgate.wiring.standalone import Standalone, Unsays

__all__ = ["ASKING", "KINDS", "Choice", "Project", "Standalone", "Unsays", "model", "tell_error", "tests"]
