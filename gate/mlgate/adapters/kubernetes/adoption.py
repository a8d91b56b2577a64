"""What somebody else made under a service's name, taken over as it is. Asked of a service without a record only."""

from __future__ import annotations

from collections.abc import Iterable

from mlgate.adapters.kubernetes import manifest
from mlgate.adapters.kubernetes.api import Api, Obj
from mlgate.adapters.kubernetes.capabilities import MODEL_MESH, deployment_mode
from mlgate.adapters.kubernetes.http_route import Gateway
from mlgate.adapters.kubernetes.kinds import HTTP_ROUTE, SERVICE
from mlgate.core.deploy import mode
from mlgate.core.deploy.release import Deployed
from mlgate.core.errors import ConfigError, EvidenceError


def adopted(api: Api, service: str, way: str, names: Iterable[str], candidate: Deployed) -> Deployed | None:
    """Return what serves under the first of *names* that is there; None for nothing. *way*: the mode.

    Raises ConfigError where it cannot be taken over as it is, EvidenceError where mlgate itself made it and the record
    is lost.
    """
    kind = manifest.kind_of(manifest.workload(candidate.manifest))
    ours = api.list(kind, {manifest.SERVICE_LABEL: service})
    if ours:
        made = ", ".join(one["metadata"]["name"] for one in ours)
        raise EvidenceError(
            f"mlgate made {made}, and the record of {service} is lost",
            hint=f"restore the ConfigMap mlgate-{service} from a backup; or delete what it made. Where another tool "
            "applies what mlgate render wrote, that tool rolls it out",
        )
    there = next((one for one in (api.get(kind, name) for name in dict.fromkeys(names)) if one is not None), None)
    return None if there is None else _taken(api, service, way, there, candidate)


def demand_free_host(api: Api, service: str, gateway: Gateway) -> None:
    """Raise ConfigError where another route has the host: which of the two wins is the gateway's own affair."""
    for one in api.list(HTTP_ROUTE, {}):
        shared = set(one["spec"].get("hostnames") or ()) & set(gateway.hostnames)
        is_ours = one["metadata"]["name"] == f"mlgate-{service}"
        if not is_ours and shared and "/" in gateway.paths:
            raise ConfigError(
                f"the HTTPRoute {one['metadata']['name']} has the host {min(shared)}, and may win over mlgate's",
                hint="name the paths of your protocol, which are more specific: paths: [/v1/models, /v2]",
            )


def _taken(api: Api, service: str, way: str, there: Obj, candidate: Deployed) -> Deployed:
    """Return what somebody else made; of a Deployment with the Service in front of it."""
    if deployment_mode(there) == MODEL_MESH:
        raise ConfigError(
            f"the InferenceService {there['metadata']['name']} is in ModelMesh mode: other models share its pods",
            hint="deploy under another service name, and move its users",
        )
    if way in mode.ONE_OBJECT:
        return manifest.adopted_in_place(service, there)
    if way == mode.ROUTE:
        return manifest.adopted(there)
    name, elsewhere = there["metadata"]["name"], "deploy under another service name"
    if way == mode.REPLICAS:
        raise ConfigError(
            f"mode replicas cannot share traffic with a Deployment that mlgate did not make: {name}",
            hint=f"{elsewhere}; or put a gateway in front: mode: deployment",
        )
    front = api.get(SERVICE, name)
    if front is None:
        raise ConfigError(f"no Service {name} is in front of the Deployment {name}", hint=f"{elsewhere}, or make it")
    labels = manifest.pod_template(manifest.workload(candidate.manifest))["metadata"]["labels"]
    if front["spec"].get("selector", {}).items() <= labels.items():
        raise ConfigError(
            f"the Service {name} would select the new model's pods, too: {front['spec'].get('selector')}",
            hint="give the manifest's pods other labels than the Deployment that serves now",
        )
    return manifest.adopted(there, front)
