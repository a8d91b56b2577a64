"""The one room that knows config AND adapters: it names what the flow is run with."""

from __future__ import annotations

from mlgate.wiring.choice import RunOptions
from mlgate.wiring.models import model
from mlgate.wiring.project import ASKING, KINDS, Project, tests
from mlgate.wiring.publish import tell_error
from mlgate.wiring.standalone import PytestSession, VerdictReset

__all__ = ["ASKING", "KINDS", "Project", "PytestSession", "RunOptions", "VerdictReset", "model", "tell_error", "tests"]
