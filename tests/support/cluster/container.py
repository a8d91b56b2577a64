"""One container of a pod as a process: started, asked by its probes, started again when it ends.

What takes a kubelet minutes takes seconds here: its back-off begins with 10 s and ends at 5 minutes.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lightkube.utils.quantity import parse_quantity
from tests.support.cluster.network import PodNetwork
from tests.support.cluster.probes import Probe
from tests.support.cluster.programs import Program

Json = dict[str, Any]

BACK_OFF_S, LONGEST_BACK_OFF_S = 1.0, 10.0
"""The first restart comes at once, the second after the first of these, each later one after twice as long."""
FORGIVEN_S = 60.0
"""A container that ran for so long begins with the first back-off again."""
_MESSAGE = 2048
"""Bytes of the log that a failed container's status shows if its manifest asks for that."""
_BY_SIGKILL = 128 + signal.SIGKILL


class Container:
    """A container's process, while it has one, and its status as the API shows it."""

    def __init__(self, spec: Mapping[str, Any], program: Program, network: PodNetwork, logs: Path, policy: str) -> None:
        self.name = str(spec["name"])
        self.logs = logs
        """The folder with one log for each start: `0.log`, `1.log` …"""
        self.restarts = 0
        self.is_ready = False
        self.has_started = False
        """Whether it ever ran: until all of its containers did, a pod is Pending."""
        self._spec = spec
        self._program = program
        self._network = network
        self._policy = policy
        """The pod's restartPolicy."""
        self._limit = _memory_limit(spec)
        self._process: subprocess.Popen[bytes] | None = None
        self._probes: dict[str, Probe] = {}
        self._state: Json = {"waiting": {"reason": "ContainerCreating"}}
        self._last_state: Json = {}
        self._since = self._next_start = self._back_off = 0.0
        self._killed_for = ""

    @property
    def log(self) -> Path:
        """Return the log of the newest start."""
        return self.logs / f"{self.restarts}.log"

    @property
    def has_process(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def is_over(self) -> bool:
        """Whether it has ended for good."""
        if "terminated" not in self._state:
            return False
        return self._policy == "Never" or (self._policy == "OnFailure" and self._state["terminated"]["exitCode"] == 0)

    @property
    def has_failed(self) -> bool:
        return self.is_over and self._state["terminated"]["exitCode"] != 0

    def step(self, now: float) -> None:
        """Do what is due: start it, see whether it has ended or takes too much memory, ask its probes."""
        if self._program.refused:
            self._say_that_there_is_no_image(now)
        elif "running" in self._state:
            if self._process is not None and self._process.poll() is not None:
                self._end(now, self._process.returncode)
            else:
                self._look(now)
        elif not self.is_over:
            if now >= self._next_start:
                self._start(now)
            elif "terminated" in self._state:
                message = f"back-off {self._next_start - now:.0f}s restarting failed container={self.name}"
                self._become({"waiting": {"reason": "CrashLoopBackOff", "message": message}})

    def terminate(self) -> None:
        """Ask it to end; it is not started again."""
        self._policy = "Never"
        self._signal(signal.SIGTERM)

    def kill(self, why: str = "Error") -> None:
        self._killed_for = why
        self._signal(signal.SIGKILL)

    def status(self) -> Json:
        """Return its entry of `status.containerStatuses`."""
        image = str(self._spec.get("image", ""))
        status = {
            "name": self.name,
            "image": image,
            "imageID": image if "@" in image else "",
            "ready": self.is_ready,
            "started": "running" in self._state and self._has_started_up,
            "restartCount": self.restarts,
            "state": self._state,
            "lastState": self._last_state,
        }
        return status | ({"containerID": f"process://{self._process.pid}"} if self._process else {})

    @property
    def _has_started_up(self) -> bool:
        return "startup" not in self._probes or self._probes["startup"].passes

    def _become(self, state: Json) -> None:
        if "terminated" in self._state:
            self._last_state = self._state
        self._state = state

    def _say_that_there_is_no_image(self, now: float) -> None:
        self._since = self._since or now
        reason = "ErrImagePull" if now - self._since < BACK_OFF_S else "ImagePullBackOff"
        self._become({"waiting": {"reason": reason, "message": self._program.refused}})

    def _start(self, now: float) -> None:
        self.restarts += self.has_started
        self.has_started, self._since, self._killed_for = True, now, ""
        self.logs.mkdir(parents=True, exist_ok=True)
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                self._network.inside(*self._program.words),
                env=dict(self._program.environment),
                cwd=self.logs,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._become({"running": {"startedAt": timestamp()}})
        found = {kind: self._spec.get(f"{kind}Probe") for kind in ("startup", "readiness", "liveness")}
        self._probes = {kind: Probe(one, self._spec, self._network.ip, now) for kind, one in found.items() if one}

    def _look(self, now: float) -> None:
        """Ask the start-up probe until it passes, and then the other two."""
        if self._has_too_much_memory():
            self.kill("OOMKilled")
            return
        for kind in ("readiness", "liveness") if self._has_started_up else ("startup",):
            if kind in self._probes:
                self._probes[kind].ask_when_due(now)
        if any(kind in self._probes and self._probes[kind].fails for kind in ("startup", "liveness")):
            self.kill()  # a kubelet sends SIGTERM first
        self.is_ready = self._has_started_up and ("readiness" not in self._probes or self._probes["readiness"].passes)

    def _end(self, now: float, returned: int) -> None:
        code = returned if returned >= 0 else 128 - returned
        reason = "Completed" if code == 0 else "OOMKilled" if code == _BY_SIGKILL else "Error"
        ended = {"exitCode": code, "reason": self._killed_for or reason, "finishedAt": timestamp()}
        ended |= {"startedAt": self._state["running"]["startedAt"]}
        if code and self._spec.get("terminationMessagePolicy") == "FallbackToLogsOnError":
            ended["message"] = self.log.read_bytes()[-_MESSAGE:].decode(errors="replace")
        self._process, self.is_ready = None, False
        self._become({"terminated": ended})
        if now - self._since > FORGIVEN_S:
            self._back_off = 0.0
        self._next_start = now + self._back_off
        self._back_off = min(max(BACK_OFF_S, 2 * self._back_off), LONGEST_BACK_OFF_S)

    def _has_too_much_memory(self) -> bool:
        if self._process is None or self._limit == 0:
            return False
        try:
            pages = int(Path(f"/proc/{self._process.pid}/statm").read_text().split()[1])
        except OSError:  # it has just ended
            return False
        return pages * os.sysconf("SC_PAGE_SIZE") > self._limit

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)


def wait_for_the_end(containers: Sequence[Container], seconds: float) -> None:
    """Return when none has a process any more; kill those that still have one after so many seconds."""
    end = time.monotonic() + seconds
    while any(one.has_process for one in containers):
        if time.monotonic() > end:
            for one in containers:
                one.kill()
        time.sleep(0.02)


def timestamp() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _memory_limit(spec: Mapping[str, Any]) -> int:
    limits = (spec.get("resources") or {}).get("limits") or {}
    return int(parse_quantity(str(limits.get("memory") or 0)) or 0)
