"""Is the interval honest? Coverage, what the gate lets through, and false alarms, on a population that is known.

    python benchmarks/coverage.py [--runs 2000] [--jobs 2]

Population: 5,000 docstring summaries of the standard library as references; two systems that damage them, one more
than the other, so that the true difference of every metric is known. A run draws N examples with replacement and asks
what a gate asks, of the same functions: the paired 95 % interval, and the decision of `hold_baseline`.

The grouped worlds put the same examples into documents, and all examples of a document fare alike: in half of them the
candidate is the worse system, in three of ten the baseline is, in the rest neither. A run draws documents, and says of
each example which document it is of, or (for comparison) does not.
"""

from __future__ import annotations

import argparse
import ast
import math
import multiprocessing
import platform
import random
import sysconfig
import time
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from mlgate.core.check import Bound, Rule
from mlgate.core.comparison import hold_baseline
from mlgate.core.metric import Better, Metric
from mlgate.core.outcome import Outcome
from mlgate.core.power import power
from mlgate.core.stats.jackknife import Array, Statistics
from mlgate.core.verdict import Finding, Measurement
from mlgate.flow.scoring import Pair, delta, family_confidence, pair
from mlgate.metrics.registry import build
from mlgate.metrics.scorer import Scorer

METRICS = ("bleu", "chrf", "rougeL", "wer", "exact_match")
SIZES = (50, 100, 300, 1000, 3000)
SHARES = (1.0, 0.3, 0.05)
"""Of the examples whose answers differ between the systems."""
GROUPED = (("5", 5, 1.0), ("10", 10, 1.0), ("20", 20, 1.0), ("1 to 40", 0, 1.0), ("as in news", 0, 0.5))
"""What it is called, examples a document (0: from 1 to 40, most documents short), and how many of them fare alike."""
GROUPS = (10, 20, 50, 100)
"""Documents that a run draws."""
POPULATION = 5000
RUNS = 2000
SEED = 20261
CONFIDENCE = 0.95
HARMLESS = {"bleu": (0.5, 1.0, 2.0), "rougeL": (0.005, 0.01, 0.02)}
"""Margins under which two systems that are as good as each other are compared, by metric."""
CLOSE = 0.95
"""The margin is this part of the true loss: the candidate is truly worse by just more than is allowed."""

FOOTER = """\
What misses, and why. Above 97 the interval is wider than it need be: where only a few answers were seen to
change, it allows for one that N examples missed, and that may change more. Zeros of 50 examples: no margin as
narrow as this can be shown by so few, so the comparison is inconclusive. Ask at least 100 examples."""

Draw = NDArray[np.intp]


def summaries() -> Iterator[str]:
    """Yield the distinct first paragraphs of docstrings, of 5 to 40 words, in the order of the library's files."""
    seen = set()
    library = Path(sysconfig.get_path("stdlib"))
    for path in sorted(library.rglob("*.py")):
        if {"site-packages", "test", "tests"} & set(path.parts):
            continue
        for node in ast.walk(ast.parse(path.read_bytes())):
            if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef) and (text := ast.get_docstring(node)):
                summary = " ".join(text.split("\n\n")[0].split())
                if 5 <= len(summary.split()) <= 40 and summary not in seen:
                    seen.add(summary)
                    yield summary


def damaged(rng: random.Random, text: str, strength: float, words: Sequence[str]) -> str:
    """Return *text* with each word dropped, replaced, doubled or moved with probability *strength*."""
    out: list[str] = []
    for word in text.split():
        if rng.random() >= strength:
            out.append(word)
            continue
        match rng.randrange(4):
            case 0:
                out.append(rng.choice(words))
            case 1:
                out += [word, rng.choice(words)]
            case 2:
                out.insert(rng.randrange(len(out) + 1), word)
    return " ".join(out)


@dataclass(frozen=True, eq=False)
class Measured:
    """One metric's statistics over the whole population."""

    scorer: Scorer
    baseline: Array
    candidate: Array
    """The worse one."""

    @property
    def truth(self) -> float:
        """Return the population's difference, candidate minus baseline."""
        value = self.scorer.value
        return float(value(self.candidate.sum(0))) - float(value(self.baseline.sum(0)))


@dataclass(frozen=True, eq=False)
class World:
    """The population as two systems answer it."""

    share: float
    differs: NDArray[np.bool_]
    measured: tuple[Measured, ...]


def worlds(size: int = POPULATION, shares: Sequence[float] = SHARES) -> tuple[World, ...]:
    """Score both systems once on *size* examples, and mix their rows so that a share of them differs."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old escapes in the library's own files
        references = list(islice(summaries(), size))
    words = sorted({word for text in references for word in text.split()})
    rng = random.Random(SEED)
    before = [damaged(rng, text, 0.10, words) for text in references]
    after = [damaged(rng, text, 0.16, words) for text in references]
    for i, text in enumerate(references):
        while after[i] == before[i]:
            after[i] = damaged(rng, text, 0.16, words)
    several = [[text] for text in references]
    scored = []
    for name in METRICS:
        scorer = build(name)
        scored.append((scorer, scorer.statistics(before, several), scorer.statistics(after, several)))
    chance = np.random.default_rng(SEED).permutation(len(references)) / len(references)
    found = []
    for share in shares:
        differs = chance < share
        parts = [Measured(s, b, np.where(differs[:, None], a, b)) for s, b, a in scored]
        found.append(World(share, differs, tuple(parts)))
    return tuple(found)


@dataclass(frozen=True, eq=False)
class Documents:
    """The population in documents: which examples each has, and the two systems' rows, alike within a document."""

    name: str
    members: tuple[Draw, ...]
    measured: tuple[Measured, ...]

    def draw(self, rng: np.random.Generator, groups: int) -> tuple[Draw, Draw]:
        """Return the examples of so many documents, drawn with replacement, and which document each is of."""
        drawn = [self.members[i] for i in rng.integers(len(self.members), size=groups)]
        return np.concatenate(drawn), np.repeat(np.arange(groups), [len(one) for one in drawn])


def documents(world: World, name: str, each: int, alike: float) -> Documents:
    """Put a world in which every answer differs into documents; that share of their examples fares as the document."""
    n = len(world.differs)
    rng = np.random.default_rng([SEED, each, round(alike * 100)])
    sizes = np.full(n, each) if each else np.minimum(40, rng.geometric(0.1, size=n))
    ends = np.cumsum(sizes)
    ends = ends[ends < n]
    members = tuple(np.split(rng.permutation(n), ends))
    fate = rng.random(len(members))
    of = np.empty(n, np.intp)
    for number, one in enumerate(members):
        of[one] = number
    fates = np.where(rng.random(n) < alike, fate[of], rng.random(n))[:, None]
    worse, better = fates < 0.5, (fates >= 0.5) & (fates < 0.8)
    parts = [
        Measured(
            part.scorer,
            np.where(better, part.candidate, part.baseline),
            np.where(worse, part.candidate, part.baseline),
        )
        for part in world.measured
    ]
    return Documents(name, members, tuple(parts))


@dataclass(frozen=True)
class Cell:
    """Rates over the runs of one size in one world, by metric where it is a tuple."""

    covered: tuple[float, ...]
    let_through: tuple[float, ...]
    false_fail: float
    """Mean over the metrics, each on its own."""
    any_false_fail: float
    """Any of the metrics, held at once (max-t)."""
    settled: float = 1.0
    """The share of comparisons that had enough groups to be judged at all."""
    blocked: tuple[float, ...] = ()
    """Of two systems that are as good as each other, by metric and margin of HARMLESS: the share that does not pass."""
    foretold: tuple[float, ...] = ()
    """The same, as `mlgate power` says from one such run about the next."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """One metric's paired comparison on one draw, as the gate makes it: nothing here is a copy of mlgate's."""

    metric: Metric
    pair: Pair
    same: bool

    @classmethod
    def of(cls, scorer: Scorer, before: Array, after: Array, *, same: bool, groups: Draw | None = None) -> Comparison:
        """Compare two systems' rows of one draw."""
        name = scorer.metric.name
        old, new = (
            Statistics(name, scorer.metric, "same", rows, scorer.value, groups=groups) for rows in (before, after)
        )
        return cls(scorer.metric, pair(new, old), same)

    def covers(self, truth: float) -> bool:
        """Whether the interval holds the population's difference."""
        found = delta(self.pair, CONFIDENCE, CONFIDENCE, identical=self.same)
        return found.low <= truth <= found.high

    def decision(self, margin: float, family: float = CONFIDENCE) -> Outcome:
        """Return what the gate says, in a family that asks for that confidence of each."""
        return self.finding(margin, family).outcome

    def finding(self, margin: float, family: float = CONFIDENCE) -> Finding:
        """Return what the gate finds."""
        bound = Bound.MAX_DROP if self.metric.better is Better.HIGHER else Bound.MAX_RISE
        rule = Rule(self.metric.name, bound, margin, confidence=CONFIDENCE)
        found = delta(self.pair, CONFIDENCE, family, identical=self.same)
        after, before = (self._measured(part) for part in (self.pair.candidate, self.pair.baseline))
        return hold_baseline(rule, after, before, found)

    def _measured(self, part: Statistics) -> Measurement:
        value, groups = part.corpus(), None if part.groups is None else len(self.pair.groups)
        return Measurement(
            "simulated", part.name, part.metric, value, len(part.rows), value, value, part.signature, "", groups
        )


def simulate(world: World, size: int, runs: int) -> Cell:
    """Draw *runs* test sets of *size* examples, and a quarter as many in which the two systems are exchangeable."""
    rng = np.random.default_rng([SEED, size, round(world.share * 100)])
    covered, passed, failed = (np.zeros(len(world.measured)) for _ in range(3))
    any_failed = 0
    blocked, foretold = (np.zeros(sum(map(len, HARMLESS.values()))) for _ in range(2))
    for _ in range(runs):
        draw = rng.integers(len(world.differs), size=size)
        for m, (part, one) in enumerate(zip(world.measured, _compare(world, draw), strict=True)):
            covered[m] += one.covers(part.truth)
            passed[m] += one.decision(CLOSE * abs(part.truth)) is Outcome.PASSED
    fewer = max(1, runs // 4)
    for _ in range(fewer):
        draw = rng.integers(len(world.differs), size=size)
        family = _compare(world, draw, swapped=rng.integers(2, size=(size, 1), dtype=np.int8).astype(bool))
        together = family_confidence([one.pair for one in family], CONFIDENCE)
        failed += [one.decision(0.0) is Outcome.FAILED for one in family]
        any_failed += any(one.decision(0.0, together) is Outcome.FAILED for one in family)
        harmless = [one.finding(margin) for one in family for margin in HARMLESS.get(one.metric.name, ())]
        blocked += [one.outcome is not Outcome.PASSED for one in harmless]
        foretold += [1 - (found.passes if (found := power(one, CONFIDENCE)) else math.nan) for one in harmless]
    rates = tuple(covered / runs), tuple(passed / runs), float(failed.mean()) / fewer, any_failed / fewer
    return Cell(*rates, blocked=tuple(blocked / fewer), foretold=tuple(foretold / fewer))


def _compare(world: World, draw: Draw, swapped: NDArray[np.bool_] | None = None) -> list[Comparison]:
    """Compare on the drawn examples; where *swapped*, the two systems change places."""
    same = not world.differs[draw].any()
    family = []
    for part in world.measured:
        before, after = part.baseline[draw], part.candidate[draw]
        if swapped is not None:
            before, after = np.where(swapped, after, before), np.where(swapped, before, after)
        family.append(Comparison.of(part.scorer, before, after, same=same))
    return family


def simulate_grouped(world: Documents, groups: int, runs: int, *, declared: bool) -> Cell:
    """Draw *runs* test sets of so many documents, and a quarter as many in which the two systems are exchangeable."""
    rng = np.random.default_rng([SEED, *world.name.encode(), groups])
    covered, passed, failed = (np.zeros(len(world.measured)) for _ in range(3))
    any_failed, settled = 0, 0
    for _ in range(runs):
        draw, of = world.draw(rng, groups)
        for m, part in enumerate(world.measured):
            one = Comparison.of(
                part.scorer, part.baseline[draw], part.candidate[draw], same=False, groups=of if declared else None
            )
            covered[m] += one.covers(part.truth)
            passed[m] += one.decision(CLOSE * abs(part.truth)) is Outcome.PASSED
            settled += one.decision(1e9) is Outcome.PASSED
    fewer = max(1, runs // 4)
    for _ in range(fewer):
        draw, of = world.draw(rng, groups)
        swapped = rng.integers(2, size=groups, dtype=np.int8).astype(bool)[of][:, None]
        family = []
        for part in world.measured:
            before, after = part.baseline[draw], part.candidate[draw]
            before, after = np.where(swapped, after, before), np.where(swapped, before, after)
            family.append(Comparison.of(part.scorer, before, after, same=False, groups=of if declared else None))
        together = family_confidence([one.pair for one in family], CONFIDENCE)
        failed += [one.decision(0.0) is Outcome.FAILED for one in family]
        any_failed += any(one.decision(0.0, together) is Outcome.FAILED for one in family)
    rates = tuple(covered / runs), tuple(passed / runs), float(failed.mean()) / fewer, any_failed / fewer
    return Cell(*rates, settled / (runs * len(world.measured)))


_WORLDS: tuple[World, ...] = ()
_GROUPED: tuple[Documents, ...] = ()


def _cell(task: tuple[int, int, int]) -> Cell:
    world, size, runs = task
    return simulate(_WORLDS[world], size, runs)


def _grouped_cell(task: tuple[int, int, int, bool]) -> Cell:
    world, groups, runs, declared = task
    return simulate_grouped(_GROUPED[world], groups, runs, declared=declared)


def main() -> None:
    """Print the tables."""
    global _WORLDS, _GROUPED  # noqa: PLW0603 - forked workers find the population here instead of scoring it again
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=RUNS)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--only-grouped", action="store_true", help="leave out the worlds of single examples")
    asked = parser.parse_args()
    began = time.monotonic()
    _WORLDS = worlds()
    _GROUPED = tuple(documents(_WORLDS[0], *one) for one in GROUPED)
    tasks = [(world, size, asked.runs) for world, size in product(range(len(SHARES)), SIZES)]
    grouped = [
        (world, groups, asked.runs, declared)
        for declared in (True, False)
        for world, groups in product(range(len(GROUPED)), GROUPS)
        if declared or (GROUPED[world][0] in {"10", "as in news"} and groups >= 20)
    ]
    with multiprocessing.get_context("fork").Pool(asked.jobs) as pool:
        grouped_cells = pool.map(_grouped_cell, grouped, chunksize=1)
        cells = [] if asked.only_grouped else pool.map(_cell, tasks, chunksize=1)
    print(f"{asked.runs:,} runs a row, Python {platform.python_version()}, numpy {np.__version__}")
    for world in _WORLDS:
        losses = ", ".join(
            f"{p.scorer.metric.name} {p.scorer.metric.show(p.truth, signed=True)}" for p in world.measured
        )
        print(f"{world.share:4.0%} of answers differ: {losses}")
    if cells:
        print(table(tasks, cells))
        print(harmless_table(tasks, cells))
    print(grouped_table(grouped, grouped_cells))
    print(f"{time.monotonic() - began:.0f} s")


def table(tasks: Sequence[tuple[int, int, int]], cells: Sequence[Cell]) -> str:
    """Return the rates in percent; a star marks what misses the target."""
    names = "".join(f"{name[:6]:>7}" for name in METRICS)
    lines = [
        f"{'':12} |{'interval covers the truth, %':>35} |{'truly worse, let through, %':>35} |false FAIL %",
        f"{'differ':>6} {'N':>5} |{names} |{names} |{'one':>6}{'any':>6}",
    ]
    misses = 0
    for (world, size, _runs), cell in zip(tasks, cells, strict=True):
        covered = [_shown(rate, 0.93 <= rate <= 0.97) for rate in cell.covered]
        passed = [_shown(rate, rate <= 0.05) for rate in cell.let_through]
        failed = [_shown(rate, rate <= 0.05) for rate in (cell.false_fail, cell.any_false_fail)]
        misses += "".join(covered + passed + failed).count("*")
        row = " |".join("".join(part) for part in (covered, passed, [text[1:] for text in failed]))
        lines.append(f"{SHARES[world]:6.0%} {size:5} |{row}")
    lines.append(f"Target: 93 to 97 covered, at most 5 let through or falsely failed; {misses} cells miss it (*).")
    lines.append(FOOTER)
    return "\n".join(lines)


def harmless_table(tasks: Sequence[tuple[int, int, int]], cells: Sequence[Cell]) -> str:
    """Return how many harmless changes are blocked, beside what power foretold of them; a star: 5 points apart."""
    margins = [f"{name} {margin:g}" for name, of in HARMLESS.items() for margin in of]
    lines = [
        "Two systems that are as good as each other: blocked, and what `mlgate power` foretold, %",
        f"{'differ':>6} {'N':>5} |" + "".join(f"{one:>14}" for one in margins),
    ]
    misses = 0
    for (world, size, _), cell in zip(tasks, cells, strict=True):
        text = ""
        for seen, said in zip(cell.blocked, cell.foretold, strict=True):
            fine = abs(seen - said) <= 0.05
            misses += not fine
            text += f"{100 * seen:8.1f}{100 * said:5.0f}{' ' if fine else '*'}"
        lines.append(f"{SHARES[world]:6.0%} {size:5} |{text}")
    lines.append(f"Target: foretold within 5 points; {misses} cells miss it (*).")
    return "\n".join(lines)


def grouped_table(tasks: Sequence[tuple[int, int, int, bool]], cells: Sequence[Cell]) -> str:
    """Return the rates of the grouped worlds; a star marks what misses the target where groups are declared."""
    names = "".join(f"{name[:6]:>7}" for name in METRICS)
    lines = [
        "Examples in documents, whose examples fare alike",
        f"{'':17} |{'interval covers the truth, %':>35} |{'truly worse, let through, %':>35} |false FAIL %",
        f"{'a document':>10} {'groups':>6} |{names} |{names} |{'one':>6}{'any':>6}",
    ]
    misses, told = 0, False
    for (world, groups, _runs, declared), cell in zip(tasks, cells, strict=True):
        if not declared and not told:
            lines.append("the same, with no group declared (each example counts as one observation):")
            told = True
        each = GROUPED[world][0]
        if cell.settled < 1:
            lines.append(f"{each:>10} {groups:6} | inconclusive in {1 - cell.settled:.1%}: too few groups")
            continue
        covered = [_shown(rate, 0.93 <= rate <= 0.97 or not declared) for rate in cell.covered]
        passed = [_shown(rate, rate <= 0.05 or not declared) for rate in cell.let_through]
        failed = [_shown(rate, rate <= 0.05 or not declared) for rate in (cell.false_fail, cell.any_false_fail)]
        misses += "".join(covered + passed + failed).count("*")
        row = " |".join("".join(part) for part in (covered, passed, [text[1:] for text in failed]))
        lines.append(f"{each:>10} {groups:6} |{row}")
    lines.append(f"Target as above, where groups are declared; {misses} cells miss it (*).")
    return "\n".join(lines)


def _shown(rate: float, fine: bool) -> str:
    return f"{100 * rate:6.1f}{' ' if fine else '*'}"


if __name__ == "__main__":
    main()
