"""What observing a latency check needs to know: its rounds, and its load as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from mlgate.config.config import Config
from mlgate.config.sections.latency import LatencyCheck
from mlgate.config.sections.load import BlockLoad, ClosedLoad, FindLoad, RateLoad, StagedLoad
from mlgate.config.translate import latency_schedule
from mlgate.config.yaml.fault import Complaint
from mlgate.core.check import Json

FEWEST_JUDGED = 16
"""With fewer rounds of each side an interval is more than half as wide again as with forty."""


def timed(config: Config, check_id: str, section: LatencyCheck) -> tuple[int, dict[str, Json]]:
    """Return the most rounds and the params of a latency check.

    Times are in seconds and rates in requests a second; rounds, looks and the warm-up count as in `rounds.Rounds`.
    Raises rounds.Unfit for a load whose rounds could not be judged.
    """
    count, params = _load(section, sides=2 if config.is_duet(check_id) else 1)
    if section.on_noise == "retry":
        if 2 * count > latency_schedule.MOST_ROUNDS:
            raise latency_schedule.Unfit(
                "",
                f"has {2 * count:,} rounds when it is started over: more than {latency_schedule.MOST_ROUNDS:,}",
                "write a longer block, or less time",
            )
        params["once"] = count
        count *= 2
    load, served = section.load, config.model.served
    assert served is not None  # the document refused other models
    params |= {
        "seed": load.seed,
        "stream": load.stream,
        "stored": section.stored,
        "timeout_s": served.timeout.total_seconds(),
    }
    if load.mix:
        params["mix"] = {"by": load.mix.by, "weights": dict(load.mix.weights)}
    return count, params


def short(params: Mapping[str, Json]) -> Iterator[str]:
    """Yield a notice on a load that has so few rounds to judge that only plain cases pass."""
    looks, warm = params.get("looks"), params.get("warm")
    if isinstance(looks, list) and looks and isinstance(looks[-1], int) and isinstance(warm, int):
        judged = looks[-1] - warm
        longer = "longer stages" if params.get("mode") == "stages" else "a longer duration, or a budget"
        if judged < FEWEST_JUDGED:
            yield f"only {judged} rounds are judged: so few settle plain cases only; write {longer}"


def unfit(config: Config) -> Iterator[Complaint]:
    """Yield every load that has too little time, or too few requests, to be judged by."""
    for check_id, section in config.checks.items():
        if isinstance(section, LatencyCheck):
            try:
                timed(config, check_id, section)
            except latency_schedule.Unfit as error:
                steps = ("checks", check_id, "load", *([error.key] if error.key else []))
                yield Complaint(steps, error.says, error.hint, at_key=not error.key)


def _load(section: LatencyCheck, *, sides: int) -> tuple[int, dict[str, Json]]:
    load = section.load
    match load:
        case FindLoad():
            step_s = load.step.total_seconds()
            longest = load.duration.total_seconds() if load.duration else None
            count = latency_schedule.search(step_s=step_s, duration_s=longest, least=load.least, sides=sides)
            return count, {
                "mode": "find",
                "find": dict(load.find),
                "least": load.least,
                "most": load.most,
                "arrivals": load.arrivals,
                "step_s": step_s,
                "block_s": step_s,
                "warm": 0,
                "looks": [],
            }
        case StagedLoad():
            stages = [(stage.rate, stage.duration.total_seconds()) for stage in load.stages]
            warmup_s, block_s = load.warmup.total_seconds(), _block_s(load, min(rate for rate, _ in stages))
            planned = latency_schedule.staged(stages, warmup_s=warmup_s, block_s=block_s, sides=sides)
            own: dict[str, Json] = {"mode": "stages", "stages": [list(stage) for stage in planned.stages]}
            own["arrivals"] = load.arrivals
        case RateLoad():
            planned = _steady(section, load, load.rate, sides)
            own = {"mode": "open", "rate": load.rate, "arrivals": load.arrivals}
        case ClosedLoad():
            planned = _steady(section, load, None, sides)
            own = {"mode": "closed", "concurrency": load.concurrency}
    shape: dict[str, Json] = {"block_s": planned.block_s, "warm": planned.warm}
    return planned.count, {**own, **shape, "looks": list(planned.looks), "whole": planned.whole}


def _steady(
    section: LatencyCheck, load: RateLoad | ClosedLoad, rate: float | None, sides: int
) -> latency_schedule.LatencySchedule:
    return latency_schedule.steady(
        duration_s=load.duration.total_seconds(),
        budget_s=(section.budget or load.duration).total_seconds(),
        warmup_s=load.warmup.total_seconds(),
        block_s=_block_s(load, rate),
        sides=sides,
        rate=rate,
    )


def _block_s(load: BlockLoad, rate: float | None) -> float:
    """Return how long a block is to be. Short: a machine that drifts is the same for both sides for a moment only."""
    if load.block is not None:
        return load.block.total_seconds()
    return max(latency_schedule.USUAL_BLOCK_S, latency_schedule.FEWEST_REQUESTS / rate if rate else 0.0)
