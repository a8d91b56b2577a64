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
from mlgate.adapters.kubernetes import knative, manifest, replicas, route
from mlgate.adapters.kubernetes import status as cluster_status
from mlgate.adapters.kubernetes.api import Api, Obj
from mlgate.adapters.kubernetes.capabilities import Capabilities, normal_mode
from mlgate.adapters.kubernetes.http_route import Gateway
from mlgate.adapters.kubernetes.kinds import INFERENCE_SERVICE, SERVICE
from mlgate.adapters.kubernetes.knative import KnativeServing
from mlgate.adapters.kubernetes.lease import Lease, is_held
from mlgate.adapters.kubernetes.release_objects import ReleaseObjects
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
from mlgate.core.deploy.status import ModelStatus, ServiceStatus
from mlgate.core.errors import ConfigError
from mlgate.flow import deploy_mode
from mlgate.flow.deploy import RolloutTools
from mlgate.flow.deploy_mode import Mode

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
    takes_over: bool = False
    """Fields that other managers own are taken over."""

    @classmethod
    def demanded(cls, config: Config, *, takes_over: bool = False) -> Target:
        """Return the target; a file without `deploy` is a ConfigError."""
        section = config.document.deploy
        if section is None:
            hint = "add one: deploy: {service: NAME, manifest: deploy/NAME.yaml, …}"
            raise ConfigError("there is no `deploy` section", where=str(config.path), hint=hint)
        return cls(config, section, takes_over)

    @cached_property
    def api(self) -> Api:
        """Return the cluster's API."""
        return kubernetes_api.connect(self.section.context or "", self.section.namespace or "")

    @cached_property
    def documents(self) -> tuple[Document, ...]:
        """Return what the manifest has, as it is written."""
        return written_manifest.read(self.manifest)

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
            self.api.apply(manifest.kind_of(document), bare, dry_run=True, force=self.takes_over)

    def found(self) -> Deployed | None:
        """Return what somebody else made under the service's name, or under the manifest's; None for nothing."""
        runs = manifest.workload(_values(self.documents))
        written: Any = runs.get("metadata") or {}
        names = (self.section.service, str(written.get("name") or ""))
        for name in dict.fromkeys(filter(None, names)):
            there = self.api.get(manifest.kind_of(runs), name)
            if there is not None:
                return self._adopted(there, name)
        return None

    def _adopted(self, there: Obj, name: str) -> Deployed:
        """Return what somebody else made, with the Service in front of a Deployment."""
        if self.mode.name == deploy_mode.REPLICAS:
            raise ConfigError(
                f"the Deployment {name} was not made by mlgate, and mode replicas cannot count its pods beside others",
                hint="deploy under another service name; or put a gateway in front: mode: deployment",
            )
        front = self.api.get(SERVICE, name) if self.mode.name == deploy_mode.DEPLOYMENT else None
        if self.mode.name == deploy_mode.DEPLOYMENT and front is None:
            raise ConfigError(
                f"the Deployment {name} was not made by mlgate, and no Service of its name is in front of it",
                hint="deploy under another service name, or make that Service",
            )
        return manifest.adopted(there, *([front] if front else []))

    def serving(self, record: ServiceRecord) -> Serving:
        """Return what drives the mode that a record names."""
        if record.mode == deploy_mode.KNATIVE:
            return KnativeServing(self.api, self.section.service, record, force=self.takes_over)
        if record.mode == deploy_mode.STANDARD:
            return StandardServing(self.api, self.section.service, record, force=self.takes_over)
        if record.mode == deploy_mode.REPLICAS:
            return ReplicasServing(self.api, self.section.service, record)
        return route.RouteServing(self.api, self.section.service, self._gateway, record)

    def status(self) -> ServiceStatus:
        """Return how the service is now."""
        record = ConfigMapRecords(self.api, self.section.service).load()
        reading = None
        if record.rollout is not None and record.is_under_way:
            reading = self.serving(record).observe(record.rollout)
        models = []
        if record.accepted is not None:
            weight = _rest(reading.weight) if reading else 100
            models.append(self._model("stable", record.accepted, weight))
        if record.candidate is not None and reading is not None:
            models.append(self._model("candidate", record.candidate, reading.weight))
        holder = is_held(self.api, self.section.service)
        place = (self.section.service, self.api.namespace)
        return ServiceStatus(*place, record, holder, tuple(models), reading, clock.seconds())

    def _model(self, role: str, deployed: Deployed, weight: int | None) -> ModelStatus:
        objects = ReleaseObjects(self.api, deployed)
        pods = objects.pods()
        found = objects.condition() if self.mode.name != deploy_mode.KNATIVE else knative.condition(self.api, deployed)
        troubled = [one.name for one in cluster_status.pods(pods) if not one.is_ready]
        events = cluster_status.events(self.api, [deployed.name, *troubled[:_MOST_EVENTFUL]])
        shown = cluster_status.pods(pods)
        return ModelStatus(role, deployed.name, found.health, found.why, weight, shown, events)

    def lock(self, owner: str) -> Lease:
        """Return the service's lock."""
        return Lease(self.api, self.section.service, owner, lambda text: tell(sys.stderr, f"mlgate: {text}"))

    def tools(self, lock: Lease, judge: StepJudge, stop: Stop, progress: RolloutProgress) -> RolloutTools:
        """Return all that carries a rollout out."""
        records = ConfigMapRecords(self.api, self.section.service, lock.confirm)
        return RolloutTools(self.serving, records, judge, stop, progress, clock.seconds)

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


def _rest(weight: int | None) -> int | None:
    return None if weight is None else 100 - weight


def owner() -> str:
    """Return who rolls out, and nobody else: the CI run's page or this host, and what tells two processes apart."""
    run = environment.here()
    who = run.url if run and run.url else f"{socket.gethostname()}/{os.getpid()}"
    return f"{who}#{liveness.token() or secrets.token_hex(8)}"


def _values(documents: Sequence[Document]) -> tuple[Mapping[str, Any], ...]:
    return tuple(one.value for one in documents)
