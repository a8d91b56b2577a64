"""A release as files, composed: the service that a file names, without its cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from mlgate.adapters.kubernetes import manifest
from mlgate.adapters.kubernetes.capabilities import kserve_mode
from mlgate.adapters.kubernetes.kinds import HTTP_ROUTE, INFERENCE_SERVICE
from mlgate.adapters.kubernetes.rendered import folder
from mlgate.adapters.kubernetes.rendered.folder import RenderedFolder, Written
from mlgate.adapters.kubernetes.rendered.objects import Objects, RenderedStep, rendered
from mlgate.core.deploy import mode
from mlgate.core.deploy.release import Deployed
from mlgate.core.deploy.rollout import ALL
from mlgate.core.errors import ConfigError
from mlgate.flow.deploy.mode import Mode, Question, choose
from mlgate.wiring.deploy import Target


@dataclass(frozen=True)
class OfflineTarget(Target):
    """The same service where nobody asks a cluster: what that would say has to be written."""

    @cached_property
    def mode(self) -> Mode:
        """Return what the file asks for."""
        if self.section.mode == "auto":
            raise ConfigError(
                "`deploy` does not say the mode: without a cluster nobody can choose it",
                where=self.config.where("deploy"),
                hint="which one does it take? mlgate deploy --dry-run says it; then write e.g. mode: route",
            )
        values: list[Mapping[str, Any]] = [one.value for one in self.documents]
        runs = manifest.workload(values)
        return choose(
            Question(
                asked=self.section.mode,
                is_inference_service=manifest.kind_of(runs) is INFERENCE_SERVICE,
                kserve_mode=kserve_mode(runs),
                has_kserve=True,
                has_gateway_api=True,
                has_knative=True,
                names_gateway=self.section.gateway is not None,
            )
        )

    @property
    def namespace(self) -> str:
        """Return what the file says."""
        if self.section.namespace is None:
            raise ConfigError(
                "`deploy` does not say the namespace: without a cluster nobody knows it",
                where=self.config.where("deploy"),
                hint="write namespace: NAME",
            )
        return self.section.namespace


def there(target: OfflineTarget, to: Path) -> RenderedFolder:
    """Return what an earlier render left.

    Raises ConfigError where that was another service, or another mode, Refused where somebody changed it.
    """
    found = folder.read(to)
    wanted = (target.section.service, target.namespace, target.mode.name)
    names = (found.service, found.namespace, found.mode)
    if found.service and names != wanted:
        raise ConfigError(
            f"the folder has {names[0]} in namespace {names[1]} by mode {names[2]}; this would be "
            f"{wanted[0]} in {wanted[1]} by {wanted[2]}",
            where=str(to),
            hint="render into a folder of its own",
        )
    if found.stable is not None:
        model, beside = (found.stable, None) if found.candidate is None else (found.candidate, found.stable)
        objects = _objects(target, model, beside, found.weight if beside is not None else ALL)
        folder.demand_listed(to, found, [one for one in objects if one["kind"] != HTTP_ROUTE.name])
    return found


def _objects(target: OfflineTarget, model: Deployed, beside: Deployed | None, weight: int) -> Objects:
    """Return what a rollout of *model* has at *weight* percent; without a model *beside* it, it is over."""
    step = RenderedStep(target.section.service, target.namespace, target.mode.name, model, beside, weight)
    return rendered(step, target.gateway if step.mode in mode.ROUTED else None)


def render(target: OfflineTarget, to: Path, before: RenderedFolder, model: Deployed, weight: int | None) -> Written:
    """Write what a rollout of *model* has at *weight* percent; None: when it is over."""
    beside, share = (before.stable, weight) if weight is not None else (None, ALL)
    objects = _objects(target, model, beside, share)
    now = replace(before, service=target.section.service, namespace=target.namespace, mode=target.mode.name)
    now = replace(now, weight=share, stable=beside or model, candidate=model if beside is not None else None)
    return folder.write(to, before, now, objects)
