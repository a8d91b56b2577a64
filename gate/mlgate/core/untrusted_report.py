"""A report that came out of an untrusted run, held against what is known of that run for certain."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from mlgate.core.outcome import Outcome
from mlgate.core.report import Report

SUCCESS = "success"
"""The one conclusion of a run with which a passing report agrees."""


class CommitState(Enum):
    """What a commit is said to be, in GitHub's words."""

    SUCCESS = "success"
    FAILURE = "failure"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class UntrustedReport:
    """What a pull request's run reported of itself. Whoever wrote the change could write the report, too.

    The run's conclusion comes from CI itself. A report may make it worse, and never better.
    """

    conclusion: str
    """How the run ended: `success`, `failure`, `cancelled` …; one lower-case word."""
    url: str
    """The run's page, checked."""
    run: str
    """Which run it was, for people: `run 17234567890, attempt 2`."""
    fork: bool
    """Whether the change comes from a fork."""
    report: Report | None = None
    why: str = ""
    """Why there is no report. Text from outside, not escaped."""

    @property
    def is_contradicted(self) -> bool:
        """Return whether the report lets the change through and the run did not."""
        return self.report is not None and not self.report.outcome.blocks and self.conclusion != SUCCESS

    @property
    def is_ignored(self) -> bool:
        """Return whether the report blocks the change and the run let it through: a job that may fail does that."""
        return self.report is not None and self.report.outcome.blocks and self.conclusion == SUCCESS

    @property
    def state(self) -> CommitState:
        """Return the worse of what the report says and what the run did. No report is no success."""
        if self.report is None or self.is_contradicted:
            return CommitState.ERROR
        match self.report.outcome:
            case Outcome.PASSED | Outcome.WARNED:
                return CommitState.SUCCESS
            case Outcome.FAILED:
                return CommitState.FAILURE
            case Outcome.INCONCLUSIVE | Outcome.ERRORED:
                return CommitState.ERROR
