"""Which way of sharing traffic a rollout takes: what the file asks for, or what this cluster can do."""

from __future__ import annotations

from dataclasses import dataclass

from mlgate.core.deploy.mode import DEPLOYMENT, KNATIVE, REPLICAS, ROUTE, STANDARD
from mlgate.core.errors import ConfigError

_OF_KSERVE = (ROUTE, KNATIVE, STANDARD)


@dataclass(frozen=True, slots=True)
class Question:
    """What the choice depends on."""

    asked: str
    """`mode` of the file; `auto`: not said."""
    is_inference_service: bool
    """What runs the model: an InferenceService, or else a Deployment."""
    kserve_mode: str
    """`Standard` or `Knative`: the manifest's annotation, else KServe's default; empty: not known."""
    has_kserve: bool
    has_gateway_api: bool
    has_knative: bool
    names_gateway: bool
    """Whether the file has `gateway`."""


@dataclass(frozen=True, slots=True)
class Mode:
    """The way that was taken, and why."""

    name: str
    why: str


def choose(of: Question) -> Mode:
    """Return the mode. Raises ConfigError for one that this cluster or this manifest cannot have."""
    if of.is_inference_service and not of.has_kserve:
        raise ConfigError(
            "the cluster does not know InferenceServices: KServe is not installed there",
            hint="install KServe, name another context, or deploy a Deployment",
        )
    if of.is_inference_service and of.kserve_mode == "ModelMesh":
        raise ConfigError(
            "KServe would run it in ModelMesh mode, where many models share pods: a release has none of its own",
            hint="annotate it: serving.kserve.io/deploymentMode: Standard",
        )
    if of.asked != "auto":
        _demand_possible(of)
        return Mode(of.asked, "the file says so")
    return _choose_kserve(of) if of.is_inference_service else _choose_plain(of)


def _choose_kserve(of: Question) -> Mode:
    if of.kserve_mode == "Knative":
        return Mode(KNATIVE, "KServe runs it by Knative, which shares traffic by revision")
    if not of.has_gateway_api:
        raise ConfigError(
            "KServe runs it in Standard mode, and without the Gateway API nothing there shares traffic by weight",
            hint="install the Gateway API and a gateway; or deploy a Deployment with mode: replicas",
        )
    if not of.names_gateway:
        raise ConfigError(
            "`deploy` names no gateway: the route of the two models needs one",
            hint="e.g. gateway: {name: kserve/kserve-ingress-gateway, hosts: [summarizer.example.com]}",
        )
    return Mode(ROUTE, "KServe in Standard mode, behind a route of the Gateway API")


def _choose_plain(of: Question) -> Mode:
    if of.has_gateway_api and of.names_gateway:
        return Mode(DEPLOYMENT, "two Deployments, behind a route of the Gateway API")
    missing = "the cluster has no Gateway API" if of.names_gateway else "the file names no gateway"
    return Mode(REPLICAS, f"{missing}: one Service shares traffic by the number of pods")


def _demand_possible(of: Question) -> None:
    if (of.asked in _OF_KSERVE) != of.is_inference_service:
        names = {True: "an InferenceService", False: "a Deployment"}
        needs, has = names[not of.is_inference_service], names[of.is_inference_service]
        raise ConfigError(f"mode {of.asked} deploys {needs}, and the manifest has {has}", hint="mode: auto")
    if of.asked in (ROUTE, DEPLOYMENT, STANDARD) and not of.has_gateway_api:
        raise ConfigError(f"mode {of.asked} needs the Gateway API, which this cluster does not have", hint="mode: auto")
    if of.asked == KNATIVE and not of.has_knative:
        raise ConfigError("mode knative needs Knative Serving, which this cluster does not have", hint="mode: auto")
    wanted = {ROUTE: "Standard", STANDARD: "Standard", KNATIVE: "Knative"}.get(of.asked, "")
    if wanted and of.kserve_mode and of.kserve_mode != wanted:
        raise ConfigError(
            f"mode {of.asked} needs KServe's {wanted} mode, and this InferenceService is in {of.kserve_mode} mode",
            hint=f"annotate it: serving.kserve.io/deploymentMode: {wanted}; or mode: auto",
        )
