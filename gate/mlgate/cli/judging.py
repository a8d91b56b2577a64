"""A verb that ends in a verdict. Its first act is to reset the last one, before a line of the configuration is read.

Libraries take seconds to import, on a cold disk many. Whoever is killed meanwhile must not leave yesterday's `passed`
behind. So the verbs' files import nothing heavy above their functions, and this runs as soon as the options are known.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from pathlib import Path

import click

from mlgate.adapters.files import gate_file
from mlgate.adapters.files.run_folder import RunFolder
from mlgate.cli import options
from mlgate.core.errors import GateError


@click.command(add_help_option=False, context_settings={"ignore_unknown_options": True, "allow_extra_args": True})
@options.config
@options.output
def _place(config: Path, output: Path | None) -> None:
    """Read two options out of a command line, whatever else is wrong with it."""


def place_of(arguments: Sequence[str]) -> Path:
    """Return the gate's file that a command line means, whatever is wrong with it."""
    with contextlib.suppress(click.ClickException, GateError):
        named = _place.make_context("mlgate", list(arguments), resilient_parsing=True).params.get("config")
        return named if isinstance(named, Path) else gate_file.DEFAULT_FILE
    return gate_file.DEFAULT_FILE


class Judging(click.Command):
    """Resets the last verdict when the options are read, also when they are wrong; not when only help was asked for."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the options, then write `incomplete`. Raises AdapterError where that cannot be written."""
        given = list(args)
        try:
            rest = super().parse_args(ctx, args)
        except (click.UsageError, GateError):
            with contextlib.suppress(click.ClickException, GateError):
                _folder(_place.make_context("mlgate", given, resilient_parsing=True)).reset_verdict()
            raise
        _folder(ctx).reset_verdict()
        return rest


def _folder(context: click.Context) -> RunFolder:
    config, output = context.params.get("config"), context.params.get("output")
    return RunFolder.beside(config if isinstance(config, Path) else gate_file.DEFAULT_FILE, output)
