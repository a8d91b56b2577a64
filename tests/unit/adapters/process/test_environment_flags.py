"""What says that a machine runs this, in the words that switches take."""

from __future__ import annotations

import pytest

from mlgate.adapters.process.environment_flags import in_ci


@pytest.mark.parametrize("word", ["true", "1", "True", "yes", "woodpecker"])
def test_any_word_that_does_not_say_off_is_ci(word: str) -> None:
    assert in_ci({"CI": word})


@pytest.mark.parametrize("word", ["", " ", "off", "OFF", "false", "0", "no", "n"])
def test_every_word_for_off_is_a_desk(word: str) -> None:
    assert not in_ci({"CI": word})
    assert not in_ci({})
    assert in_ci({"CI": word, "GITHUB_ACTIONS": "true"})
