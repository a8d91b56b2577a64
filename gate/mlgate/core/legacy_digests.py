"""What form 1 hashed, as text: evidence and baselines that have such digests are still read, verified and compared.

Nothing here depends on today's names of classes and fields: the texts are what Python showed of yesterday's.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from mlgate.core.check import Example, Json, digest_of

if TYPE_CHECKING:
    from mlgate.core.evidence import Provenance

_MOST_HASHED = 500_000
"""Examples, over all the ways to slice that are tried: a few seconds."""


def head(known: Provenance) -> str:
    """Return what the digest of evidence began with, in front of the rows."""
    commit, suite, model, data = known.commit, known.suite, known.model, known.data
    run = f"|run {known.run}" if known.run else ""
    return f"Provenance(commit={commit!r}, suite={suite!r}, model={model!r}, data={data!r}){known.baseline}{run}"


def is_of(examples: Sequence[Example], digest: str) -> bool:
    """Whether *digest* is of these examples, sliced by any of the fields that they are sliced by today, in any order.

    It covers ids, inputs and references in each case: what it says of the data is as sure as today's digest.
    """
    if not examples:
        return False
    ways = itertools.islice(_ways([name for name, _ in examples[0].slices]), max(1, _MOST_HASHED // len(examples)))
    return any(_digest(examples, fields) == digest for fields in ways)


def _ways(fields: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield the fields as they stand, then fewer of them, then other orders."""
    for size in range(len(fields), 0, -1):
        yield from itertools.combinations(fields, size)
    for size in range(2, len(fields) + 1):
        yield from (way for way in itertools.permutations(fields, size) if list(way) != sorted(way, key=fields.index))


def _digest(examples: Sequence[Example], fields: Sequence[str]) -> str:
    whole = hashlib.sha256()
    for example in examples:
        held = dict(example.slices)
        slices: list[Json] = [[name, held[name]] for name in fields if name in held]
        whole.update(digest_of([example.id, example.input, list(example.references), slices]).encode())
    return whole.hexdigest()
