"""Back to the model that served before: on the cluster, in the registry, or both, as mlgate.yaml has them."""

from __future__ import annotations

import sys

from mlgate.adapters.terminal.output import tell
from mlgate.commands import unmerged_guard
from mlgate.commands.promote import run_registry_rollback
from mlgate.commands.run_options import RunOptions
from mlgate.config.load import load
from mlgate.core.errors import ConfigError


def run_rollback(choice: RunOptions, alias: str, to: int) -> int:
    """Go back; *to*: a version of the registry, 0 for the one before. Return the exit code.

    The cluster comes first: it needs nothing but its API, and users wait for it. Where only a rollout was taken back,
    the model that served never changed, and the registry stays as it is.
    """
    unmerged_guard.refuse(choice.config.parent)  # a change names its own server and its own cluster
    config = load(choice.config)
    deployed, tracked = config.document.deploy is not None, config.tracking is not None
    if not deployed and not tracked:
        raise ConfigError(
            "there is nothing to go back in: the file has neither `deploy` nor `tracking`",
            where=str(config.path),
            hint="add a line: tracking: {mlflow: sqlite:///mlflow.db}",
        )
    if deployed and to:
        tell(sys.stderr, "mlgate: notice: --to names a version of the registry: the cluster stays as it is")
    elif deployed:
        from mlgate.commands.deploy.rollout import run_cluster_rollback

        code, has_changed = run_cluster_rollback(choice)
        if code or not has_changed:
            return code
    return run_registry_rollback(choice, alias, to) if tracked else 0
