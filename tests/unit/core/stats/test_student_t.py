"""The wanted numbers are scipy.stats.t.ppf's, of scipy 1.17."""

from __future__ import annotations

import pytest

from mlgate.core.stats.student_t import student

PROBABILITIES = (0.95, 0.975, 0.995, 0.9995, 0.99995, 0.999995)
QUANTILES = {
    1: (6.31375, 12.7062, 63.6567, 636.619, 6366.2, 63662.0),
    2: (2.91999, 4.30265, 9.92484, 31.5991, 99.9925, 316.225),
    2.05: (2.87199, 4.20364, 9.52709, 29.5146, 90.8207, 279.271),
    2.5: (2.55822, 3.57465, 7.16373, 18.2779, 46.0242, 115.652),
    3: (2.35336, 3.18245, 5.84091, 12.924, 28.0001, 60.3968),
    5: (2.01505, 2.57058, 4.03214, 6.86883, 11.1777, 17.8969),
    10: (1.81246, 2.22814, 3.16927, 4.58689, 6.21105, 8.15029),
    30: (1.69726, 2.04227, 2.75, 3.64596, 4.48242, 5.29945),
    1000: (1.64638, 1.96234, 2.58075, 3.30028, 3.90634, 4.43993),
}


@pytest.mark.parametrize("freedom", QUANTILES)
def test_the_quantile_is_right_at_any_confidence(freedom: float) -> None:
    found = [student(probability, freedom) for probability in PROBABILITIES]
    assert found == pytest.approx(list(QUANTILES[freedom]), rel=1e-3 if 2 < freedom < 2.5 else 2e-5)


def test_the_quantile_falls_with_the_degrees_of_freedom() -> None:
    found = [student(0.975, v) for v in (1, 2, 2.2, 2.5, 3, 4.9, 5.1, 10, 100, 1e6)]
    assert found == sorted(found, reverse=True)
