"""A node of the tests' cluster whose pods are real processes of this machine, each in a network namespace of its own.

It does what a kubelet does, as far as a rollout can see it: it starts what the scheduler has bound to the node, asks
the probes, restarts what ends, and reports to the API server. Images are names only: `programs.py` says what they run.
Init containers, volumes, and probes by exec or grpc are not supported.

Run it as root inside the cluster's network namespace: `python -m tests.support.cluster.node_agent FOLDER NAMESPACE`.
"""

from __future__ import annotations

import logging
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx2
from lightkube import ApiError, Client, KubeConfig
from lightkube.models.meta_v1 import ObjectMeta
from lightkube.resources.core_v1 import Node, NodeStatus, PodStatus
from lightkube.resources.core_v1 import Pod as ApiPod
from lightkube.types import PatchType
from tests.support.cluster.container import timestamp
from tests.support.cluster.logs import LogServer
from tests.support.cluster.network import GATEWAY, Addresses, PodNetwork
from tests.support.cluster.pod import Pod
from tests.support.cluster.targets import write_targets

Json = dict[str, Any]

NODE = "processes"
CAPACITY = {"cpu": "64", "memory": "256Gi", "pods": "200"}
AGAIN_S = 0.5
"""Seconds until a watch that broke is begun again."""

say = logging.getLogger("node")


class NodeAgent:
    """The pods of one node, kept equal to what the API server says."""

    def __init__(self, folder: Path, namespace: str) -> None:
        self.folder = folder
        """The cluster's state: its kubeconfig, its certificates, and the pods' logs in `log/pods`."""
        self._namespace = namespace
        self._client = Client(KubeConfig.from_file(folder / "kubeconfig"), field_manager="node", trust_env=False)
        self._addresses = Addresses()
        self._pods: dict[str, Pod] = {}
        self._lock = threading.Lock()
        self._ending: set[str] = set()
        """Of pods that are to go: only the thread that watches looks at it."""

    def register(self, logs_port: int) -> None:
        """Make the node known and ready; without its taint, which nothing else here would take away."""
        labels = {"type": NODE, "kubernetes.io/hostname": NODE, "kubernetes.io/os": "linux"}
        self._client.apply(Node(metadata=ObjectMeta(name=NODE, labels=labels)))
        self._client.patch(Node, NODE, {"spec": {"taints": None}}, patch_type=PatchType.MERGE)
        ready = {"type": "Ready", "status": "True", "reason": "AgentReady"}
        now = timestamp()
        status = {
            "capacity": CAPACITY,
            "allocatable": CAPACITY,
            "conditions": [ready | {"lastHeartbeatTime": now, "lastTransitionTime": now}],
            "addresses": [{"type": "InternalIP", "address": GATEWAY}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": logs_port}},
        }
        self._client.patch(NodeStatus, NODE, {"status": status}, patch_type=PatchType.STRATEGIC)

    def run(self, over: threading.Event) -> None:
        """Follow the API server; begin again when the line breaks."""
        while not over.is_set():
            try:
                for kind, pod in self._client.watch(ApiPod, namespace="*", fields={"spec.nodeName": NODE}):
                    self._see(kind, pod.to_dict())
            except (ApiError, httpx2.HTTPError) as error:
                say.info("watching again: %r", error)
                over.wait(AGAIN_S)

    def close(self) -> None:
        """End every process now."""
        with self._lock:
            pods, self._pods = list(self._pods.values()), {}
        with ThreadPoolExecutor(16) as pool:
            list(pool.map(lambda pod: pod.end(0), pods))

    def _see(self, kind: str, spec: Json) -> None:
        meta, uid = spec["metadata"], spec["metadata"]["uid"]
        if kind == "DELETED" or "deletionTimestamp" in meta:
            if uid not in self._ending:
                self._ending.add(uid)
                threading.Thread(target=self._remove, args=(meta, kind == "DELETED"), daemon=True).start()
            if kind == "DELETED":
                self._ending.discard(uid)
        elif uid not in self._pods:
            self._add(spec)

    def _add(self, spec: Json) -> None:
        meta = spec["metadata"]
        part = self._addresses.take((spec.get("status") or {}).get("podIP", ""))
        network = PodNetwork(f"{self._namespace}-p{part}", part)
        logs = self.folder / "log/pods" / f"{meta['namespace']}_{meta['name']}"
        pod = Pod(spec, network, logs, lambda status: self._report(meta, status))
        with self._lock:
            self._pods[meta["uid"]] = pod
        pod.start()

    def _remove(self, meta: Json, is_gone: bool) -> None:
        """End a pod's processes, and then let go of the object, which the API keeps until then."""
        with self._lock:
            pod = self._pods.get(meta["uid"])
        if pod is not None:
            pod.end(0 if is_gone else float(meta.get("deletionGracePeriodSeconds") or 0))
            with self._lock:
                self._pods.pop(meta["uid"], None)
            self._addresses.give_back(pod.network.part)
        if not is_gone:
            self._forget(meta)

    def _forget(self, meta: Json) -> None:
        try:
            self._client.delete(ApiPod, meta["name"], namespace=meta["namespace"], grace_period=0)
        except ApiError as error:
            if error.status.code != 404:
                say.info("%s is not removed: %r", meta["name"], error)

    def _report(self, meta: Json, status: Json) -> bool:
        self._write_targets()
        body = {"metadata": {"uid": meta["uid"]}, "status": status}
        try:
            self._client.patch(
                PodStatus, meta["name"], body, namespace=meta["namespace"], patch_type=PatchType.STRATEGIC
            )
        except ApiError as error:
            if error.status.code in {404, 409}:  # it is gone, or another one has its name
                return True
            say.info("%s: %r", meta["name"], error)
            return False
        except httpx2.HTTPError as error:
            say.info("%s: %r", meta["name"], error)
            return False
        return True

    def _write_targets(self) -> None:
        with self._lock:
            write_targets(self.folder / "targets.json", list(self._pods.values()))


def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("httpx2").setLevel(logging.WARNING)
    folder, over = Path(sys.argv[1]), threading.Event()
    agent = NodeAgent(folder, sys.argv[2])
    logs = LogServer(folder / "log/pods", folder / "pki")
    logs.start()
    agent.register(logs.port)
    signal.signal(signal.SIGTERM, lambda *_: over.set())
    threading.Thread(target=agent.run, args=(over,), daemon=True).start()
    over.wait()
    agent.close()


if __name__ == "__main__":
    main()
