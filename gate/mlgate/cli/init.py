"""`mlgate init`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import click

from mlgate.adapters.files import gate_file
from mlgate.adapters.terminal.output import tell
from mlgate.commands.init import USUAL_NAME, run_init, run_init_deploy
from mlgate.reports.starter_files import Kind


@click.command()
@click.argument("folder", type=click.Path(path_type=Path, file_okay=False), default=Path())
@click.option("--python", "python", metavar="MODULE:FUNCTION", help="Your model is a Python function.")
@click.option("--endpoint", metavar="URL", help="Your model is a server.")
@click.option("--answers", metavar="FILE", help="Your model's answers are in a file.")
@click.option(
    "--data",
    metavar="FILE",
    help="Your test set; or keys that read it: '{path: x.csv, delimiter: \";\"}'.  [data/test.jsonl, a sample]",
)
@click.option("--name", default=USUAL_NAME, help=f"What reports call the model.  [{USUAL_NAME}]")
@click.option(
    "--deploy",
    type=click.Choice(["inference-service", "deployment"]),
    help="Write a manifest for the image of the mlgate.yaml that is there, by what its last run measured.",
)
def command(
    *,
    folder: Path,
    python: str | None,
    endpoint: str | None,
    answers: str | None,
    data: str | None,
    name: str,
    deploy: Literal["inference-service", "deployment"] | None,
) -> int:
    """Write a working mlgate.yaml into FOLDER [.], with a data sample and a stand-in model unless you name yours.

    Of your own data it finds out the format, the columns and the metrics that suit. Where it cannot tell, it says what
    to write, and writes nothing. Nothing that is there is ever overwritten.
    """
    if deploy:
        for path in run_init_deploy(gate_file.found(folder / gate_file.DEFAULT_FILE), deploy):
            tell(sys.stdout, f"wrote {path}")
        tell(
            sys.stdout, "next: read it; add `deploy: {service: …, manifest: …}` to mlgate.yaml; mlgate deploy --dry-run"
        )
        return 0
    given: dict[Kind, str | None] = {"python": python, "endpoint": endpoint, "answers": answers}
    named = [(kind, target) for kind, target in given.items() if target]
    if len(named) > 1:
        raise click.UsageError("name one model: --python, --endpoint or --answers")
    kind, target = named[0] if named else ("python", "")
    for path in run_init(folder, name=name, kind=kind, target=target, data=data or ""):
        tell(sys.stdout, f"wrote {path}")
    tell(sys.stdout, f"next: mlgate check{'' if folder == Path() else f' -c {folder}/mlgate.yaml'}")
    return 0
