"""How well the load generator kept up: which rounds the machine disturbed, and when no time can be judged for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from mlgate.core.latency.block import LoadBlock, TimedReply

LATE_SHARE = 0.02
LATE_S = 0.0002
"""Requests may leave so much later than due on average, of the median latency or at all: so much dilutes a ratio."""
LATE_ROUND = 0.1
"""Those of one round may leave so much later: rounds like it would be noise of the machine's own making."""
BUSY_SHARE = 0.7
"""The share of its core that the generator may use."""
STOLEN_SHARE = 0.1
"""The share of a block that the hypervisor may take away."""
GENERATOR_FLAW = "the generator, not the model,"
"""What a flaw begins with that is the generator's."""
MOST_LATE_ROUNDS = 0.2
"""The share of rounds that may be left out because of the generator."""


def is_busy(block: LoadBlock) -> bool:
    """Whether the generator had no time to spare. A model can bring that about, so such a block is never left out."""
    return block.facts.get("cpu_s", 0.0) > BUSY_SHARE * block.facts.get("wall_s", 0.0)


def left_out(rounds: Mapping[int, LoadBlock]) -> tuple[int, ...]:
    """Return the rounds that the machine disturbed while the generator was idle: what they measured is not the model.

    Those are the rounds of which the hypervisor took a part, or in which requests left very late, and then the latest
    until all others together are in time. That a neighbour holds up a request here and there is noise.
    """
    idle = {
        number: block for number, block in rounds.items() if not is_busy(block) and block.facts.get("wall_s", 0.0) > 0
    }
    late = {number: sent for number, block in idle.items() if (sent := _late(block))}
    median = float(np.median([reply.done for number in late for reply in rounds[number].replies])) if late else 0.0
    out, total, count = {number for number in late if _is_stolen(idle[number])}, 0.0, 0
    for number in sorted(late.keys() - out, key=lambda one: (float(np.mean(late[one])), one)):
        total, count = total + sum(late[number]), count + len(late[number])
        alone, together = float(np.mean(late[number])), total / count
        if alone > max(LATE_S, LATE_ROUND * median) or together > max(LATE_S, LATE_SHARE * median):
            out.add(number)
    return tuple(number for number in rounds if number in out)


def _late(block: LoadBlock) -> Sequence[float]:
    """Return how late each request left that was answered, in seconds."""
    return [reply.late for reply in block.replies if not reply.failure]


def _is_stolen(block: LoadBlock) -> bool:
    return block.facts.get("steal_s", 0.0) > STOLEN_SHARE * block.facts["wall_s"]


def lateness(replies: Sequence[TimedReply]) -> float:
    """Return the 99th percentile of how late requests were sent, in seconds; NaN without any."""
    return float(np.quantile([reply.late for reply in replies], 0.99)) if replies else math.nan


def flaw(rounds: Mapping[int, LoadBlock], late: Sequence[int]) -> str:
    """Return why these rounds measured the generator, and how to cure that; empty where it kept up in most of them."""
    full = [number for number, block in rounds.items() if is_busy(block)]
    if len(late) + len(full) <= MOST_LATE_ROUNDS * len(rounds):
        return ""
    flawed = sorted({*late, *full})
    replies = [reply for number in flawed for reply in rounds[number].replies]
    wall = sum(rounds[number].facts.get("wall_s", 0.0) for number in flawed)
    used, stolen = (
        sum(rounds[n].facts.get(name, 0.0) for n in flawed) / (wall or math.nan) for name in ("cpu_s", "steal_s")
    )
    spare = "a lower rate, or a machine with a core to spare, is needed"
    cure = spare if used > BUSY_SHARE / 2 else "other processes took it: a machine on which nothing else runs is needed"
    return (
        f"{GENERATOR_FLAW} was measured in {len(flawed)} of {len(rounds)} rounds: requests left "
        f"{lateness(replies) * 1000:.2f} ms late (p99), the generator's core was {used:.0%} busy, {stolen:.0%} stolen; "
        f"{cure}"
    )
