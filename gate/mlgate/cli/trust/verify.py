"""`mlgate verify`."""

from __future__ import annotations

from pathlib import Path

import click

from mlgate.cli import options
from mlgate.commands.run_options import RunOptions


@click.command()
@click.argument("attestations", nargs=-1, type=click.Path(path_type=Path))
@options.config
@options.output
@click.option(
    "--image",
    default="",
    metavar="NAME@DIGEST",
    help="Verify an attestation of this image, without the files of a run.",
)
def command(*, attestations: tuple[Path, ...], config: Path, output: Path | None, image: str) -> int:
    """Verify ATTESTATIONS [those beside the last verdict] by the file's `trust`, without a network.

    They must be of exactly what the last verdict is about, and of the rules that the file has now. Of several the
    newest decides. Exit codes: 0 verified, 2 the file, 5 refused.
    """
    from mlgate.commands.trust.verify import run_verify

    return run_verify(RunOptions(config, output, attestations=attestations), image)
