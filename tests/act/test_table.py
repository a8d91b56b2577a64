"""The table that the act suite ends with."""

from __future__ import annotations

from pathlib import Path

from tests.act import table
from tests.act.ran import Ran

JOBS = {
    "gate/gate/verdict": "failure",
    "gate/gate/accuracy-2": "failure",
    "gate/gate/plan": "success",
    "gate/gate/accuracy-1": "success",
}
OUTPUTS = {"gate/gate/verdict": {"verdict": "errored", "exit-code": "3"}}
SHOWN = """\
scenario                                                   verdict exit     time
--------------------------------------------------------------------------------
a shard that is killed is named and blocks                 errored    3    4.2 s
    pull_request: plan ✓  accuracy ✓ ✗  verdict ✗
--------------------------------------------------------------------------------
1 runs, 4 s together"""


def test_a_scenario_is_shown_with_its_jobs_in_their_order_its_verdict_and_its_time() -> None:
    ran = Ran(1, 101, JOBS, OUTPUTS, (), (), (), Path(), "", 4.2)
    assert (
        table.render([table.Line.of("test_a_shard_that_is_killed_is_named_and_blocks", "pull_request", ran)]) == SHOWN
    )


def test_no_line_is_wider_than_a_terminal() -> None:
    line = table.Line("x" * 200, "y" * 200, "inconclusive", "3", 1234.5)
    assert max(map(len, table.render([line]).splitlines())) == table.WIDTH
