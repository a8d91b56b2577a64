"""Whether the data has what a load's mix weighs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from mlgate.config.sections.latency import LatencyCheck
from mlgate.config.yaml.fault import Complaint, did_you_mean, quoted
from mlgate.core.check import Example

_MOST_NAMED = 20


def unmixed(check_id: str, section: LatencyCheck, examples: Sequence[Example]) -> list[Complaint]:
    """Return every weighed value that no example has: its share of the load could not be asked."""
    mix = section.load.mix
    if mix is None:
        return []
    there = _values(mix.by, examples)
    says = f"is weighed, and no example has that {quoted(mix.by)}"
    return [
        Complaint(
            ("checks", check_id, "load", "mix", "weights", value),
            says,
            did_you_mean(value, [name for name, _ in there.most_common(_MOST_NAMED)], "there are"),
            at_key=True,
        )
        for value in mix.weights
        if value not in there
    ]


def unweighed(section: LatencyCheck, examples: Sequence[Example]) -> list[str]:
    """Return a notice when some examples are never asked, because their value has no weight."""
    mix = section.load.mix
    if mix is None:
        return []
    left = sum(n for value, n in _values(mix.by, examples).items() if value not in mix.weights)
    if not left:
        return []
    return [f"{left:,} of {len(examples):,} examples are never asked: their {quoted(mix.by)} has no weight in the mix"]


def _values(by: str, examples: Sequence[Example]) -> Counter[str]:
    return Counter(dict(example.slices).get(by, "") for example in examples)
