"""Knative's networking layer for the tests' cluster: every route of Knative becomes HTTPRoutes of the gateway.

Knative hands each of its routes to a networking layer as an Ingress of its own kind, and believes the status that comes
back. This one stands in for those that there are (Istio, Kourier, Contour …): it is the one part of the cluster that is
not the real thing. It writes the percentages as weights of an HTTPRoute, and says that the Ingress is ready when the
gateway has accepted them. Headers that Knative wants added, rewrites and TLS are not supported.

Run it inside the cluster's network: `python -m tests.support.cluster.knative_ingress KUBECONFIG`.
"""

from __future__ import annotations

import logging
import sys
import time
from collections.abc import Iterator
from typing import Any

import httpx2
from lightkube import ApiError, Client, KubeConfig
from lightkube.generic_resource import create_namespaced_resource
from lightkube.types import PatchType
from tests.support.cluster.container import timestamp

Json = dict[str, Any]

LOOK_S = 0.2
"""Seconds between two looks at all of them."""
CONDITIONS = ("LoadBalancerReady", "NetworkConfigured", "Ready")
WHERE = {"ingress": [{"domainInternal": "gateway.kserve.svc.cluster.local"}]}
GATEWAY = {"name": "kserve-ingress-gateway", "namespace": "kserve"}
MADE_FOR = "networking.test/ingress"
"""The label of a route: the Ingress that it was made for."""

Ingress = create_namespaced_resource("networking.internal.knative.dev", "v1alpha1", "Ingress", "ingresses")
HTTPRoute = create_namespaced_resource("gateway.networking.k8s.io", "v1", "HTTPRoute", "httproutes")

say = logging.getLogger("ingress")


def routes(ingress: Json) -> Iterator[Json]:
    """Yield an HTTPRoute for each rule of an Ingress: its hosts, and where its traffic goes."""
    meta = ingress["metadata"]
    owner = {key: ingress[key] for key in ("apiVersion", "kind")} | {key: meta[key] for key in ("name", "uid")}
    for number, rule in enumerate(ingress["spec"]["rules"]):
        yield {
            "apiVersion": "gateway.networking.k8s.io/v1",
            "kind": "HTTPRoute",
            "metadata": {
                "name": f"{meta['name']}-{number}",
                "namespace": meta["namespace"],
                "labels": {MADE_FOR: meta["name"]},
                "ownerReferences": [owner],
            },
            "spec": {
                "parentRefs": [GATEWAY],
                "hostnames": rule["hosts"],
                "rules": [_rule(path) for path in rule["http"]["paths"]],
            },
        }


def _rule(path: Json) -> Json:
    headers = [{"name": name, "value": match["exact"]} for name, match in (path.get("headers") or {}).items()]
    match: Json = {"path": {"type": "PathPrefix", "value": path.get("path") or "/"}}
    backends = [
        {"name": split["serviceName"], "port": int(split["servicePort"]), "weight": int(split.get("percent", 100))}
        for split in path["splits"]
    ]
    return {"matches": [match | ({"headers": headers} if headers else {})], "backendRefs": backends}


def is_accepted(route: Json) -> bool:
    """Whether the gateway has taken this very version of a route, and knows where all of its traffic goes."""
    generation = route["metadata"]["generation"]
    for parent in (route.get("status") or {}).get("parents") or ():
        true = {
            one["type"]
            for one in parent["conditions"]
            if one["status"] == "True" and one.get("observedGeneration") == generation
        }
        if {"Accepted", "ResolvedRefs"} <= true:
            return True
    return False


def ready(generation: int) -> Json:
    """Return the status of an Ingress that is in effect."""
    now = timestamp()
    return {
        "observedGeneration": generation,
        "conditions": [{"type": kind, "status": "True", "lastTransitionTime": now} for kind in CONDITIONS],
        "publicLoadBalancer": WHERE,
        "privateLoadBalancer": WHERE,
    }


def bring_up(client: Client, ingress: Json) -> None:
    """Write the routes of one Ingress, remove those that it has no more, and say so when they are in effect."""
    meta = ingress["metadata"]
    wanted = {route["metadata"]["name"]: route for route in routes(ingress)}
    taken = [client.apply(HTTPRoute.from_dict(route), force=True) for route in wanted.values()]
    for old in client.list(HTTPRoute, namespace=meta["namespace"], labels={MADE_FOR: meta["name"]}):
        if old["metadata"]["name"] not in wanted:
            client.delete(HTTPRoute, old["metadata"]["name"], namespace=meta["namespace"])
    if all(is_accepted(route) for route in taken):
        body = {"status": ready(meta["generation"])}
        client.patch(Ingress.Status, meta["name"], body, namespace=meta["namespace"], patch_type=PatchType.MERGE)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    client = Client(KubeConfig.from_file(sys.argv[1]), field_manager="ingress", trust_env=False)
    while True:
        try:
            for ingress in client.list(Ingress, namespace="*"):
                if (ingress.get("status") or {}).get("observedGeneration") != ingress["metadata"]["generation"]:
                    bring_up(client, ingress)
        except (ApiError, httpx2.HTTPError) as error:
            say.info("looking again: %r", error)
        time.sleep(LOOK_S)


if __name__ == "__main__":
    main()
