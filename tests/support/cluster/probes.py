"""A container's probes: httpGet and tcpSocket, as often and as patiently as the manifest says."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Mapping
from typing import Any

Json = Mapping[str, Any]


class Probe:
    """One probe: asks when it is due, and counts the equal answers in a row."""

    def __init__(self, spec: Json, container: Json, ip: str, started: float) -> None:
        self.passes = False
        """Whether `successThreshold` answers in a row were good, and no `failureThreshold` bad ones since."""
        self.fails = False
        """Whether `failureThreshold` answers in a row were bad."""
        self._spec = spec
        self._container = container
        self._ip = ip
        self._due = started + float(spec.get("initialDelaySeconds", 0))
        self._last = False
        self._in_a_row = 0

    def ask_when_due(self, now: float) -> None:
        if now < self._due:
            return
        self._due = now + float(self._spec.get("periodSeconds", 10))
        answer = self._ask()
        self._in_a_row = self._in_a_row + 1 if answer == self._last else 1
        self._last = answer
        if self._in_a_row >= int(
            self._spec.get("successThreshold" if answer else "failureThreshold", 1 if answer else 3)
        ):
            self.passes, self.fails = answer, not answer

    def _ask(self) -> bool:
        """Whether the container answers well; another kind of probe (exec, grpc) never passes here."""
        try:
            if http_get := self._spec.get("httpGet"):
                return self._http(http_get)
            if tcp := self._spec.get("tcpSocket"):
                address = (self._ip, port_number(tcp["port"], self._container))
                socket.create_connection(address, timeout=self._seconds).close()
                return True
        except (OSError, http.client.HTTPException):
            return False
        return False

    def _http(self, get: Json) -> bool:
        line = http.client.HTTPConnection(self._ip, port_number(get["port"], self._container), timeout=self._seconds)
        try:
            headers = {one["name"]: one["value"] for one in get.get("httpHeaders") or ()}
            line.request("GET", get.get("path") or "/", headers={"User-Agent": "kube-probe/test", **headers})
            return 200 <= line.getresponse().status < 400
        finally:
            line.close()

    @property
    def _seconds(self) -> float:
        return float(self._spec.get("timeoutSeconds", 1))


def port_number(port: int | str, container: Json) -> int:
    """Return the number of a port, which a probe may give by its name; 0, where nothing answers, if there is none."""
    if isinstance(port, int):
        return port
    named = {one.get("name"): int(one["containerPort"]) for one in container.get("ports") or ()}
    return named.get(port) or (int(port) if port.isdecimal() else 0)
