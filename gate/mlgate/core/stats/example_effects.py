"""What the example that is asked does to a time, and times without it: blocks that ask unlike examples become alike."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from mlgate.core.stats.jackknife import Array
from mlgate.core.stats.series import RoundNumbers, Series


def without_examples(one: Series, other: Series) -> tuple[Series, Series]:
    """Return both sides with every value divided by how much longer its example takes than others.

    That is known from what both sides took for the example in *other* rounds, so no value has a part in what it is
    divided by; and it is drawn towards 1 the more, the fewer those are and the less examples differ at all (the best
    linear prediction of a random effect; Henderson, 1975). Unchanged where values are not one a request, or one is 0.
    """
    sides = (one, other)
    if any(side.examples is None or not side.values.all() for side in sides):
        return one, other
    logs = [np.log(side.values) for side in sides]
    centred = np.concatenate([log - log.mean() for log in logs])
    effect = _effects(
        centred,
        np.concatenate([side.examples for side in sides if side.examples is not None]),
        np.concatenate([side.rounds for side in sides]),
    )
    adjusted = np.split(np.exp(np.concatenate(logs) - effect), [len(logs[0])])
    return replace(one, values=adjusted[0]), replace(other, values=adjusted[1])


def explained(one: Series, other: Series) -> float:
    """Return the share of the variance of the logarithm of the times that the examples explain; 0 to 1."""
    if one.examples is None or other.examples is None or not (one.values.all() and other.values.all()):
        return 0.0
    logs = np.concatenate([np.log(side.values) - np.log(side.values).mean() for side in (one, other)])
    between, within = _variances(logs, np.concatenate([one.examples, other.examples]))
    return between / (between + within) if between + within > 0 else 0.0


def _effects(centred: Array, examples: RoundNumbers, rounds: RoundNumbers) -> Array:
    between, within = _variances(centred, examples)
    if not between > 0:
        return np.zeros(len(centred))
    _, here = np.unique(np.stack([examples, rounds]), axis=1, return_inverse=True)
    here = here.reshape(-1)
    sums, counts = np.bincount(examples, centred), np.bincount(examples)
    elsewhere = counts[examples] - np.bincount(here)[here]
    known = sums[examples] - np.bincount(here, centred)[here]
    effect: Array = known / np.where(elsewhere > 0, elsewhere + within / between, 1.0)  # of none elsewhere: nothing
    return effect


def _variances(centred: Array, examples: RoundNumbers) -> tuple[float, float]:
    """Return the variance between examples, and within (analysis of variance, one way; Searle et al., 1992)."""
    _, group, counts = np.unique(examples, return_inverse=True, return_counts=True)
    n, k = len(centred), len(counts)
    if k < 2 or n <= k:  # noqa: PLR2004 - one example has nothing to differ from
        return 0.0, float(centred.var())
    means = np.bincount(group, centred) / counts
    within = float(((centred - means[group]) ** 2).sum()) / (n - k)
    among = float((counts * means**2).sum()) / (k - 1)
    return max(0.0, (among - within) / ((n - (counts**2).sum() / n) / (k - 1))), within
