"""One pod of the node: its containers, stepped by a thread of its own, and its status as the API shows it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.support.cluster.container import Container, timestamp, wait_for_the_end
from tests.support.cluster.network import GATEWAY, PodNetwork
from tests.support.cluster.programs import program_of

Json = dict[str, Any]

STEP_S = 0.1


class Pod:
    """A pod that is bound to the node. `start` returns at once.

    *report* is given the status whenever it changes, and answers whether the API has taken it.
    """

    def __init__(self, spec: Json, network: PodNetwork, logs: Path, report: Callable[[Json], bool]) -> None:
        self.spec = spec
        """The whole object, as the API sent it."""
        self.network = network
        self.logs = logs
        """The folder with a folder for each container."""
        self._report = report
        policy = spec["spec"].get("restartPolicy", "Always")
        self.containers = [
            Container(one, program_of(one, spec, network.ip), network, logs / one["name"], policy)
            for one in spec["spec"]["containers"]
        ]
        self._init_containers = spec["spec"].get("initContainers") or ()
        self._created = spec["metadata"]["creationTimestamp"]
        self._ending = threading.Event()
        self._reported: Json = {}
        self._since: dict[str, tuple[bool, str]] = {}
        self._thread = threading.Thread(target=self._run, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def end(self, seconds: float) -> None:
        """Let every process end, within so many seconds, and remove the pod's network. Again is nothing."""
        if self._ending.is_set():
            return
        self._ending.set()
        self._thread.join()
        for one in self.containers:
            one.terminate()
        wait_for_the_end(self.containers, seconds)
        self.network.remove()

    def _run(self) -> None:
        self.network.create()
        while not self._ending.is_set():
            for one in self.containers:
                one.step(time.monotonic())
            status = self._status()
            if status != self._reported and self._report(status):
                self._reported = status
            self._ending.wait(STEP_S)

    def _status(self) -> Json:
        are_ready = all(one.is_ready for one in self.containers)
        flags = dict.fromkeys(("PodScheduled", "PodReadyToStartContainers", "Initialized"), True)
        flags |= {"ContainersReady": are_ready, "Ready": are_ready}
        return {
            "phase": self._phase(),
            "conditions": [self._condition(kind, is_true) for kind, is_true in flags.items()],
            "hostIP": GATEWAY,
            "podIP": self.network.ip,
            "podIPs": [{"ip": self.network.ip}],
            "startTime": self._created,
            "initContainerStatuses": [_skipped(one, self._created) for one in self._init_containers],
            "containerStatuses": [one.status() for one in self.containers],
        }

    def _phase(self) -> str:
        if all(one.is_over for one in self.containers):
            return "Failed" if any(one.has_failed for one in self.containers) else "Succeeded"
        return "Running" if all(one.has_started for one in self.containers) else "Pending"

    def _condition(self, kind: str, is_true: bool) -> Json:
        if self._since.get(kind, (None, ""))[0] is not is_true:
            self._since[kind] = (is_true, timestamp())
        found = {"type": kind, "status": str(is_true), "lastTransitionTime": self._since[kind][1]}
        unready = [one.name for one in self.containers if not one.is_ready]
        if is_true:
            return found
        return found | {"reason": "ContainersNotReady", "message": f"containers with unready status: {unready}"}


def _skipped(container: Json, when: str) -> Json:
    """Return the status of an init container, which is never run: that it has ended well."""
    ended = {"exitCode": 0, "reason": "Completed", "startedAt": when, "finishedAt": when}
    return {
        "name": container["name"],
        "image": container.get("image", ""),
        "imageID": "",
        "ready": True,
        "restartCount": 0,
        "state": {"terminated": ended},
    }
