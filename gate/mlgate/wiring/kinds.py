"""Every kind of check: one file in checks/, one name here; and what of a run can be observed where."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from mlgate.checks.accuracy import AccuracyKind
from mlgate.checks.latency import LatencyKind
from mlgate.checks.recorded import RecordedKind
from mlgate.core.check import Check
from mlgate.core.ports import Asked, Kind, Timed

ASKING: Asked = {kind.name: kind for kind in (AccuracyKind(), RecordedKind())}
TIMING: Timed = {kind.name: kind for kind in (LatencyKind(),)}
KINDS: Mapping[str, Kind] = {**ASKING, **TIMING}

PARTS = ("accuracy", "image-accuracy", "latency")
"""What a run can be divided into: accuracy of a model that is no image, of one that is, and what is timed alone.

Tests that record rows of an image's model go with the image, too: all evidence of a run names the same one.
"""


def beside_tests(check: Check) -> bool:
    """Whether a check may be observed by many workers at a time, of the candidate's model."""
    return not (check.exclusive or check.baseline_of)


def tests(check: Check) -> Sequence[str]:
    """Return the paths of the user's tests that record a check's rows; empty for checks that ask the model."""
    paths = check.params.get("tests", ())
    return tuple(str(path) for path in paths) if isinstance(paths, Sequence) and not isinstance(paths, str) else ()
