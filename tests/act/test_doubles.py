"""A double takes all that our workflows give to the action that it stands in for, and no more than the action does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.act.staging import DOUBLES, SELF
from tests.workflows import files

GIVEN = [
    (where, files.USES.match(uses), set(keys))
    for document in files.everything()
    for where, uses, keys in [(step.where, step.uses, step.inputs) for step in document.steps()]
]
FOREIGN = [(where, uses, keys) for where, uses, keys in GIVEN if uses and uses["repo"] != SELF]


def double(uses: re.Match[str]) -> Path:
    return DOUBLES / uses["repo"].replace("/", "-") / (uses["path"] or "").lstrip("/") / "action.yml"


def test_every_action_of_others_has_a_double() -> None:
    assert {uses[0] for _, uses, _ in FOREIGN if not double(uses).is_file()} == set()


def test_a_double_knows_every_input_that_is_given() -> None:
    unknown = []
    for where, uses, keys in FOREIGN:
        path = double(uses)
        if path.is_file() and (strange := keys - set(files.read(files.ROOT, path).inputs)):
            unknown.append(f"{where}: {uses['repo']} takes no {', '.join(sorted(strange))}")
    assert unknown == []


@pytest.mark.parametrize("path", sorted(DOUBLES.rglob("action.yml")), ids=lambda path: path.parent.name)
def test_a_double_runs_code_that_is_there(path: Path) -> None:
    for module in re.findall(r"tests\.act\.doubles\.(\w+)", "".join(p.read_text() for p in path.parent.glob("*.*"))):
        assert (DOUBLES / f"{module}.py").is_file()
