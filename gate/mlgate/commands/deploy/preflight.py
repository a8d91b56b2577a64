"""What a deploy would do, and what is wrong with its manifest, before anything is changed."""

from __future__ import annotations

import sys

from mlgate.adapters.files import safe_file
from mlgate.adapters.kubernetes import manifest
from mlgate.adapters.kubernetes.manifest_rules import advice as rules
from mlgate.adapters.terminal.output import tell
from mlgate.commands.last_verdict import verified
from mlgate.commands.run_options import RunOptions
from mlgate.config import manifest_fix
from mlgate.config.config import Config
from mlgate.config.load import load
from mlgate.config.yaml import source
from mlgate.core.deploy.advice import Advice, Measured
from mlgate.core.deploy.release import Deployed
from mlgate.core.errors import ConfigError, GateError
from mlgate.flow.deploy.measured import measured
from mlgate.reports.content.plural import many
from mlgate.reports.terminal import deploy_advice, manifest_diff
from mlgate.wiring.deploy import Target

_MOST_FIXES = 100
"""One mistake that is mended may show another; none shows itself again."""


def advice(target: Target, choice: RunOptions) -> tuple[Advice, ...]:
    """Return what is wrong with the manifest, by what the last run measured."""
    values = [one.value for one in target.documents]
    runs = manifest.workload(values)
    index = next(number for number, one in enumerate(values) if one is runs)
    found, given = last_measured(target.config, choice), target.section
    return rules.advice(values, index, found, given.steps, given.service)


def show(target: Target, found: tuple[Advice, ...]) -> None:
    """Print what is wrong."""
    places = [(one, target.documents[one.document].where(*one.steps)) for one in found]
    tell(sys.stdout, deploy_advice.render(places).rstrip("\n"))


def demand_sound(target: Target, choice: RunOptions) -> None:
    """Print what is wrong with the manifest; raise ConfigError when an error is among it."""
    found = advice(target, choice)
    if not found:
        return
    show(target, found)
    errors = [one for one in found if one.is_error]
    if errors:
        raise ConfigError(
            f"the manifest has {many(len(errors), 'error')}; nothing was deployed",
            where=str(target.manifest),
            hint="mend them, or let mlgate do it: mlgate deploy --fix",
        )


def demand_sound_cluster(target: Target, candidate: Deployed, serves: Deployed | None) -> None:
    """Print what on the cluster meets the rollout; raise ConfigError when an error is among it."""
    found, unread = target.beside(candidate, serves)
    for one, where in found:
        tell(sys.stdout, "\n".join(deploy_advice.lines(one, where)))
    if unread:
        tell(sys.stderr, f"mlgate: notice: not looked at, because this user may not list them: {', '.join(unread)}")
    errors = [where for one, where in found if one.is_error]
    if errors:
        raise ConfigError(
            f"{' and '.join(errors)} would break the rollout; nothing was deployed", hint="write what is said above"
        )


def run_fix(choice: RunOptions) -> int:
    """Mend the manifest where mlgate knows how. Return 0 when no error is left, else 2."""
    target = Target.demanded(load(choice.config))
    mended = 0
    while found := [one for one in advice(target, choice) if one.fixes]:
        safe_file.write(target.manifest, manifest_fix.fixed(source.read(target.manifest), found).encode())
        target, mended = Target.demanded(load(choice.config)), mended + len(found)
        if mended >= _MOST_FIXES:
            break
    left = advice(target, choice)
    rest = "what is left for you:" if left else "nothing is left"
    tell(sys.stdout, f"{target.manifest}: {many(mended, 'mistake')} mended; {rest}")
    if left:
        show(target, left)
    return ConfigError.exit_code if any(one.is_error for one in left) else 0


def show_changes(candidate: Deployed, before: Deployed | None) -> None:
    """Print what the release changes. The cluster has tried it out already."""
    changes = manifest_diff.render(before, candidate)
    tell(sys.stdout, changes.rstrip("\n") or "nothing changes")
    tell(sys.stdout, "dry run: the cluster accepts every object; nothing was changed")


def last_measured(config: Config, choice: RunOptions) -> Measured:
    """Return what the last run measured; nothing where there is none."""
    image = config.model.image
    path, port = "", 8080
    if image is not None:
        path, port = image.ready or image.usual_ready_path(config.model.served_name), image.port
    try:
        evidence, _, _ = verified(choice)
        return measured(evidence, config.checks, ready_path=path, port=port)
    except GateError:
        return Measured(ready_path=path, port=port)
