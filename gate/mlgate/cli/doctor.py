"""`mlgate doctor`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from mlgate.adapters.terminal.output import tell
from mlgate.cli import options
from mlgate.commands.doctor import examine
from mlgate.commands.publish import width
from mlgate.reports.content import text_width
from mlgate.reports.content.escape import terminal

_MARKS = {"ok": "✓", "note": "·", "bad": "✗"}
_INDENT = 13


@click.command()
@options.config
@click.option("--ask/--no-ask", default=True, help="Ask each model one example.  [ask]")
def command(*, config: Path, ask: bool) -> int:
    """Check this machine, mlgate.yaml, the data, the baseline and the model; say what to mend, in that order."""
    code, room = 0, width() - _INDENT
    for finding in examine(config, ask=ask):
        if finding.state == "bad":
            code = code or finding.exit_code
        head = f"{_MARKS[finding.state]} {finding.what}"
        for line in text_width.hang(head, text_width.wrap(terminal(finding.said, 500), room), _INDENT):
            tell(sys.stdout, line)
        if finding.hint:
            for line in text_width.hang("", text_width.wrap(f"next: {terminal(finding.hint, 500)}", room), _INDENT):
                tell(sys.stdout, line)
    return code
