"""The one room that knows config AND adapters: it names what the flow is run with."""

from __future__ import annotations

from mlgate.wiring.choice import Choice
from mlgate.wiring.models import model
from mlgate.wiring.project import ASKING, KINDS, Project, tests
from mlgate.wiring.publish import tell_error
from mlgate.wiring.standalone import Standalone, VerdictReset

__all__ = ["ASKING", "KINDS", "Choice", "Project", "Standalone", "VerdictReset", "model", "tell_error", "tests"]
