"""Options that several verbs share."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

Decorated = Callable[..., Any]

_MOST_SHARDS = 10_000
_MOST_WORKERS = 256


def config(function: Decorated) -> Decorated:
    """Add `--config FILE`."""
    return click.option(
        "-c",
        "--config",
        type=click.Path(path_type=Path),
        default=Path("mlgate.yaml"),
        envvar="MLGATE_CONFIG",
        help="The gate's file.  [mlgate.yaml]",
    )(function)


def output(function: Decorated) -> Decorated:
    """Add `--output DIR`."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="MLGATE_OUTPUT",
        help="Where verdict, reports and evidence go.  [.mlgate beside the file]",
    )(function)


def bootstrap(function: Decorated) -> Decorated:
    """Add `--bootstrap`."""
    return click.option(
        "--bootstrap",
        is_flag=True,
        envvar="MLGATE_BOOTSTRAP",
        help="Nothing to compare with: warn, do not block.",
    )(function)


def workers(text: str) -> int:
    """Read a number of processes, or `auto`: one a core."""
    if text == "auto":
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    if not text.isdecimal() or int(text) > _MOST_WORKERS:
        raise click.BadParameter(f"{text!r} is not a number from 0 to {_MOST_WORKERS}, nor `auto`")
    return int(text)


def shard(text: str) -> tuple[int, int]:
    """Read `k/n`: part k of n."""
    left, slash, right = text.partition("/")
    if not (slash and left.isdecimal() and right.isdecimal() and 1 <= int(left) <= int(right) <= _MOST_SHARDS):
        raise click.BadParameter(f"{text!r} is not a shard such as 2/3")
    return int(left), int(right)
