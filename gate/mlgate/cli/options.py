"""Options that several verbs share."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from mlgate.adapters.files import gate_file

Decorated = Callable[..., Any]

_ARTIFACT_NAME = re.compile(r"[a-z0-9-]{1,40}")
_MOST_SHARDS = 10_000
_MOST_WORKERS = 256
_LAST_PORT = 65_535
_SPAN = re.compile(r"([0-9]{1,8}(?:\.[0-9]{1,3})?)(ms|s|m|h)")
_SECONDS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0}


def config(function: Decorated) -> Decorated:
    """Add `--config FILE`."""
    return click.option(
        "-c",
        "--config",
        type=click.Path(path_type=Path),
        default=gate_file.DEFAULT_FILE,
        envvar="MLGATE_CONFIG",
        callback=_the_one,
        help="The gate's file.  [mlgate.yaml]",
    )(function)


def _the_one(context: click.Context, parameter: click.Parameter, value: Path) -> Path:
    """Return the file that was named on the command line, or else the one that is there."""
    named = context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE
    return value if named else gate_file.found(value)


def base(function: Decorated) -> Decorated:
    """Add `--base REF`, `--approve-policy` and `--image REF`: what of the file a change under test cannot edit."""
    for option in (
        click.option(
            "--image", default="", envvar="MLGATE_IMAGE", metavar="REF", help="Test this image instead of the file's."
        ),
        click.option(
            "--approve-policy",
            is_flag=True,
            envvar="MLGATE_APPROVE_POLICY",
            help="A person approved that the change edits its rules.",
        ),
        click.option(
            "--base",
            default="",
            envvar="MLGATE_BASE",
            metavar="REF",
            help="Judge by the rules of this ref (refs/remotes/origin/main); auto: in CI, a pull request's base.",
        ),
    ):
        function = option(function)
    return function


def output(function: Decorated) -> Decorated:
    """Add `--output DIR`."""
    return click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path, file_okay=False),
        envvar="MLGATE_OUTPUT",
        help="Where verdict, reports and evidence go.  [.mlgate beside the file]",
    )(function)


def judged_image(function: Decorated) -> Decorated:
    """Add `--image NAME@DIGEST`."""
    return click.option(
        "--image",
        default="",
        envvar="MLGATE_IMAGE",
        metavar="NAME@DIGEST",
        help="Where the registry has the image that was judged.  [the name in the verdict]",
    )(function)


def attestations(function: Decorated) -> Decorated:
    """Add `--attestation FILE`."""
    return click.option(
        "--attestation",
        "attestations",
        multiple=True,
        type=click.Path(path_type=Path),
        metavar="FILE",
        help="The verdict's attestation, where the file has `trust`.  [those beside the verdict]",
    )(function)


def allow_older(function: Decorated) -> Decorated:
    """Add `--allow-older`."""
    return click.option(
        "--allow-older", is_flag=True, help="With `trust`: the commit may be older than the one that serves."
    )(function)


def verdict(function: Decorated) -> Decorated:
    """Add `--verdict SHA256`."""
    return click.option(
        "--verdict",
        default="",
        envvar="MLGATE_VERDICT",
        metavar="SHA256",
        help="Refuse another report than this one: the output `report-digest` of the job that judged.",
    )(function)


def environment(function: Decorated) -> Decorated:
    """Add `--environment NAME`."""
    return click.option(
        "--environment",
        default="",
        envvar="MLGATE_ENVIRONMENT",
        metavar="NAME",
        help="Show it on GitHub as a deployment to this environment. The token comes from MLGATE_GITHUB_TOKEN.",
    )(function)


def bootstrap(function: Decorated) -> Decorated:
    """Add `--bootstrap`."""
    return click.option(
        "--bootstrap",
        is_flag=True,
        envvar="MLGATE_BOOTSTRAP",
        help="Nothing to compare with: warn, do not block.",
    )(function)


def save_baseline(function: Decorated) -> Decorated:
    """Add `--save-baseline`."""
    return click.option(
        "--save-baseline",
        is_flag=True,
        envvar="MLGATE_SAVE_BASELINE",
        help="Make this run the baseline when it passes.",
    )(function)


def keep_baseline(function: Decorated) -> Decorated:
    """Add `--keep-baseline`."""
    return click.option(
        "--keep-baseline",
        is_flag=True,
        envvar="MLGATE_KEEP_BASELINE",
        help="Like --save-baseline, where the file says `baseline: {from: ci}`.",
    )(function)


def alias(option: str, says: str) -> Callable[[Decorated], Decorated]:
    """Add the option for an alias of the registered model."""
    return click.option(
        option,
        "alias",
        callback=_alias,
        default="champion",
        envvar="MLGATE_ALIAS",
        metavar="ALIAS",
        help=f"{says}  [champion]",
    )


def _alias(context: click.Context, parameter: click.Parameter, value: str) -> str:  # noqa: ARG001 - click's signature
    from mlgate.config.sections.registry_names import alias as checked

    return checked(value, parameter.opts[0])


def allow_forks(function: Decorated) -> Decorated:
    """Add `--allow-forks`."""
    return click.option(
        "--allow-forks",
        is_flag=True,
        envvar="MLGATE_ALLOW_FORKS",
        help="Run forks' changes on a self-hosted machine, too.",
    )(function)


def name(function: Decorated) -> Decorated:
    """Add `--name NAME`."""
    return click.option(
        "--name",
        type=_name,
        default="mlgate",
        envvar="MLGATE_NAME",
        metavar="NAME",
        help="Of the gate, where a repository has several.  [mlgate]",
    )(function)


def _name(text: str) -> str:
    if not _ARTIFACT_NAME.fullmatch(text):
        raise click.BadParameter(f"{text!r} is not made of 1 to 40 of a-z, 0-9 and -")
    return text


def span(text: str) -> float:
    """Read a span of time such as `30s` or `10m`; return its seconds."""
    found = _SPAN.fullmatch(text)
    if not found:
        raise click.BadParameter(f"{text!r} is no span of time: write it like 30s or 10m")
    return float(found[1]) * _SECONDS[found[2]]


def address(text: str) -> tuple[str, int]:
    """Read `PORT` or `HOST:PORT`; without a host nobody but this machine can ask."""
    host, _, port = text.rpartition(":")
    if not port.isdecimal() or int(port) > _LAST_PORT:
        raise click.BadParameter(f"{text!r} is no address: write it like 8080 or 0.0.0.0:8080")
    return host.strip("[]") or "127.0.0.1", int(port)


def is_rollout(path: Path) -> bool:
    """Return whether a file is a kept rollout, by its name: evidence is `.jsonl.gz`."""
    return path.suffix == ".json"


def finite(_: click.Context, parameter: click.Parameter, value: float | None) -> float | None:
    """Return a number that is one: a range lets NaN in."""
    if value is not None and not math.isfinite(value):
        raise click.BadParameter("it must be a number", param=parameter)
    return value


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
