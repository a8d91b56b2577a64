"""What is said of a load generator that did not keep up."""

from __future__ import annotations

from mlgate.core.latency.block import LoadBlock, TimedReply
from mlgate.core.latency.generator import flaw, left_out


def block(wall_s: float, cpu_s: float) -> LoadBlock:
    return LoadBlock((TimedReply(0, 0.0, 0.0, 0.02, 0.02, "a", ""),), {"wall_s": wall_s, "cpu_s": cpu_s})


def test_a_generator_that_filled_its_core_is_told_with_how_busy_it_was() -> None:
    rounds = {number: block(1.0, 0.9) for number in range(1, 11)}
    assert left_out(rounds) == ()
    assert "10 of 10 rounds" in flaw(rounds, ())
    assert "core was 90% busy" in flaw(rounds, ())


def test_blocks_that_took_no_time_at_all_are_a_flaw_and_no_error() -> None:
    assert "10 of 10 rounds" in flaw({number: block(0.0, 0.9) for number in range(1, 11)}, ())
