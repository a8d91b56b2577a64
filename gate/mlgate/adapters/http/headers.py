"""What the gate sends of HTTP beside the body: the headers of any client, so that no server knows it is measured."""

from __future__ import annotations

import re
from collections.abc import Mapping

from urllib3._version import __version__

from mlgate.adapters.http.address import Address
from mlgate.core.errors import ConfigError

_FRAMING = {"content-length", "transfer-encoding", "connection", "upgrade", "expect", "te", "trailer"}
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_USUAL_PORT = {"http": 80, "https": 443}


def checked(headers: Mapping[str, str]) -> dict[str, str]:
    """Return the headers to send. Raises ConfigError that names a bad header and never shows its value."""
    for name, value in headers.items():
        if not _TOKEN.fullmatch(name) or name.lower() in _FRAMING:
            raise ConfigError(f"{name!r} is not a header that can be set")
        if not _VALUE.fullmatch(value):
            raise ConfigError(f"the value of header {name} has characters that HTTP does not carry")
    usual = {
        "Accept": "application/json",
        "Content-Type": "application/json",
    }
    # User-Agent: urllib3's own, unless production's is given.
    own = {name.lower() for name in headers}
    return {**{name: value for name, value in usual.items() if name.lower() not in own}, **headers}


def request(address: Address, target: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Return a POST as it goes over the wire, byte for byte as urllib3 writes it for HttpModel."""
    own = {name.lower() for name in headers}
    first = {
        "Host": host(address),
        "Accept-Encoding": "identity",
        "Content-Length": str(len(body)),
        "User-Agent": f"python-urllib3/{__version__}",
    }
    lines = [f"{name}: {value}" for name, value in first.items() if name.lower() not in own]
    lines += [f"{name}: {value}" for name, value in headers.items()]
    return "\r\n".join([f"POST {target} HTTP/1.1", *lines, "", ""]).encode("latin-1") + body


def host(address: Address) -> str:
    """Return what the Host header says: the port only where it is not the scheme's own."""
    name = f"[{address.host}]" if ":" in address.host else address.host
    return name if address.port == _USUAL_PORT[address.scheme] else f"{name}:{address.port}"
