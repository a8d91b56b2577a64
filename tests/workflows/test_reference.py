"""The pages about actions and workflows say what their YAML says."""

from __future__ import annotations

import os

import pytest
from tests.workflows.reference import PAGES, ROOT, whole


@pytest.mark.parametrize("page", PAGES)
def test_a_page_lists_the_inputs_and_outputs_of_the_yaml(page: str) -> None:
    text = whole(page)
    if os.environ.get("MLGATE_UPDATE_GOLDEN") == "1":
        (ROOT / page).write_text(text, encoding="utf-8")
    assert text == (ROOT / page).read_text(encoding="utf-8"), "MLGATE_UPDATE_GOLDEN=1 writes it anew"


def test_every_action_has_a_page() -> None:
    assert {f"action/{path.parent.name}/README.md" for path in (ROOT / "action").glob("*/action.yml")} <= PAGES.keys()
