"""The base branch's rules as reports show them: whose they are, and what the change under test makes of its own."""

from __future__ import annotations

from mlgate.core.report import Report
from mlgate.core.rule_change import Direction

MOST_CHANGES = 20
WORDS = {
    Direction.QUESTION: "! question",
    Direction.LOOSER: "! looser",
    Direction.DIFFERENT: "! other",
    Direction.EFFECTIVE: "! in effect",
    Direction.TIGHTER: "+ tighter",
}
"""How each direction is marked. What is tighter binds at once; the rest is judged as the base has it."""


def whose(report: Report) -> str:
    """Return the clause that says whose rules judged; empty when they are the checkout's own. Not escaped."""
    return f"judged by the rules of {report.policy.source}" if report.policy else ""
