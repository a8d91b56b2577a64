"""A service as it is now."""

from __future__ import annotations

import sys

from mlgate.adapters.terminal.output import tell
from mlgate.commands.run_options import RunOptions
from mlgate.config.load import load
from mlgate.core.deploy.rollout import Health
from mlgate.reports.terminal import deploy_status
from mlgate.wiring.deploy import Target

_NOT_WELL = 3


def run_status(choice: RunOptions) -> int:
    """Show the service. Return 0 when a model serves and is ready, else 3."""
    status = Target.demanded(load(choice.config)).status()
    tell(sys.stdout, deploy_status.render(status).rstrip("\n"))
    stable = [one for one in status.models if one.role == "stable"]
    return 0 if stable and all(one.health is Health.READY for one in stable) else _NOT_WELL
