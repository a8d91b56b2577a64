"""What the act suite ran, as a table for people: each scenario with its jobs, its verdict and its time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from tests.act.ran import Ran

WIDTH = 80
PROPERTY = "act"
"""A test's property that holds a line of the table; pytest-xdist brings it to the process that prints."""
MARKS = {"success": "✓", "failure": "✗"}


@dataclass(frozen=True)
class Line:
    """One run of a workflow."""

    scenario: str
    jobs: str
    verdict: str
    code: str
    seconds: float

    @classmethod
    def of(cls, test: str, event: str, ran: Ran) -> Line:
        """Describe a run that the test *test* asked for."""
        name = re.sub(r"^test_", "", test).replace("_", " ")
        marks: dict[str, list[str]] = {}
        for job, result in sorted(ran.jobs.items(), key=lambda one: _leg(one[0])):
            short = re.sub(r"( \d+ of \d+)?(-\d+)?$", "", job.rsplit("/", 1)[-1])
            marks.setdefault(short, []).append(MARKS.get(result, result))
        told = "  ".join(f"{job} {' '.join(found)}" for job, found in marks.items())
        ends = [(o["exit-code"], o["verdict"]) for o in ran.outputs.values() if o.get("exit-code") and o.get("verdict")]
        code, verdict = max(ends, default=("", ""))  # of several gates, the one that did not pass
        return cls(name, f"{event}: {told}", verdict, code, ran.seconds)

    def rows(self) -> Iterator[str]:
        """Yield the text of one scenario: what it was, then what its jobs came to."""
        end = f" {self.verdict or '-':>12} {self.code or '-':>4} {self.seconds:6.1f} s"
        yield f"{_cut(self.scenario, WIDTH - len(end)):<{WIDTH - len(end)}}{end}"
        yield f"    {_cut(self.jobs, WIDTH - 4)}"


def render(lines: Sequence[Line]) -> str:
    """Render the whole table, 80 columns wide."""
    end = f" {'verdict':>12} {'exit':>4} {'time':>8}"
    head = f"{'scenario':<{WIDTH - len(end)}}{end}"
    rows = [row for line in lines for row in line.rows()]
    total = f"{len(lines)} runs, {sum(line.seconds for line in lines):,.0f} s together"
    return "\n".join([head, "-" * WIDTH, *rows, "-" * WIDTH, total])


def _leg(job: str) -> tuple[int, int]:
    """Jobs in the order of the gate; legs by their number."""
    order = ("plan", "image", "build", "accuracy", "image-accuracy", "latency", "verdict", "release")
    name = job.rsplit("/", 1)[-1]
    number = re.search(r"-(\d+)$", name)
    bare = re.sub(r"( \d+ of \d+)?(-\d+)?$", "", name)
    found = order.index(bare) if bare in order else len(order)
    return found, int(number[1]) if number else 0


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else f"{text[: width - 1]}…"
