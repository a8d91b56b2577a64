"""Which sentence says what the others say."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def nearest(vectors: npt.NDArray[np.float32], first: int) -> int:
    """Return the position, from *first* on, of the vector that is nearest to the mean of all the others."""
    best, position = -2.0, first
    for i in range(first, len(vectors)):
        others = np.delete(vectors, i, axis=0).mean(axis=0)
        cosine = float(vectors[i] @ others / np.linalg.norm(others))
        if cosine > best:
            best, position = cosine, i
    return position
