"""Which status a server answers with, for who wants to know nothing else of it."""

from __future__ import annotations

from collections.abc import Mapping

from mlgate.adapters.http.address import Address
from mlgate.adapters.http.connection import Broken, HttpConnection, Unreachable
from mlgate.core.errors import AdapterError

_TIMEOUT_S = 10.0


def status(url: str, path: str, headers: Mapping[str, str]) -> int:
    """Post nothing to a path behind *url*. Raises AdapterError when no answer comes."""
    address = Address.of(url)
    connection = HttpConnection(address, _TIMEOUT_S)
    try:
        return connection.post(address.target(path), b"", headers).status
    except (Unreachable, Broken) as error:
        raise AdapterError(f"{address}: {error}", hint="is deploy.url the gateway's address?") from error
    finally:
        connection.close()
