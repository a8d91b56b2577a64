"""A deploy, composed: the cluster that the file names, the mode that it takes there, and what carries a rollout out."""

from __future__ import annotations

import contextlib
import os
import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from mlgate.adapters.github import environment
from mlgate.adapters.kubernetes import access, adoption, manifest, replicas, route, route_manifest
from mlgate.adapters.kubernetes import api as kubernetes_api
from mlgate.adapters.kubernetes import status as cluster_status
from mlgate.adapters.kubernetes.api import Api, Conflict
from mlgate.adapters.kubernetes.capabilities import Capabilities, kserve_mode
from mlgate.adapters.kubernetes.http_route import Audience, Gateway
from mlgate.adapters.kubernetes.kinds import INFERENCE_SERVICE
from mlgate.adapters.kubernetes.knative import KnativeServing
from mlgate.adapters.kubernetes.lease import Lease, holder
from mlgate.adapters.kubernetes.release_objects import bare_object, pods
from mlgate.adapters.kubernetes.replicas import ReplicasServing
from mlgate.adapters.kubernetes.service_records import ConfigMapRecords
from mlgate.adapters.kubernetes.standard import StandardServing
from mlgate.adapters.process import clock, liveness
from mlgate.adapters.prometheus.traffic import MOST_WINDOWS
from mlgate.adapters.terminal.output import tell
from mlgate.config import manifest as written_manifest
from mlgate.config.config import Config
from mlgate.config.manifest import Document
from mlgate.config.sections.deploy import DeploySection
from mlgate.config.translate.rules import analysis_rules
from mlgate.config.translate.rules_digest import step_rules_digest
from mlgate.core.check import Rule
from mlgate.core.deploy import mode
from mlgate.core.deploy.ports import RolloutProgress, Serving, StepJudge, Stop
from mlgate.core.deploy.release import Deployed, Release, ServiceRecord
from mlgate.core.deploy.rollout import ALL, Opening, Plan
from mlgate.core.deploy.status import ClusterEvent, PodStatus, ServiceStatus
from mlgate.core.errors import ConfigError, EvidenceError
from mlgate.flow.deploy.mode import Mode, Question, choose
from mlgate.flow.deploy.rollout import RolloutTools
from mlgate.flow.deploy.status import models_of
from mlgate.flow.deploy.step_judge import TrafficRules
from mlgate.wiring.beside import Beside, beside
from mlgate.wiring.traffic import traffic_rules

_MOST_EVENTFUL = 3
"""Pods whose events are asked for."""


@dataclass(frozen=True)
class Target:
    """The service that a file names, on its cluster. Nothing is asked before it is used."""

    config: Config
    section: DeploySection
    force_conflicts: bool = False
    """Fields that other managers own are taken over."""

    @classmethod
    def demanded(cls, config: Config, *, force_conflicts: bool = False) -> Self:
        """Return the target; a file without `deploy` is a ConfigError."""
        section = config.document.deploy
        if section is None:
            hint = "add one: deploy: {service: NAME, manifest: deploy/NAME.yaml, …}"
            raise ConfigError("there is no `deploy` section", where=str(config.path), hint=hint)
        return cls(config, section, force_conflicts)

    @cached_property
    def api(self) -> Api:
        """Return the cluster's API."""
        return kubernetes_api.connect(self.section.context or "", self.section.namespace or "")

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """Return what the manifest has, as it is written."""
        found = written_manifest.read(self.manifest)
        for one in found:
            try:
                manifest.demand_shape(one.value)
            except ConfigError as error:
                raise ConfigError(error.message, hint=error.hint, where=one.where()) from error
        return found

    @property
    def manifest(self) -> Path:
        """Return the manifest's file, as the user would name it."""
        return self.config.path.parent / self.section.manifest

    @cached_property
    def mode(self) -> Mode:
        """Return how traffic is shared: what the file asks for, or what this cluster can do."""
        able = Capabilities.of(self.api)
        runs = manifest.workload(_values(self.documents))
        return choose(
            Question(
                asked=self.section.mode,
                is_inference_service=manifest.kind_of(runs) is INFERENCE_SERVICE,
                kserve_mode=kserve_mode(runs) or able.default_mode,
                has_kserve=able.kserve,
                has_gateway_api=able.gateway_api,
                has_knative=able.knative,
                names_gateway=self.section.gateway is not None,
            )
        )

    def candidate(self, release: Release) -> Deployed:
        """Return the release as this cluster will run it."""
        documents = manifest.with_image(_values(self.documents), release.image)
        if self.mode.name in mode.ONE_OBJECT:
            return manifest.released(self.section.service, release, documents, keeps_names=True)
        if self.mode.name == mode.REPLICAS:
            return manifest.released(self.section.service, release, replicas.prepared(documents, self.section.steps))
        prepared = route_manifest.prepared(documents, self.section.service)
        return manifest.released(self.section.service, release, prepared)

    def demand_access(self, deployed: Deployed) -> None:
        """Raise Denied where this user may not do all that a rollout does with the objects of one of its two models."""
        needed = access.needed(
            self.mode.name, self.section.service, deployed.manifest, tries=self.plan().opening is not None
        )
        access.demand(self.api, needed)

    def try_out(self, candidate: Deployed) -> None:
        """Let the server try every object of a release, with its defaults and webhooks, without keeping it.

        By the verb that the rollout uses, so that it needs no other right. Raises Denied for one that it refuses.
        """
        is_one = self.mode.name in mode.ONE_OBJECT
        for document in candidate.manifest:
            kind, bare = manifest.kind_of(document), bare_object(document)
            if is_one:
                self.api.apply(kind, bare, dry_run=True, force=self.force_conflicts)
            else:
                with contextlib.suppress(Conflict):  # it is there already
                    self.api.create(kind, bare, dry_run=True)

    def found(self, candidate: Deployed) -> Deployed | None:
        """Return what somebody else made under the service's name, or under the manifest's; None for nothing.

        To be asked of a service without a record only. Raises ConfigError where it cannot be taken over as it is,
        EvidenceError where mlgate itself made it, and the record is lost.
        """
        service, way = self.section.service, self.mode.name
        if way in mode.ROUTED:
            try:
                adoption.demand_free_host(self.api, service, self.gateway)
            except ConfigError as error:
                raise ConfigError(
                    error.message, hint=error.hint, where=self.config.where("deploy", "gateway")
                ) from error
        written: Any = manifest.workload(_values(self.documents)).get("metadata") or {}
        names = [service] if way in mode.ONE_OBJECT else [service, str(written.get("name") or service)]
        return adoption.adopted(self.api, service, way, names, candidate)

    def serving(self, record: ServiceRecord) -> Serving:
        """Return what drives the mode that a record names. Raises EvidenceError for a mode of a newer mlgate."""
        match record.mode:
            case mode.ROUTE | mode.DEPLOYMENT:
                return route.RouteServing(self.api, self.section.service, self.gateway, record, self._audience)
            case mode.REPLICAS:
                return ReplicasServing(self.api, self.section.service, record)
            case mode.KNATIVE:
                return KnativeServing(self.api, self.section.service, record, force=self.force_conflicts)
            case mode.STANDARD:
                return StandardServing(self.api, self.section.service, record, force=self.force_conflicts)
            case other:
                raise EvidenceError(f"the service was deployed in mode {other!r}", hint="upgrade mlgate")

    def beside(self, candidate: Deployed, serves: Deployed | None) -> Beside:
        """Return what is beside the service that meets a rollout of *candidate*."""
        written: Any = manifest.workload(_values(self.documents)).get("metadata") or {}
        names = (self.section.service, str(written.get("name") or self.section.service))
        return beside(self.api, self.mode.name, candidate, serves, names)

    def status(self) -> ServiceStatus:
        """Return how the service is now."""
        record = self.records().load()
        serves = record.accepted
        reading = self.serving(record).observe(record.rollout) if record.rollout is not None else None
        models = models_of(record, reading, self._pods_and_events) if reading is not None else ()
        return ServiceStatus(
            service=self.section.service,
            namespace=self.api.namespace,
            record=record,
            holder=holder(self.api, self.section.service),
            models=models,
            now=clock.seconds(),
            beside=beside(self.api, record.mode, serves, None, [self.section.service])[0] if serves else (),
        )

    def _pods_and_events(self, deployed: Deployed) -> tuple[tuple[PodStatus, ...], tuple[ClusterEvent, ...]]:
        shown = cluster_status.pods(pods(self.api, deployed))
        troubled = [one.name for one in shown if not one.is_ready]
        return shown, cluster_status.events(self.api, [deployed.name, *troubled[:_MOST_EVENTFUL]])

    def records(self, lock: Lease | None = None) -> ConfigMapRecords:
        """Return where the cluster keeps the service's record; written only while *lock* is held."""
        return ConfigMapRecords(self.api, self.section.service, lock.confirm if lock else lambda: None)

    def lock(self, owner: str) -> Lease:
        """Return the service's lock."""
        return Lease(self.api, self.section.service, owner, lambda text: tell(sys.stderr, f"mlgate: {text}"))

    def tools(self, lock: Lease, judge: StepJudge, stop: Stop, progress: RolloutProgress) -> RolloutTools:
        """Return all that carries a rollout out."""
        return RolloutTools(self.serving, self.records(lock), judge, stop, progress, clock.seconds)

    def plan(self) -> Plan:
        """Return what a rollout that begins now may do."""
        given = self.section
        deadline = clock.seconds() + given.deadline.total_seconds()
        outlasts = given.analysis is not None and given.analysis.on_inconclusive == "hold"
        plan = Plan(
            given.steps, given.hold.total_seconds(), given.patience.total_seconds(), deadline, outlasts=outlasts
        )
        if given.audience is not None:
            return replace(plan, steps=(0, ALL), opening=Opening.AUDIENCE, opening_hold=plan.hold)
        if given.shadow is None:
            return plan
        steps, lasts = (0, *given.steps), given.shadow.total_seconds()
        return replace(plan, steps=steps, opening=Opening.MIRRORED, opening_hold=lasts)

    def traffic_rules(self, most: int = MOST_WINDOWS) -> TrafficRules | None:
        """Return what the steps of a rollout are judged by; None for a file without `deploy.analysis`."""
        if self.section.analysis is None:
            return None
        return traffic_rules(self.config, self.section.analysis, self.api.namespace, clock.seconds, most)

    @property
    def step_rules(self) -> str:
        """Return the digest of all in the file that decides on a step."""
        return step_rules_digest(self.config, self.section)

    def demanded_rules(self) -> tuple[Rule, ...]:
        """Return the same rules, without what reads for them; a file without any is a ConfigError."""
        if self.section.analysis is None:
            raise ConfigError(
                "`deploy` has no rules for users' requests",
                where=self.config.where("deploy"),
                hint="e.g. analysis: {prometheus: http://prometheus:9090, rules: {error_rate: {max: 0.01}}}",
            )
        return analysis_rules(self.config, self.section.analysis)

    @property
    def _audience(self) -> Audience | None:
        given = self.section.audience
        mark = (given.header or given.cookie) if given else None
        return Audience(mark.name, mark.value, is_cookie=given.header is None) if given and mark else None

    @property
    def namespace(self) -> str:
        """Return the service's namespace."""
        return self.api.namespace

    @property
    def gateway(self) -> Gateway:
        """Return where the traffic comes from. A file without one is a ConfigError."""
        given = self.section.gateway
        if given is None:
            raise ConfigError("`deploy` names no gateway", where=self.config.where("deploy"), hint="add gateway: …")
        space, slash, name = given.name.rpartition("/")
        return Gateway(name, space if slash else self.namespace, given.hosts, given.paths, given.listener or "")


def owner() -> str:
    """Return a name of this process that no other has: the CI run's page or this host, and what tells two apart."""
    run = environment.here()
    who = run.url if run and run.url else f"{socket.gethostname()}/{os.getpid()}"
    return f"{who}#{liveness.token() or secrets.token_hex(8)}"


def _values(documents: Sequence[Document]) -> tuple[Mapping[str, Any], ...]:
    return tuple(one.value for one in documents)
