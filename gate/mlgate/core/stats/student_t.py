"""Student's t, at any confidence and for degrees of freedom that are no whole number (Satterthwaite's)."""

from __future__ import annotations

import math
from statistics import NormalDist


def student(probability: float, freedom: float) -> float:
    """Return the quantile at *probability*, between 0.5 and 1, of Student's t with 1, 2 or more degrees of freedom.

    Hill's algorithm 396 (CACM 13, 1970). 1 and 2 are exact; within 1e-5 from 2.5 on, 1.3e-3 between 2 and 2.5.
    """
    both = 2 * (1 - probability)
    if freedom == 1:
        return 1 / math.tan(both * math.pi / 2)
    if freedom == 2:  # noqa: PLR2004 - has a closed form, as 1 has
        return math.sqrt(2 / (both * (2 - both)) - 2)
    a = 1 / (freedom - 0.5)
    b = 48 / a**2
    c = ((20700 * a / b - 98) * a - 16) * a + 96.36
    d = ((94.5 / (b + c) - 3) / b + 1) * math.sqrt(a * math.pi / 2) * freedom
    y = (d * both) ** (2 / freedom)
    square = _near(both, freedom, a, c, d) if y > 0.05 + a else _far(y, freedom, d)
    return math.sqrt(freedom * square)


def _near(both: float, freedom: float, a: float, c: float, d: float) -> float:
    """Return t²/freedom by Hill's expansion about the normal quantile."""
    b = 48 / a**2
    x = NormalDist().inv_cdf(both / 2)
    y = x**2
    if freedom < 5:  # noqa: PLR2004 - Hill's
        c += 0.3 * (freedom - 4.5) * (x + 0.6)
    c += (((0.05 * d * x - 5) * x - 7) * x - 2) * x + b
    y = (((((0.4 * y + 6.3) * y + 36) * y + 94.5) / c - y - 3) / b + 1) * x
    return math.expm1(a * y**2)


def _far(y: float, freedom: float, d: float) -> float:
    """Return t²/freedom by Hill's expansion for the tail."""
    tail = 1 / (((freedom + 6) / (freedom * y) - 0.089 * d - 0.822) * (freedom + 2) * 3)
    return ((tail + 0.5 / (freedom + 4)) * y - 1) * (freedom + 1) / (freedom + 2) + 1 / y
