"""One rollout of a service at a time: a Lease that its holder renews, and that others take once it is not renewed.

Clocks of two machines are never compared: whoever waits, watches for how long the Lease has not changed.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any, Self

from mlgate.adapters.kubernetes.api import Api, Conflict, Obj
from mlgate.adapters.kubernetes.kinds import LEASE
from mlgate.adapters.kubernetes.manifest import SERVICE_LABEL
from mlgate.adapters.process import liveness
from mlgate.adapters.process.clock import microseconds
from mlgate.core.deploy.status import Holder
from mlgate.core.errors import Busy, GateError, Overtaken

LASTS_S = 15.0
"""A holder that did not renew for so long is dead."""
_RENEWS_S = 4.0
_LOOKS_S = 0.5


class Lease:
    """The lock of one service. To be used once, in a `with`."""

    def __init__(self, api: Api, service: str, owner: str, waiting: Callable[[str], None] = lambda _: None) -> None:
        self._api, self._owner, self._waiting = api, owner, waiting
        self._name = name_of(service)
        self._service = service
        self._held: Obj | None = None
        self._renewed = 0.0
        self._lost = ""
        self._ends = threading.Event()
        self._mutex = threading.Lock()
        self._thread = threading.Thread(target=self._keep, name="mlgate-lease", daemon=True)

    def __enter__(self) -> Self:
        """Take the lock. Raises Busy when somebody renews it, or when another one was first."""
        seen = self._api.get(LEASE, self._name)
        if seen is not None and _holder(seen):
            seen = self._await_death(seen, _holder(seen))
        try:
            self._take(seen)
        except Conflict as error:
            raise Busy(f"another rollout of {self._service} was first", hint="mlgate status") from error
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Give the lock back, as far as it is still ours."""
        self._ends.set()
        self._thread.join()
        if self._held is not None and not self._lost:
            spec = {**self._held["spec"], "holderIdentity": ""}
            try:
                self._api.replace(LEASE, {**self._held, "spec": spec})
            except GateError:
                return  # it runs out by itself

    def confirm(self) -> None:
        """Raise Overtaken when the lock was lost, or may have been: it was not renewed for too long."""
        if self._lost:
            raise Overtaken(f"the lock of {self._service} is held by {self._lost} now", hint="mlgate status")
        if time.monotonic() - self._renewed > LASTS_S - _RENEWS_S:
            self._renew()

    def _await_death(self, seen: Obj, holder: str) -> Obj | None:
        """Watch a Lease that somebody holds; return it when it was not renewed for as long as a living one renews it.

        A holder that ran on this machine and has ended need not be watched.
        """
        if liveness.is_dead(holder):
            return seen
        self._waiting(
            f"{holder} holds the lock of {self._service}: waiting up to {LASTS_S:.0f} s to see whether it still runs"
        )
        lasts = float(seen["spec"].get("leaseDurationSeconds") or LASTS_S)
        begin = time.monotonic()
        while time.monotonic() - begin < lasts:
            time.sleep(_LOOKS_S)
            now = self._api.get(LEASE, self._name)
            if now is None or not _holder(now):
                return now
            if now["metadata"]["resourceVersion"] != seen["metadata"]["resourceVersion"]:
                raise Busy(
                    f"{_holder(now)} is rolling {self._service} out at this moment",
                    hint="wait for it, or end it there; what it does: mlgate status",
                )
        return seen

    def _take(self, there: Obj | None) -> None:
        if there is None:
            fresh = {"metadata": {"name": self._name, "labels": {SERVICE_LABEL: self._service}}}
            self._held = self._api.create(LEASE, {**fresh, "spec": self._spec()})
        else:
            self._held = self._api.replace(LEASE, {**there, "spec": {**there.get("spec", {}), **self._spec()}})
        self._renewed = time.monotonic()

    def _spec(self) -> dict[str, Any]:
        now = microseconds()
        return {
            "holderIdentity": self._owner,
            "leaseDurationSeconds": round(LASTS_S),
            "renewTime": now,
            "acquireTime": now,
        }

    def _keep(self) -> None:
        """Renew until the end. The first failure is nothing: the next turn tries again."""
        while not self._ends.wait(_RENEWS_S):
            try:
                self._renew()
            except Overtaken:
                return
            except GateError:
                continue

    def _renew(self) -> None:
        with self._mutex:
            assert self._held is not None
            asked = time.monotonic()
            spec = {**self._held["spec"], "renewTime": microseconds()}
            try:
                self._held = self._api.replace(LEASE, {**self._held, "spec": spec})
            except Conflict:
                self._look_again()
            self._renewed = asked

    def _look_again(self) -> None:
        """Go on with a Lease that changed: it is still ours when our last renewal was taken and its reply lost."""
        now = self._api.get(LEASE, self._name)
        if now is None or _holder(now) != self._owner:
            self._lost = _holder(now) or "nobody"
            raise Overtaken(f"the lock of {self._service} is held by {self._lost} now", hint="mlgate status")
        self._held = now


def name_of(service: str) -> str:
    """Return the name of a service's Lease and of the ConfigMap with its record."""
    return f"mlgate-{service}"


def _holder(lease: Obj | None) -> str:
    return str((lease or {}).get("spec", {}).get("holderIdentity") or "")


def holder(api: Api, service: str) -> Holder | None:
    """Return who holds a service's lock; None for nobody."""
    lease = api.get(LEASE, name_of(service))
    name = _holder(lease)
    if lease is None or not name:
        return None
    return Holder(name, str(lease["spec"].get("renewTime") or ""), liveness.is_dead(name))
