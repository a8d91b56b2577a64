"""Says that Knative's routes are in effect: the one part of the tests' cluster that only stands in for the real one.

Knative hands every route to a networking layer (Istio, Kourier, Contour …) as an Ingress of its own kind, and believes
the status that comes back. Here every one is said to be ready at once, and no traffic goes through it: in Knative mode
revisions, percentages and conditions are real, requests are not.

Run it inside the cluster's network: `python -m tests.support.cluster.knative_ingress KUBECONFIG`.
"""

from __future__ import annotations

import logging
import sys
import time
from typing import Any

import httpx2
from lightkube import ApiError, Client, KubeConfig
from lightkube.generic_resource import create_namespaced_resource
from lightkube.types import PatchType
from tests.support.cluster.container import timestamp

AGAIN_S = 0.5
"""Seconds until a watch that broke is begun again."""
CONDITIONS = ("LoadBalancerReady", "NetworkConfigured", "Ready")
WHERE = {"ingress": [{"domainInternal": "gateway.kserve.svc.cluster.local"}]}

Ingress = create_namespaced_resource("networking.internal.knative.dev", "v1alpha1", "Ingress", "ingresses")

say = logging.getLogger("ingress")


def ready(generation: int) -> dict[str, Any]:
    """Return the status of a route that is in effect."""
    now = timestamp()
    return {
        "observedGeneration": generation,
        "conditions": [{"type": kind, "status": "True", "lastTransitionTime": now} for kind in CONDITIONS],
        "publicLoadBalancer": WHERE,
        "privateLoadBalancer": WHERE,
    }


def follow(client: Client) -> None:
    """Answer every route and every change of one, until the line breaks."""
    for kind, ingress in client.watch(Ingress, namespace="*"):
        meta, status = ingress["metadata"], ingress.get("status") or {}
        if kind != "DELETED" and status.get("observedGeneration") != meta["generation"]:
            body = {"status": ready(meta["generation"])}
            client.patch(Ingress.Status, meta["name"], body, namespace=meta["namespace"], patch_type=PatchType.MERGE)


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    client = Client(KubeConfig.from_file(sys.argv[1]), field_manager="ingress", trust_env=False)
    while True:
        try:
            follow(client)
        except (ApiError, httpx2.HTTPError) as error:
            say.info("watching again: %r", error)
            time.sleep(AGAIN_S)


if __name__ == "__main__":
    main()
