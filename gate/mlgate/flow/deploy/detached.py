"""A rollout that its process left: each call goes on with it for a while, and leaves it to the next one.

So a rollout may last longer than any process. Between two calls nobody looks: the traffic stays where it is, and what
went wrong meanwhile takes the candidate back at the first look of the next call.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from dataclasses import dataclass, replace

from mlgate.core.deploy.ports import Stop
from mlgate.core.deploy.release import ServiceRecord
from mlgate.flow.deploy.leaving import Leaving
from mlgate.flow.deploy.rollout import RolloutTools, carry_out, recover


def go_on(tools: RolloutTools, record: ServiceRecord, leaving: Leaving, rules: str) -> ServiceRecord:
    """Go on with a detached rollout until it is over, or until it is time to leave. Return its record.

    To be called under the service's lock. Raises what `carry_out` raises. A signal ends the call, and the rollout stays
    as it is. *rules*: the digest of those that hold now. Others than it began by take the candidate back: a change does
    not choose what judges it.
    """
    assert record.is_detached
    assert record.handover is not None
    signals = tools.stop
    tools = replace(tools, stop=Unheeded(signals))
    leaving = replace(leaving, wants=lambda: bool(signals.why))
    if record.rules != rules:
        return recover(tools, record, "the rules in mlgate.yaml are others than when the rollout was detached")
    now = tools.now()
    handover = replace(record.handover, asked=record.handover.asked_until(now), taken=now)
    record = replace(record, handover=handover)
    tools.records.save(record)  # a process that only stalled must see that it was overtaken
    return carry_out(tools, record, leaving)


@dataclass(frozen=True, slots=True)
class Unheeded:
    """Signals that end a wait and a judgement, and that take nothing back."""

    signals: Stop

    @property
    def why(self) -> str:
        """Return nothing: nobody wants the rollout to go back."""
        return ""

    def wait(self, seconds: float) -> None:
        """Wait, until a signal at the latest."""
        self.signals.wait(seconds)

    def interrupts(self) -> AbstractContextManager[None]:
        """End what is inside as soon as a signal comes."""
        return self.signals.interrupts()
