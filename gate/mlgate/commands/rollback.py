"""Back to the model that served before: on the cluster, in the registry, or both, as mlgate.yaml has them."""

from __future__ import annotations

import sys

from mlgate.adapters.terminal.output import tell
from mlgate.commands.promote import run_registry_rollback
from mlgate.commands.run_options import RunOptions
from mlgate.config.load import load
from mlgate.core.errors import ConfigError


def run_rollback(choice: RunOptions, alias: str, to: int) -> int:
    """Go back; *to*: a version of the registry, 0 for the one before. Return the exit code.

    The cluster comes first: it needs nothing but its API, and users wait for it.
    """
    config = load(choice.config)
    deployed, tracked = config.document.deploy is not None, config.tracking is not None
    if not deployed and not tracked:
        raise ConfigError(
            "there is nothing to go back in: the file has neither `deploy` nor `tracking`",
            where=str(config.path),
            hint="add a line: tracking: {mlflow: sqlite:///mlflow.db}",
        )
    code = 0
    if deployed and not to:
        from mlgate.commands.deploy import run_cluster_rollback

        code = run_cluster_rollback(choice)
    elif deployed:
        tell(sys.stderr, "mlgate: notice: --to names a version of the registry: the cluster stays as it is")
    if tracked and not code:
        code = run_registry_rollback(choice, alias, to)
    return code
