"""Back to the model that served before: on the cluster, in the registry, or both, as mlgate.yaml has them."""

from __future__ import annotations

import sys
from contextlib import suppress

from mlgate.adapters.terminal.output import tell
from mlgate.commands import unmerged_guard
from mlgate.commands.promote import run_registry_rollback
from mlgate.commands.run_options import RunOptions
from mlgate.config.load import load
from mlgate.core.errors import ConfigError, GateError, NothingBefore
from mlgate.wiring.mlflow import Mlflow


def run_rollback(choice: RunOptions, alias: str, to: int) -> int:
    """Go back; *to*: a version of the registry, 0 for the one before. Return the exit code.

    The cluster comes first: it needs nothing but its API, and users wait for it. Then the alias names what serves.
    Where only a rollout was taken back, the model that served never changed, and the registry stays as it is. An alias
    that follows no cluster moves by itself.
    """
    unmerged_guard.refuse(choice.config.parent)  # a change names its own server and its own cluster
    config = load(choice.config)
    memory, deployed = Mlflow.of(config), config.document.deploy is not None
    if memory is None and not deployed:
        raise ConfigError(
            "there is nothing to go back in: the file has neither `deploy` nor `tracking`",
            where=str(config.path),
            hint="add a line: tracking: {mlflow: sqlite:///mlflow.db}",
        )
    if not deployed:
        return run_registry_rollback(choice, alias, to)
    if memory is not None and not memory.is_live(alias):
        tell(sys.stderr, f"mlgate: notice: {alias} follows no cluster: the cluster stays as it is")
        return run_registry_rollback(choice, alias, to)
    if to:
        return _to_version(choice, to)
    return _on_cluster(choice, has_alias=memory is not None)


def _to_version(choice: RunOptions, to: int) -> int:
    from mlgate.commands.deploy import live_alias  # most of a deploy

    alias = live_alias.demand_serves(choice, to)
    tell(sys.stderr, "mlgate: notice: --to names a version of the registry: the cluster stays as it is")
    return run_registry_rollback(choice, alias, to)


def _on_cluster(choice: RunOptions, *, has_alias: bool) -> int:
    from mlgate.commands.deploy import live_alias
    from mlgate.commands.deploy.rollout import run_cluster_rollback

    try:
        code, has_changed = run_cluster_rollback(choice)
    except NothingBefore:  # a rollback was cut off, perhaps, before its alias moved
        with suppress(GateError):  # why that could not be is not what was asked
            if has_alias and live_alias.is_completed(choice):
                return 0
        raise
    return live_alias.run_back(choice) if has_alias and not code and has_changed else code
