"""A model that passed becomes files, for who brings them to the cluster by another tool."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from mlgate.adapters.kubernetes.rendered.folder import RenderedFolder
from mlgate.adapters.terminal.output import tell
from mlgate.commands import unmerged_guard
from mlgate.commands.deploy import preflight
from mlgate.commands.deploy.rollout import candidate_at
from mlgate.commands.run_options import RunOptions
from mlgate.commands.trust.attested_release import demand_no_older
from mlgate.config.load import load
from mlgate.core.deploy.release import Deployed
from mlgate.core.errors import ConfigError, Refused
from mlgate.wiring.gitops import rendering
from mlgate.wiring.gitops.rendering import OfflineTarget


def run_render(choice: RunOptions, to: Path, step: int | None, *, allow_older: bool = False) -> int:
    """Write the manifests of the last verdict's model; *step*: its percent beside what the folder has.

    *allow_older*: its commit may be older than that of the model that serves, also where the file has `trust`.
    """
    unmerged_guard.refuse(choice.config.parent)
    target = OfflineTarget.demanded(load(choice.config))
    preflight.demand_sound(target, choice)
    before = rendering.there(target, to)
    _demand_step(target, before, to, step)
    found = candidate_at(target, choice, datetime.now(UTC))
    if found.release.attestation and not allow_older:
        back = "revert the commit of the folder"
        demand_no_older(target.config.root, found.release, before.stable, before.candidate, back=back)
    model = _known(before, found, to)
    serves = before.stable is not None and before.stable.name == model.name
    weight = None if serves else step
    done = rendering.render(target, to, before, model, weight)
    tell(sys.stdout, f"{target.section.service} in {target.namespace}: mode {target.mode.name}")
    tell(sys.stdout, f"  {_says(before, model, weight, serves=serves)}")
    for what, names in (("wrote", done.written), ("removed", done.removed)):
        for name in names:
            tell(sys.stdout, f"  {what:<8} {to / name}")
    if not (done.written or done.removed):
        tell(sys.stdout, "  nothing changes")
    return 0


def _known(before: RenderedFolder, found: Deployed, to: Path) -> Deployed:
    """Return the model as the folder has it: one that was judged again is the same, and no pod restarts for that.

    Its name is made of its content. Raises Refused where the folder has another content under it.
    """
    for one in (before.stable, before.candidate):
        if one is not None and one.name == found.name:
            if _unnoted(one.manifest) != _unnoted(found.manifest):
                raise Refused(
                    f"what the folder has as {one.name} is not what was judged under this name",
                    where=str(to),
                    hint="restore it: git checkout; or name a new folder",
                )
            return one
    return replace(found, release=replace(found.release, link=""))  # the same verdict gives the same bytes


def _unnoted(value: object) -> object:
    """Return objects without their annotations, which say by what verdict they were let through."""
    if isinstance(value, Mapping):
        return {name: _unnoted(one) for name, one in value.items() if name != "annotations"}
    return [_unnoted(one) for one in value] if isinstance(value, list | tuple) else value


def _demand_step(target: OfflineTarget, before: RenderedFolder, to: Path, step: int | None) -> None:
    """Raise ConfigError for a step that the file does not have, or that has nothing beside it."""
    if step is None:
        return
    steps = (0, *target.section.steps)
    if step not in steps:
        raise ConfigError(
            f"{step} % is no step of this service",
            where=target.config.where("deploy", "steps"),
            hint=f"one of {', '.join(map(str, steps))}; 0: it is loaded, and gets no traffic",
        )
    if before.stable is None:
        raise ConfigError(
            f"the folder has no model that serves: nobody is there beside whom it would get {step} %",
            where=str(to),
            hint="render the first model without --step",
        )


def _says(before: RenderedFolder, model: Deployed, weight: int | None, *, serves: bool) -> str:
    if serves:
        return f"{model.name} serves already" + (": it is alone again" if before.candidate is not None else "")
    if weight is None:
        return f"{model.name} has all of the traffic, and is alone"
    assert before.stable is not None
    return f"{model.name} has {weight} % of the traffic beside {before.stable.name}"
