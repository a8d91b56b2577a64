"""docs/reference/cli.md is what `--help` prints: MLGATE_UPDATE_GOLDEN=1 writes it anew."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import click
from click.testing import CliRunner

from mlgate.cli.group import VERBS, group

PAGE = Path(__file__).parents[2] / "docs/reference/cli.md"
HEAD = """\
# The command line

What `mlgate --help` and each verb's `--help` print. Options can also come from the environment: `MLGATE_CONFIG`,
`MLGATE_OUTPUT`, `MLGATE_BOOTSTRAP`.

The files of a run lie in `.mlgate/` beside `mlgate.yaml`: `verdict.json` (outcome, exit code, reason; says
*incomplete* from a run's first act to its last), `report.json` ([schema](report.v1.schema.json)), `evidence.jsonl.gz`
(every answer), `junit.xml`, `summary.md`, `journal.jsonl` while a run is under way or when it was interrupted, and
`pending/`, verdicts that MLflow did not take. `mlgate deploy` leaves `rollout/` there: `rollout.json`
([schema](rollout.v1.schema.json)), `rollout.md` and `rollout.svg`.

`mlgate check`, `mlgate merge` and (with `--mlgate-strict`, or in CI) `pytest -p mlgate` replace the last verdict by
*incomplete* as soon as they have read their options: before they import a library and before they read `mlgate.yaml`.
So a run that is killed in its first second, or that was given a wrong option, leaves no older `passed` behind, and no
older report. `--help` changes nothing.
"""


def helped(*arguments: str) -> str:
    done = CliRunner().invoke(group, [*arguments, "--help"], prog_name="mlgate", terminal_width=96)
    assert done.exit_code == 0
    return f"```\n$ {' '.join(('mlgate', *arguments, '--help'))}\n{done.output.rstrip()}\n```\n"


def verbs() -> Iterator[tuple[str, ...]]:
    """Every verb, and behind one that is a group the verbs of that."""
    for verb in VERBS:
        yield (verb,)
        command = group.get_command(click.Context(group), verb)
        yield from ((verb, inner) for inner in command.commands) if isinstance(command, click.Group) else ()


def test_the_page_is_what_help_prints() -> None:
    parts = [HEAD, helped(), *(f"## {' '.join(words)}\n\n{helped(*words)}" for words in verbs())]
    text = "\n".join(parts)
    if os.environ.get("MLGATE_UPDATE_GOLDEN") == "1":
        PAGE.write_text(text)
    assert PAGE.read_text() == text
