"""`mlgate schema`."""

from __future__ import annotations

import json
import sys

import click

from mlgate.adapters.terminal.output import tell


@click.command()
@click.option("--report", is_flag=True, help="The schema of report.json instead.")
def command(*, report: bool) -> int:
    """Print the JSON Schema of mlgate.yaml, for editors and validators."""
    if report:
        from mlgate.reports.json_v1 import document as json_v1

        schema = json_v1.schema()
    else:
        from mlgate.config.schema import json_schema

        schema = json_schema()
    tell(sys.stdout, json.dumps(schema, indent=2, ensure_ascii=True))
    return 0
