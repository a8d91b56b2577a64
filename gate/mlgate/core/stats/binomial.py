"""Exact bounds of a share of few hits, where every approximation is far off (Clopper and Pearson, Biometrika 1934)."""

from __future__ import annotations

import math

_STEPS = 300
_ENOUGH = 1e-12
_TINY = 1e-300
_HALVINGS = 40


def exact_low(hits: float, trials: float, tail: float) -> float:
    """Return the lower bound of a share: with less, so many *hits* or more have a chance below *tail*.

    The numbers need not be whole: they may be of fewer independent trials than there were.
    """
    if not hits > 0:
        return 0.0
    low, high = 0.0, hits / trials
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if beta_share(middle, hits, trials - hits + 1) < tail else (low, middle)
    return low


def exact_high(hits: float, trials: float, tail: float) -> float:
    """Return the upper bound of a share."""
    return 1 - exact_low(trials - hits, trials, tail)


def beta_share(x: float, a: float, b: float) -> float:
    """Return the regularized incomplete beta function of x: the chance of *a* hits or more in a + b - 1 trials.

    By its continued fraction (DLMF 8.17.22), evaluated by Lentz's method.
    """
    if x <= 0 or x >= 1:
        return float(x >= 1)
    if x > (a + 1) / (a + b + 2):
        return 1 - beta_share(1 - x, b, a)
    front = math.exp(math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b) + a * math.log(x) + b * math.log1p(-x)) / a
    c, d = 1.0, _inverse(1 - (a + b) * x / (a + 1))
    value = d
    for m in range(1, _STEPS):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        for part in (even, odd):
            d = _inverse(1 + part * d)
            c = _away(1 + part / c)
            value *= c * d
        if abs(c * d - 1) < _ENOUGH:
            break
    return front * value


def _inverse(value: float) -> float:
    return 1 / _away(value)


def _away(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
