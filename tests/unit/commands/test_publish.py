"""Colours where they are seen, and commands that run as they are printed."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import pytest

from mlgate.commands.publish import desk_of, has_colours
from mlgate.commands.run_options import RunOptions
from mlgate.reports.content.next_steps import Desk


class Terminal(io.StringIO):
    """A stream that is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("environ", "in_terminal", "in_file"),
    [
        ({}, True, False),
        ({"TERM": "dumb"}, False, False),
        ({"NO_COLOR": "1"}, False, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, False, False),
        ({"NO_COLOR": ""}, True, False),
        ({"FORCE_COLOR": "1"}, True, True),
        ({"FORCE_COLOR": "3"}, True, True),
        ({"FORCE_COLOR": "true"}, True, True),
        ({"FORCE_COLOR": "0"}, False, False),
        ({"CLICOLOR_FORCE": "1"}, True, True),
        ({"CLICOLOR_FORCE": "0"}, True, False),
        ({"CLICOLOR": "0"}, False, False),
        ({"GITHUB_ACTIONS": "true"}, True, True),
        ({"GITHUB_ACTIONS": "true", "NO_COLOR": "1"}, False, False),
    ],
)
def test_colours_are_where_they_are_seen(environ: Mapping[str, str], in_terminal: bool, in_file: bool) -> None:
    assert has_colours(Terminal(), environ) is in_terminal
    assert has_colours(io.StringIO(), environ) is in_file


def test_commands_name_the_file_and_the_folder_where_they_are_others() -> None:
    assert desk_of(RunOptions(Path("mlgate.yaml"))) == Desk()
    assert desk_of(RunOptions(Path("mlgate.yml"))) == Desk()
    desk = desk_of(RunOptions(Path("my gate.yaml"), Path("out")), asking_helps=False)
    assert desk == Desk("my gate.yaml", "out", "out/evidence.jsonl.gz", asking_helps=False)
    assert desk.check("--resume") == "mlgate check --resume -c 'my gate.yaml' -o out"
    assert desk.reading("explain", "--metric=bleu") == (
        "mlgate explain out/evidence.jsonl.gz -c 'my gate.yaml' --metric=bleu"
    )
    assert desk_of(RunOptions(Path("mlgate.yaml")), Path("old.gz")).reading("power") == "mlgate power old.gz"
