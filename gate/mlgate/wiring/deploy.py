"""A deploy, composed: the cluster that the file names, the mode that it takes there, and what carries a rollout out."""

from __future__ import annotations

import os
import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from mlgate.adapters.github import environment
from mlgate.adapters.kubernetes import api as kubernetes_api
from mlgate.adapters.kubernetes import manifest, replicas, route
from mlgate.adapters.kubernetes import status as cluster_status
from mlgate.adapters.kubernetes.api import Api, Obj
from mlgate.adapters.kubernetes.capabilities import Capabilities, normal_mode
from mlgate.adapters.kubernetes.http_route import Gateway
from mlgate.adapters.kubernetes.kinds import HTTP_ROUTE, INFERENCE_SERVICE, SERVICE
from mlgate.adapters.kubernetes.knative import KnativeServing
from mlgate.adapters.kubernetes.lease import Lease, holder
from mlgate.adapters.kubernetes.release_objects import pods
from mlgate.adapters.kubernetes.replicas import ReplicasServing
from mlgate.adapters.kubernetes.service_records import ConfigMapRecords
from mlgate.adapters.kubernetes.standard import StandardServing
from mlgate.adapters.process import clock, liveness
from mlgate.adapters.terminal.output import tell
from mlgate.config import manifest as written_manifest
from mlgate.config.config import Config
from mlgate.config.manifest import Document
from mlgate.config.sections.deploy import DeploySection
from mlgate.core.deploy.ports import RolloutProgress, Serving, StepJudge, Stop
from mlgate.core.deploy.release import Deployed, Release, ServiceRecord
from mlgate.core.deploy.rollout import Plan
from mlgate.core.deploy.status import ClusterEvent, PodStatus, ServiceStatus
from mlgate.core.errors import ConfigError, EvidenceError
from mlgate.flow.deploy import mode as deploy_mode
from mlgate.flow.deploy.mode import Mode
from mlgate.flow.deploy.rollout import RolloutTools
from mlgate.flow.deploy.status import models_of

_ONE_OBJECT = (deploy_mode.KNATIVE, deploy_mode.STANDARD)
"""Modes in which one object runs both models."""
_MOST_EVENTFUL = 3
"""Pods whose events are asked for."""
_KSERVE_MODE = "serving.kserve.io/deploymentMode"


@dataclass(frozen=True)
class Target:
    """The service that a file names, on its cluster. Nothing is asked before it is used."""

    config: Config
    section: DeploySection
    force_conflicts: bool = False
    """Fields that other managers own are taken over."""

    @classmethod
    def demanded(cls, config: Config, *, force_conflicts: bool = False) -> Target:
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
        notes: Any = runs.get("metadata", {})
        said = normal_mode(str((notes.get("annotations") or {}).get(_KSERVE_MODE, "")))
        return deploy_mode.choose(
            deploy_mode.Question(
                asked=self.section.mode,
                is_inference_service=manifest.kind_of(runs) is INFERENCE_SERVICE,
                kserve_mode=said or able.default_mode,
                has_kserve=able.kserve,
                has_gateway_api=able.gateway_api,
                has_knative=able.knative,
                names_gateway=self.section.gateway is not None,
            )
        )

    def candidate(self, release: Release) -> Deployed:
        """Return the release as this cluster will run it."""
        documents = manifest.with_image(_values(self.documents), release.image)
        if self.mode.name in _ONE_OBJECT:
            return manifest.released(self.section.service, release, documents, keeps_names=True)
        if self.mode.name == deploy_mode.REPLICAS:
            return manifest.released(self.section.service, release, replicas.prepared(documents, self.section.steps))
        prepared = route.prepared(documents, self.section.service)
        return manifest.released(self.section.service, release, prepared)

    def try_out(self, candidate: Deployed) -> None:
        """Let the server try every object of a release, with its defaults and webhooks, without keeping it.

        Raises Denied for one that it refuses.
        """
        for document in candidate.manifest:
            bare = {key: value for key, value in document.items() if key not in ("apiVersion", "kind")}
            self.api.apply(manifest.kind_of(document), bare, dry_run=True, force=self.force_conflicts)

    def found(self, candidate: Deployed) -> Deployed | None:
        """Return what somebody else made under the service's name, or under the manifest's; None for nothing.

        To be asked of a service without a record only. Raises ConfigError where it cannot be taken over as it is,
        EvidenceError where mlgate itself made it, and the record is lost.
        """
        self._demand_no_leftovers()
        if self.section.gateway is not None:
            self._demand_free_host(self._gateway)
        runs = manifest.workload(_values(self.documents))
        written: Any = runs.get("metadata") or {}
        names = [self.section.service]
        if self.mode.name not in _ONE_OBJECT:
            names.append(str(written.get("name") or self.section.service))
        for name in dict.fromkeys(names):
            there = self.api.get(manifest.kind_of(runs), name)
            if there is not None:
                return self._adopted(there, name, candidate)
        return None

    def _adopted(self, there: Obj, name: str, candidate: Deployed) -> Deployed:
        """Return what somebody else made, with the Service in front of a Deployment."""
        if self.mode.name in _ONE_OBJECT:
            return manifest.adopted_in_place(self.section.service, there)
        if self.mode.name == deploy_mode.ROUTE:
            return manifest.adopted(there)
        elsewhere = "deploy under another service name"
        if self.mode.name == deploy_mode.REPLICAS:
            raise ConfigError(
                f"mode replicas cannot share traffic with a Deployment that mlgate did not make: {name}",
                hint=f"{elsewhere}; or put a gateway in front: mode: deployment",
            )
        front = self.api.get(SERVICE, name)
        if front is None:
            raise ConfigError(
                f"no Service {name} is in front of the Deployment {name}", hint=f"{elsewhere}, or make it"
            )
        labels = manifest.pod_template(manifest.workload(candidate.manifest))["metadata"]["labels"]
        if front["spec"].get("selector", {}).items() <= labels.items():
            raise ConfigError(
                f"the Service {name} would select the new model's pods, too: {front['spec'].get('selector')}",
                hint="give the manifest's pods other labels than the Deployment that serves now",
            )
        return manifest.adopted(there, front)

    def _demand_no_leftovers(self) -> None:
        kind = manifest.kind_of(manifest.workload(_values(self.documents)))
        ours = self.api.list(kind, {manifest.SERVICE_LABEL: self.section.service})
        if ours:
            names = ", ".join(one["metadata"]["name"] for one in ours)
            raise EvidenceError(
                f"mlgate made {names}, and the record of {self.section.service} is lost",
                hint=f"restore the ConfigMap mlgate-{self.section.service} from a backup; or delete what it made",
            )

    def _demand_free_host(self, gateway: Gateway) -> None:
        """Raise ConfigError where another route has the host: which of the two wins is the gateway's own affair."""
        for one in self.api.list(HTTP_ROUTE, {}):
            shared = set(one["spec"].get("hostnames") or ()) & set(gateway.hostnames)
            is_ours = one["metadata"]["name"] == f"mlgate-{self.section.service}"
            if not is_ours and shared and "/" in gateway.paths:
                raise ConfigError(
                    f"the HTTPRoute {one['metadata']['name']} has the host {min(shared)}, and may win over mlgate's",
                    where=self.config.where("deploy", "gateway"),
                    hint="name the paths of your protocol, which are more specific: paths: [/v1/models, /v2]",
                )

    def serving(self, record: ServiceRecord) -> Serving:
        """Return what drives the mode that a record names. Raises EvidenceError for a mode of a newer mlgate."""
        match record.mode:
            case deploy_mode.ROUTE | deploy_mode.DEPLOYMENT:
                return route.RouteServing(self.api, self.section.service, self._gateway, record)
            case deploy_mode.REPLICAS:
                return ReplicasServing(self.api, self.section.service, record)
            case deploy_mode.KNATIVE:
                return KnativeServing(self.api, self.section.service, record, force=self.force_conflicts)
            case deploy_mode.STANDARD:
                return StandardServing(self.api, self.section.service, record, force=self.force_conflicts)
            case other:
                raise EvidenceError(f"the service was deployed in mode {other!r}", hint="upgrade mlgate")

    def status(self) -> ServiceStatus:
        """Return how the service is now."""
        record = self.records().load()
        reading = self.serving(record).observe(record.rollout) if record.rollout is not None else None
        models = models_of(record, reading, self._pods_and_events) if reading is not None else ()
        return ServiceStatus(
            self.section.service,
            self.api.namespace,
            record,
            holder(self.api, self.section.service),
            models,
            clock.seconds(),
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
        return Plan(given.steps, given.hold.total_seconds(), given.patience.total_seconds(), deadline)

    @property
    def _gateway(self) -> Gateway:
        given = self.section.gateway
        if given is None:
            raise ConfigError("`deploy` names no gateway", where=self.config.where("deploy"), hint="add gateway: …")
        space, slash, name = given.name.rpartition("/")
        return Gateway(name, space if slash else self.api.namespace, given.hosts, given.paths, given.listener or "")


def owner() -> str:
    """Return a name of this process that no other has: the CI run's page or this host, and what tells two apart."""
    run = environment.here()
    who = run.url if run and run.url else f"{socket.gethostname()}/{os.getpid()}"
    return f"{who}#{liveness.token() or secrets.token_hex(8)}"


def _values(documents: Sequence[Document]) -> tuple[Mapping[str, Any], ...]:
    return tuple(one.value for one in documents)
