"""The network of the node's pods: each pod has a namespace of its own, with one address on the cluster's bridge."""

from __future__ import annotations

import subprocess
import threading
from collections import deque
from dataclasses import dataclass

from tests.support.child_environment import child_environment

BRIDGE = "mlgate0"
"""`.ci/cluster` makes it, inside the cluster's own network namespace, where this program runs too."""
SUBNET = "10.244.0"
GATEWAY = f"{SUBNET}.1"


class Addresses:
    """The addresses that pods may have. They are given out in turn, so that one rests before it is used again."""

    def __init__(self) -> None:
        self._free = deque(range(2, 251))
        self._lock = threading.Lock()

    def take(self, wanted: str = "") -> int:
        """Return the last part of a free address: of *wanted*, if that is free."""
        with self._lock:
            part = int(wanted.rpartition(".")[2] or 0)
            if part not in self._free:
                part = self._free[0]
            self._free.remove(part)
            return part

    def give_back(self, part: int) -> None:
        with self._lock:
            self._free.append(part)


@dataclass(frozen=True)
class PodNetwork:
    """One pod's network namespace."""

    name: str
    part: int
    """The last part of its address."""

    @property
    def ip(self) -> str:
        return f"{SUBNET}.{self.part}"

    def create(self) -> None:
        """Make the namespace and connect it with the bridge.

        The hardware address follows from the IP address: else, when a later pod gets the same IP address, its
        neighbours send to the earlier pod's hardware address for up to 20 s.
        """
        self.remove()
        _ip("netns", "add", self.name)
        link, mac = f"pod{self.part}", f"02:00:0a:f4:00:{self.part:02x}"
        _batch(
            f"link add {link} type veth peer name eth0 address {mac} netns {self.name}",
            f"link set {link} master {BRIDGE} up",
        )
        _batch(
            f"addr add {self.ip}/24 dev eth0",
            "link set eth0 up",
            "link set lo up",
            f"route add default via {GATEWAY}",
            inside=self.name,
        )

    def remove(self) -> None:
        _ip("netns", "del", self.name, check=False)
        _ip("link", "del", f"pod{self.part}", check=False)  # the kernel removes it with the namespace, but later

    def inside(self, *command: str) -> list[str]:
        """Return the words that run a command in this namespace, without a process in between.

        `ip netns exec` would also make a private mount namespace, in which namespaces made later are missing.
        """
        return ["nsenter", f"--net=/run/netns/{self.name}", "--", *command]


def _ip(*words: str, check: bool = True) -> None:
    subprocess.run(["ip", *words], check=check, capture_output=True, env=child_environment())


def _batch(*lines: str, inside: str = "") -> None:
    words = ["ip", *(["-n", inside] if inside else []), "-batch", "-"]
    subprocess.run(words, check=True, capture_output=True, text=True, input="\n".join(lines), env=child_environment())
