"""Where requests may go: http and https, no secrets in the address, and never to a machine's metadata service."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from urllib.parse import urlsplit

from mlgate.core.errors import ConfigError, Refused

_NAT64 = ipaddress.ip_network("64:ff9b::/96")
"""IPv4 inside IPv6 that Python's `is_global` calls global: RFC 6052."""

_METADATA = {ipaddress.ip_address(ip) for ip in ("fd00:ec2::254", "100.100.100.200", "168.63.129.16")}
"""Metadata services that are not link-local: AWS over IPv6, Alibaba, Azure."""


@dataclass(frozen=True)
class Address:
    """A checked endpoint: everything a connection and a message need of a URL."""

    scheme: str
    host: str
    port: int
    path: str
    query: str

    @classmethod
    def of(cls, url: str) -> Address:
        """Take *url* apart. Raises ConfigError for one that cannot be used, Refused for one that must not be."""
        if any(not " " < character < "\x7f" for character in url):
            raise ConfigError("the endpoint's URL has a character in it that URLs do not", hint="percent-encode it")
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise ConfigError(f"the endpoint's URL cannot be read: {error}") from error
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ConfigError("the endpoint's URL must be http://host… or https://host…")
        if parts.username is not None or parts.password is not None:
            raise ConfigError("the endpoint's URL has a user in it", hint="send credentials in a header")
        if parts.fragment:
            raise ConfigError("the endpoint's URL has a #fragment, which no server sees", hint="delete it")
        _refuse_odd(parts.hostname)
        port = port or (443 if parts.scheme == "https" else 80)
        return cls(parts.scheme, parts.hostname, port, parts.path, parts.query)

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}{self.path}"

    def target(self, path: str) -> str:
        """Return the request target for a protocol's *path*, put behind this address's own.

        Steps that both name are taken once: `…/v1` and `/v1/chat/completions` give `…/v1/chat/completions`.
        """
        own, more = self.path.rstrip("/").split("/")[1:], path.split("/")[1:]
        shared = next((n for n in range(min(len(own), len(more)), 0, -1) if own[-n:] == more[:n]), 0)
        joined = "/" + "/".join(own + more[shared:]) if path else self.path or "/"
        return f"{joined}?{self.query}" if self.query else joined


def refuse_forbidden(host: str) -> None:
    """Raise Refused when the IP address *host* is one that hands out a machine's credentials, or no address at all."""
    ip = ipaddress.ip_address(host.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        if ip in _NAT64:
            ip = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        elif ip.ipv4_mapped is not None:
            ip = ip.ipv4_mapped
    if ip in _METADATA or ip.is_link_local or ip.is_unspecified or ip.is_multicast:
        raise Refused(
            f"the address {host} is no endpoint: such an address gives out a machine's credentials, or is none",
            hint="name the model server's own address",
        )


def _refuse_odd(host: str) -> None:
    try:
        refuse_forbidden(host)
    except ValueError:
        pass
    else:
        return
    try:
        socket.inet_aton(host)
    except OSError:
        return
    raise Refused(f"{host} is an IP address in disguise", hint="write it as four decimal numbers")
