"""`mlgate schema`."""

from __future__ import annotations

import json
import sys

import click

from mlgate.adapters.terminal.output import tell


@click.command()
@click.option("--report", "of", flag_value="report", help="The schema of report.json instead.")
@click.option("--rollout", "of", flag_value="rollout", help="The schema of rollout.json instead.")
def command(*, of: str | None) -> int:
    """Print the JSON Schema of mlgate.yaml, for editors and validators."""
    if of == "report":
        from mlgate.reports.json_v1.document import schema
    elif of == "rollout":
        from mlgate.reports.json_v1.rollout import schema
    else:
        from mlgate.config.schema import json_schema
        from mlgate.metrics import registry

        tell(sys.stdout, json.dumps(json_schema(sorted(registry.third_party())), indent=2, ensure_ascii=True))
        return 0
    tell(sys.stdout, json.dumps(schema(), indent=2, ensure_ascii=True))
    return 0
