from __future__ import annotations

import pytest

from mlgate.adapters.data.examples import gather
from mlgate.adapters.data.fields import LONGEST_ID, Fields
from mlgate.core.errors import ConfigError


def test_an_id_as_long_as_may_be_is_taken() -> None:
    row = {"id": "ä" * LONGEST_ID, "input": "x", "reference": "y"}
    assert gather([(1, row)], Fields(), source="data.jsonl").examples[0].id == row["id"]


@pytest.mark.parametrize(
    "given", ["ä" * (LONGEST_ID + 1), "x" * 9_000_000, 10**LONGEST_ID], ids=["text", "9 MB", "number"]
)
def test_a_longer_id_is_refused_with_its_place(given: str | int) -> None:
    row = {"id": given, "input": "x", "reference": "y"}
    with pytest.raises(ConfigError, match="characters") as caught:
        gather([(7, row)], Fields(), source="data.jsonl")
    assert caught.value.where == "data.jsonl:7"
    assert len(str(caught.value)) < 300
