"""`mlgate attest`."""

from __future__ import annotations

from pathlib import Path

import click

from mlgate.cli import options
from mlgate.commands.run_options import RunOptions


@click.command()
@options.config
@options.output
@options.judged_image
@options.verdict
@click.option(
    "--key",
    type=click.Path(path_type=Path, dir_okay=False),
    envvar="MLGATE_KEY",
    metavar="FILE",
    help="Sign by this Ed25519 key in PEM. Its passphrase is in MLGATE_KEY_PASSPHRASE.",
)
def command(*, config: Path, output: Path | None, image: str, verdict: str, key: Path | None) -> int:
    """Write the last verdict as an in-toto statement, and sign it.

    The verdict's files are verified first; a bad one is attested, too, so that it can take back an older pass. Without
    --key the statement and its predicate are left unsigned, for actions/attest. Runs nothing of the model's.
    Exit codes: 0 attested, 3 no verdict, 5 the files are not those of the run, or the rules not the file's.
    """
    from mlgate.commands.trust.attest import run_attest

    return run_attest(RunOptions(config, output, image=image, verdict=verdict), key)
