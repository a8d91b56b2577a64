"""Which rounds of timed load count, and why the others do not: warm-up, a late generator, a model that was gone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from mlgate.core.check import START, Check, Json
from mlgate.core.errors import EvidenceError
from mlgate.core.evidence import Gap, Observation, Row
from mlgate.core.latency import generator
from mlgate.core.latency.block import ENDED, SKIPPED, LoadBlock, TimedReply, clocked, held_back, unpack
from mlgate.core.latency.metrics import LatencyMetric
from mlgate.core.metric import Metric
from mlgate.core.stats import warmup
from mlgate.core.stats.alpha_spending import ONLY, Look
from mlgate.core.stats.series import Series

MOST_ROUNDS_CUT = 0.1
"""The share of rounds that may be cut behind the warm-up. A slow start that is longer counts: users will wait in it."""

MODEL_GONE = "gone: "
"""What the reason of an end, and of each skip behind it, begins with when the model itself is the reason."""
BASELINE_GONE = "baseline gone: "
"""What it begins with when the baseline's model is."""


@dataclass(frozen=True, slots=True)
class LatencyRounds:
    """One side of a check's rounds."""

    counted: Mapping[int, LoadBlock]
    """By round, ascending: what percentiles are computed from."""
    done: Mapping[int, LoadBlock]
    """All that were carried out, warm-up included: errors and answers count in each of them."""
    warm: int
    """Rounds cut at the start."""
    planned_warm: int
    """How many of them were planned as warm-up before the run: nothing that was seen left them out. Behind a first
    try that the machine disturbed, all of its rounds are among them."""
    begun: int
    """Rounds of a first try that the machine disturbed; 0: there was none."""
    late: tuple[int, ...]
    """Rounds that were left out because the machine kept the generator from sending when it should."""
    first: Mapping[int, bool]
    """Of each round that was carried out: whether this side was asked first."""
    rates: Mapping[int, float]
    """Requests a second that were planned."""
    duet: str
    start: Mapping[str, str | float]
    """How the model was started."""
    look: Look
    """At which of its looks it ended; number 0 when between two."""
    flaw: str
    """Why no time of these rounds can be judged; empty when they can."""
    cut_off: str = ""
    """Why there was nobody to ask any more; empty when there was, to the end."""
    died: bool = False
    """Whether that is the check's own model's doing, not the baseline's."""

    def times(self, asked: LatencyMetric, signature: str = "") -> Series:
        """Return every time of one clock, in the rounds that count, as the percentile or mean that is asked for.

        None at all where most replies came in one piece, and the time between tokens is asked for.
        """
        held, long = held_back(self.replies) if asked.clock == "itl" else (0, 0)
        times = clocked(self.replies, asked.clock) if 2 * held <= long else []
        numbers = [number for number, block in self.counted.items() for _ in block.replies]
        pairs = [(number, value * 1000) for number, values in zip(numbers, times, strict=False) for value in values]
        found = self.series(asked.metric, asked.quantile, pairs, signature)
        if asked.clock == "itl":
            return found
        places = [place for block in self.counted.values() for place in range(len(block.replies))]
        examples = [reply.example for reply in self.replies]
        return replace(found, requests=np.asarray(places, np.intp), examples=np.asarray(examples, np.intp))

    def series(
        self, metric: Metric, quantile: float, pairs: Sequence[tuple[int, float]], signature: str = ""
    ) -> Series:
        """Return *pairs* of round and value as a series of this side."""
        return Series(
            metric.name,
            metric,
            signature,
            quantile,
            np.asarray([value for _, value in pairs], float),
            np.asarray([number for number, _ in pairs], np.intp),
            {number: self.first[number] for number in self.counted},
            self.duet,
            self.look,
        )

    @property
    def omitted(self) -> str:
        """Return how many rounds were left out for what was seen in them, and why; empty when none was.

        A model can bring about what they were left out for, so a verdict has to hold with them, too.
        """
        late, cut = len([number for number in self.late if number > self.planned_warm]), self.warm - self.planned_warm
        why = [f"{late} sent late"] * (late > 0) + [f"{cut} cut as warm-up"] * (cut > 0)
        return f"{late + cut} of {len(self.done) - self.begun} rounds ({', '.join(why)})" if why else ""

    def whole(self) -> LatencyRounds:
        """Return the same with every round that was carried out behind the planned warm-up."""
        counted = {number: block for number, block in self.done.items() if number > self.planned_warm}
        return replace(self, counted=counted, warm=self.planned_warm, late=())

    @property
    def replies(self) -> Sequence[TimedReply]:
        """Return the replies of the rounds that count."""
        return [reply for block in self.counted.values() for reply in block.replies]


def read(check: Check, rows: Mapping[str, Row]) -> LatencyRounds:
    """Read the rounds of one side. Raises EvidenceError for a row that cannot be read."""
    seen = {
        _round_number(name): row.seen for name, row in rows.items() if name != START and isinstance(row, Observation)
    }
    skips = {number: str(facts[SKIPPED]) for number, facts in seen.items() if SKIPPED in facts}
    done = {number: unpack(seen[number]) for number in sorted(seen) if number not in skips}
    _refuse_unknown(check, done)
    warm, once = _whole(check.params.get("warm")), a_try(check)
    begun = once if once < check.rounds and any(number > once for number in done) else 0
    planned_warm = begun + warm
    here = {number: block for number, block in done.items() if number > begun}
    late = generator.left_out(here)
    timed = {number: block for number, block in here.items() if number > planned_warm and number not in late}
    more = _warming(timed)
    more = more if more <= MOST_ROUNDS_CUT * len(timed) else 0
    counted = dict(list(timed.items())[more:])
    ends = (*skips.values(), *(str(seen[number].get(ENDED, "")) for number in done))
    ended = next((why for why in ends if why.startswith((MODEL_GONE, BASELINE_GONE))), "")
    cut_off = f"after {len(done)} of {check.rounds} rounds {ended.partition(': ')[2]}" if ended else ""
    look = _look(check, len(here) - warm)
    start = rows.get(START)
    return LatencyRounds(
        counted,
        done,
        len([number for number in done if number <= planned_warm]) + more,
        len([number for number in done if number <= planned_warm]),
        begun,
        late,
        {number: bool(_fact(seen[number], "first")) for number in done},
        {number: _fact(seen[number], "rate") for number in done},
        str(next((seen[number].get("duet", "") for number in done), "")),
        start.seen if isinstance(start, Observation) else {},
        look,
        cut_off or _flaw(here, late, look) or ("" if timed else "no round was left to count"),
        cut_off,
        ended.startswith(MODEL_GONE),
    )


def _round_number(name: str) -> int:
    if not (name.isascii() and name.isdecimal() and len(name) <= 9):  # noqa: PLR2004 - no check has more rounds
        raise EvidenceError(f"{name[:60]!r} is no round's number")
    return int(name)


def _fact(seen: Mapping[str, str | float], name: str) -> float:
    value = seen.get(name, 0)
    if not isinstance(value, int | float):
        raise EvidenceError(f"a round's row cannot be read: {name} is no number")
    return value


def holes(check: Check, rows: Mapping[str, Row]) -> Mapping[str, str]:
    """Return the rows that keep the check from being scored: gaps, and skips in the middle."""
    found = {name: row.why for name, row in rows.items() if isinstance(row, Gap)}
    skipped = ""
    for name in check.rows:
        row = rows.get(name)
        if not isinstance(row, Observation):
            continue
        if SKIPPED in row.seen:
            skipped = name
        elif skipped:
            found[name] = f"it was carried out after {skipped} was skipped"
    return found


def _refuse_unknown(check: Check, done: Mapping[int, LoadBlock]) -> None:
    n = len(check.examples)
    for number, block in done.items():
        if not all(0 <= reply.example < n for reply in block.replies):
            raise EvidenceError(f"round {number} asks an example that the check does not have")


def _warming(timed: Mapping[int, LoadBlock]) -> int:
    """Return how many more rounds the model was still warming up in (MSER-5 over the requests in order)."""
    values = [reply.done for block in timed.values() for reply in block.replies]
    if not values:
        return 0
    left = warmup.cut(np.asarray(values))
    for index, block in enumerate(timed.values()):
        if left <= 0:
            return index
        left -= len(block.replies)
    return len(timed)


def a_try(check: Check) -> int:
    """Return how many rounds a run has at most that is not started over, its warm-up included."""
    return _whole(check.params.get("once")) or check.rounds


def places(check: Check) -> tuple[int, ...]:
    """Return after how many rounds behind the warm-up it is planned to look; empty for a search."""
    planned, warm = check.params.get("looks", ()), _whole(check.params.get("warm"))
    listed = planned if isinstance(planned, Sequence) and not isinstance(planned, str) else ()
    return tuple(_whole(one) - warm for one in listed)


def _look(check: Check, done: int) -> Look:
    planned = places(check)
    if not planned:
        return ONLY
    whole = _whole(check.params.get("whole")) - _whole(check.params.get("warm"))
    return Look(planned, planned.index(done) + 1 if done in planned else 0, max(0, whole))


def _flaw(done: Mapping[int, LoadBlock], late: Sequence[int], look: Look) -> str:
    if not done:
        return "no round was carried out"
    if not look.number:
        return f"the run was cut off after {len(done)} rounds: it is judged at its planned looks only, so run it again"
    return generator.flaw(done, late)


def _whole(value: Json) -> int:
    return int(value) if isinstance(value, int | float) else 0
