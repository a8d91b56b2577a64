from __future__ import annotations

import pytest

from mlgate.adapters.terminal.run_progress import line


@pytest.mark.parametrize(
    ("done", "total", "gaps", "seconds", "want"),
    [
        (1, 1000, 0, 0.0, "observing 1/1,000 (0%), 0.0 rows/s"),
        (501, 1000, 0, 10.0, "observing 501/1,000 (50%), 50.0 rows/s, 10 s left"),
        (101, 10_000, 3, 1.0, "observing 101/10,000 (1%), 100.0 rows/s, 1 min 38 s left, 3 not answered"),
        (10, 10, 0, 1.0, "observing 10/10 (100%), 9.0 rows/s"),
        (0, 0, 0, 0.0, "observing 0/0 (100%), 0.0 rows/s"),
    ],
)
def test_a_line_tells_done_rate_time_left_and_gaps(done: int, total: int, gaps: int, seconds: float, want: str) -> None:
    assert line(done, total, gaps, seconds) == want
