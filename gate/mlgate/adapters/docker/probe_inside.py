"""Run inside the model's network, in mlgate's own container: what is there, and what can be reached. Prints JSON.

`python -m mlgate.adapters.docker.probe_inside name=address:port …`. Standard library only.
"""

from __future__ import annotations

import errno
import fcntl
import json
import socket
import struct
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

_TIMEOUT_S = 1.0
_GET_FLAGS = 0x8913
"""SIOCGIFFLAGS, netdevice(7)."""
_UP = 0x1


def interfaces() -> dict[str, bool]:
    """Return the network interfaces by name, and whether each is up."""
    names = [line.partition(":")[0].strip() for line in Path("/proc/net/dev").read_text().splitlines() if ":" in line]
    return {name: _is_up(name) for name in names}


def _is_up(name: str) -> bool:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        told = fcntl.ioctl(asked, _GET_FLAGS, struct.pack("256s", name.encode()[:15]))
    return bool(struct.unpack_from("H", told, 16)[0] & _UP)


def routes() -> list[str]:
    """Return the routes as `interface destination/mask`, in the kernel's hexadecimal, loopback's left out."""
    found = []
    for path, columns in (("/proc/net/route", (0, 1, 7)), ("/proc/net/ipv6_route", (9, 0, 1))):
        try:
            lines = Path(path).read_text().splitlines()
        except OSError:
            continue  # a kernel without IPv6
        for line in lines:
            fields = line.split()
            device, place, mask = (fields[column] for column in columns)
            if device not in ("lo", "Iface"):
                found.append(f"{device} {place}/{mask}")
    return found


def reached(address: str, port: int) -> str:
    """Return `yes`, or why not. A refused connection is a yes: something there has answered."""
    try:
        with socket.create_connection((address, port), _TIMEOUT_S):
            return "yes"
    except ConnectionRefusedError:
        return "yes"
    except TimeoutError:
        return "no answer"
    except OSError as error:
        return errno.errorcode.get(error.errno or 0, "error")


def _try(target: str) -> tuple[str, str]:
    name, _, place = target.partition("=")
    address, _, port = place.rpartition(":")
    return name, reached(address, int(port))


def main(targets: list[str]) -> None:
    """Print what is found as one JSON object."""
    with ThreadPoolExecutor(len(targets) + 1) as pool:  # they are silent together, not one after the other
        found = dict(pool.map(_try, targets))
    print(json.dumps({"interfaces": interfaces(), "routes": routes(), "reached": found}))  # noqa: T201 - its answer


if __name__ == "__main__":
    main(sys.argv[1:])
