"""A gateway is tried before it copies users' requests; what is not known for sure lets nothing through."""

from __future__ import annotations

import pytest

from mlgate.core.errors import AdapterError
from mlgate.core.outcome import Outcome
from mlgate.flow.deploy.mirror_trial import judge_trial


@pytest.mark.parametrize("status", [200, 404, 405, 400])
def test_a_copy_that_changes_no_answer_is_fine(status: int) -> None:
    assert judge_trial(lambda: (status, status)).outcome is Outcome.PASSED


def test_a_gateway_that_fails_what_it_is_to_copy_is_told_apart_from_a_model_that_fails() -> None:
    found = judge_trial(lambda: (404, 500))
    assert (found.outcome, found.is_measured) == (None, False)
    assert "answers 500 to a request that it is to copy, and 404 to one that it is not" in found.why
    assert judge_trial(lambda: (503, 503)).outcome is None
    assert judge_trial(lambda: (500, 404)).outcome is None


def test_a_gateway_that_does_not_answer_is_asked_again() -> None:
    def ask() -> tuple[int, int]:
        raise AdapterError("http://gate:80: refused")

    found = judge_trial(ask)
    assert found.outcome is None
    assert found.why.endswith("http://gate:80: refused")
