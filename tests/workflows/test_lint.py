"""Four linters have nothing to say about our workflows, actions, examples and scripts; and would have."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tests.workflows import files, lint

Tool = Callable[[Path], lint.Result]

GOOD = """\
name: good
on: push
permissions: {}
concurrency:
  group: good-${{ github.ref }}
  cancel-in-progress: false
jobs:
  one:
    name: one
    runs-on: ubuntu-24.04
    timeout-minutes: 5
    permissions: {}
    steps:
      - name: Say
        shell: bash
        run: echo one
"""
UNPINNED = GOOD.replace("shell: bash\n        run: echo one", "uses: actions/checkout@v4")
UNDEFINED = GOOD.replace("echo one", "echo ${{ steps.none.outputs.x }}")
UNKNOWN_KEY = GOOD.replace("runs-on:", "runs-at:")
UNQUOTED = GOOD.replace("run: echo one", 'run: rm -rf "$HOME"/$NAME')
ACTION = """\
name: good
description: Says a word
inputs:
  word:
    description: The word
    required: false
    default: one
runs:
  using: composite
  steps:
    - name: Say
      shell: bash
      env:
        WORD: ${{ inputs.word }}
      run: echo "$WORD"
"""
WORKFLOW = ".github/workflows/a.yml"
BAD: list[tuple[Tool, str, str, str]] = [
    (lint.zizmor, WORKFLOW, UNPINNED, "unpinned-uses"),
    (lint.zizmor, "workflows-examples/a.yml", UNPINNED, "unpinned-uses"),
    (lint.zizmor, "action/a/action.yml", ACTION.replace('"$WORD"', "${{ inputs.word }}"), "template-injection"),
    (lint.zizmor, "action.yml", ACTION.replace('"$WORD"', "${{ inputs.word }}"), "template-injection"),
    (
        lint.zizmor,
        ".github/dependabot.yml",
        "version: 2\nupdates: [{package-ecosystem: pip, directory: /}]\n",
        "cooldown",
    ),
    (lint.jactionlint, WORKFLOW, UNDEFINED, "none"),
    (lint.jactionlint, "workflows-examples/a.yml", UNDEFINED, "none"),
    (lint.jactionlint, "action/a/action.yml", ACTION.replace("inputs.word }}", "inputs.world }}"), "world"),
    (lint.jactionlint, WORKFLOW, UNQUOTED, "SC2086"),
    (lint.schemas, WORKFLOW, UNKNOWN_KEY, "runs-at"),
    (lint.schemas, "workflows-examples/a.yml", UNKNOWN_KEY, "runs-at"),
    (lint.schemas, "action/a/action.yml", ACTION.replace("    - name", "    - nome"), "nome"),
    (lint.schemas, ".github/dependabot.yml", "version: 3\nupdates: []\n", "version"),
    (lint.shellcheck, WORKFLOW, UNQUOTED, "SC2086"),
    (lint.shellcheck, "action/a/action.yml", ACTION.replace('"$WORD"', "$WORD"), "SC2086"),
    (lint.shellcheck, "action/a/set-up.sh", "#!/bin/sh\necho $1\n", "SC2086"),
    (lint.shellcheck, ".ci/run", "#!/usr/bin/env bash\necho $1\n", "SC2086"),
    (lint.unsilenced, WORKFLOW, UNPINNED.replace("@v4", "@v4 # zizmor: ignore[unpinned-uses]"), "unpinned-uses"),
    (lint.unsilenced, "action/a/set-up.sh", "#!/bin/sh\n# shellcheck disable=SC2086\necho $1\n", "SC2086"),
    (lint.unsilenced, ".github/zizmor.yml", "rules: {}\n", "zizmor.yml"),
    (lint.unsilenced, ".github/jactionlint.yaml", "rules: {}\n", "jactionlint.yaml"),
]


@pytest.mark.parametrize("tool", lint.TOOLS, ids=lambda tool: tool.__name__)
def test_a_linter_finds_nothing(tool: Tool) -> None:
    result = tool(files.ROOT)
    assert result.looked_at, "nothing was looked at"
    assert not result.findings, result.findings


@pytest.mark.parametrize("tool", lint.TOOLS, ids=lambda tool: tool.__name__)
def test_a_clean_repository_is_clean(tool: Tool, tmp_path: Path) -> None:
    write(tmp_path, WORKFLOW, GOOD)
    write(tmp_path, "action/a/action.yml", ACTION)
    assert not tool(tmp_path).findings


@pytest.mark.parametrize(("tool", "path", "text", "says"), BAD, ids=[f"{t.__name__}-{p}-{s}" for t, p, _, s in BAD])
def test_a_linter_sees_a_fault_in_each_kind_of_file(
    tmp_path: Path, tool: Tool, path: str, text: str, says: str
) -> None:
    write(tmp_path, path, text)
    assert says in tool(tmp_path).findings


def write(root: Path, name: str, text: str) -> None:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(text)
