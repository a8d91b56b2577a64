"""Questions to GitHub's REST API: to one host, bounded in size, tries and time, and silent about the token."""

from __future__ import annotations

import ipaddress
import json
import re
import ssl
from collections.abc import Callable, Mapping
from typing import Self

from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import ConnectTimeoutError, HTTPError, NewConnectionError, SSLError
from urllib3.response import BaseHTTPResponse
from urllib3.util import Timeout

from mlgate.adapters.github.replies import Answer, ApiReply, Purpose, answer, said
from mlgate.adapters.github.retries import TRIES, Retries, longer, pause
from mlgate.adapters.http.address import Address
from mlgate.adapters.http.redaction import Redaction
from mlgate.core.errors import AdapterError, ConfigError, Refused

LARGEST_REPLY = 64 << 20
"""Bytes of a reply: a page of a hundred comments, each as long as GitHub allows."""

_CONNECT_S, _SILENT_S, _WHOLE_S = 5.0, 10.0, 30.0
"""To connect; between two pieces of a reply; until it is whole."""
_CHUNK_BYTES = 1 << 16
_STATUS_FOUND = 302
"""The status that leads to a file."""
_TOKEN = re.compile(r"[!-~]{1,4000}")


class GithubClient:
    """A connection to GitHub's API that carries a token. For one thread."""

    def __init__(self, url: str, token: str, patience: Retries | None = None) -> None:
        self._address = _address(url)
        if not _TOKEN.fullmatch(token):
            raise ConfigError("the token has characters that no token has", hint="look at where it is set")
        self._patience = patience or Retries()
        self._redaction = Redaction([token])
        self._headers = {
            "accept": "application/vnd.github+json",
            "authorization": f"Bearer {token}",
            "user-agent": "mlgate",
            "x-github-api-version": "2022-11-28",
        }
        self._pool = _pool(self._address)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.close()

    def ask(
        self,
        method: str,
        target: str,
        purpose: Purpose,
        body: Mapping[str, object] | None = None,
        done: Callable[[], bool] | None = None,
    ) -> Answer | None:
        """Return the answer; raise AdapterError when GitHub says no or cannot be asked.

        *target* comes behind the API's own path. *done* belongs to what must not be done twice: after a try of which
        nobody knows how it ended it says whether the thing is done, and then None is returned.
        """
        reply = self._reply_with_retries(method, target, purpose, body, done)
        return None if reply is None else answer(reply, purpose, self._address, self._redaction)

    def fetch(self, target: str, purpose: Purpose, most: int) -> bytes:
        """Return the file that the API leads to, of at most *most* bytes. The token does not go there with it.

        GitHub answers with the address of a store of its own, which is good for a minute: each try asks for one anew.
        """
        for attempt in range(TRIES):
            began = self._patience.clock()
            reply = self._reply_with_retries("GET", target, purpose)
            if reply is None or reply.status != _STATUS_FOUND:
                answer(reply or ApiReply(0, {}, b""), purpose, self._address, self._redaction)
                raise AdapterError(f"could not {purpose.words}: GitHub leads nowhere")
            try:
                return self._read_from_store(reply.headers.get("location", ""), purpose, most)
            except HTTPError as error:
                why = f"the store that GitHub leads to failed: {type(error).__name__}"
            if attempt + 1 == TRIES or not self._patience.wait(began, longer(attempt)):
                break
        raise AdapterError(f"could not {purpose.words}: {why}", hint="run this job again later")

    def _read_from_store(self, url: str, purpose: Purpose, most: int) -> bytes:
        """Read a file from the store. Its address is a key for as long as it is good: it is never shown."""
        try:
            there = Address.of(url)
        except (ConfigError, Refused):
            there = None
        if there is None or not (there.scheme == "https" or (_is_here(there.host) and _is_here(self._address.host))):
            raise AdapterError(f"could not {purpose.words}: GitHub leads to what is no address over https")
        with _pool(there) as pool:
            target = there.path + (f"?{there.query}" if there.query else "")
            stored = self._send(pool, "GET", target, body=None, headers={"user-agent": "mlgate"}, most=most)
        if stored.status != 200:  # noqa: PLR2004 - OK
            raise HTTPError(f"the store answers {stored.status}")
        return stored.body

    def _reply_with_retries(
        self,
        method: str,
        target: str,
        purpose: Purpose,
        body: Mapping[str, object] | None = None,
        done: Callable[[], bool] | None = None,
    ) -> ApiReply | None:
        for attempt in range(TRIES):
            began = self._patience.clock()
            reply = self._try_once(method, target, body)
            seconds = self._pause(reply, attempt)
            if isinstance(reply, ApiReply) and seconds is None:
                return reply
            seconds = seconds or 0.0
            again = attempt + 1 < TRIES and self._patience.wait(began, seconds)
            unsure = not isinstance(reply, ApiReply) or reply.is_fault
            if done is not None and unsure and done():
                return None
            if not again:
                break
        why = said(reply, self._redaction) if isinstance(reply, ApiReply) else reply
        later = "later" if unsure else f"in {seconds:,.0f} s"
        raise AdapterError(f"could not {purpose.words}: {why}", hint=f"run this job again {later}")

    def _try_once(self, method: str, target: str, body: Mapping[str, object] | None) -> ApiReply | str:
        """Return the reply, or why there is none."""
        try:
            return self._exchange(method, self._address.path.rstrip("/") + target, body)
        except (NewConnectionError, ConnectTimeoutError, SSLError) as error:
            return self._redaction.line(f"{self._address} cannot be reached: {error}")
        except HTTPError as error:
            return self._redaction.line(f"the connection to {self._address} broke: {error}")

    def _pause(self, reply: ApiReply | str, attempt: int) -> float | None:
        """Return the seconds to wait before the next try; None when the reply stands."""
        if isinstance(reply, str):
            return longer(attempt)
        return pause(reply.status, reply.headers, attempt, self._patience.now())

    def _exchange(self, method: str, target: str, body: Mapping[str, object] | None) -> ApiReply:
        headers = self._headers if body is None else self._headers | {"content-type": "application/json"}
        return self._send(self._pool, method, target, body=body, headers=headers, most=LARGEST_REPLY)

    def _send(
        self,
        pool: HTTPConnectionPool,
        method: str,
        target: str,
        *,
        body: Mapping[str, object] | None,
        headers: Mapping[str, str],
        most: int,
    ) -> ApiReply:
        response = pool.urlopen(
            method,
            target,
            body=None if body is None else json.dumps(body).encode("ascii"),
            headers=headers,
            retries=False,
            redirect=False,
            timeout=Timeout(connect=_CONNECT_S, read=_SILENT_S),
            preload_content=False,
            decode_content=False,
        )
        try:
            return self._whole(response, most)
        finally:
            response.close()

    def _whole(self, response: BaseHTTPResponse, most: int) -> ApiReply:
        seconds = _WHOLE_S * max(1, most // LARGEST_REPLY)
        end = self._patience.clock() + seconds
        body = bytearray()
        while piece := response.read1(_CHUNK_BYTES):
            body += piece
            if len(body) > most:
                raise HTTPError(f"the reply has more than {most >> 20} MB")
            if self._patience.clock() > end:
                raise HTTPError(f"the reply was not whole within {seconds:g} s")
        return ApiReply(response.status, {name.lower(): value for name, value in response.headers.items()}, bytes(body))


def _pool(address: Address) -> HTTPConnectionPool:
    if address.scheme == "https":
        return HTTPSConnectionPool(address.host, address.port, ssl_context=ssl.create_default_context())
    return HTTPConnectionPool(address.host, address.port)


def _address(url: str) -> Address:
    """Return the API's address. Without TLS the token would be read on its way, so that is for this machine only."""
    try:
        address = Address.of(url)
    except ConfigError as error:
        raise ConfigError(error.message, hint=error.hint, where="GITHUB_API_URL") from error
    if address.query:
        raise ConfigError("the API's URL has a ?query", where="GITHUB_API_URL", hint="https://api.github.com")
    if address.scheme != "https" and not _is_here(address.host):
        raise ConfigError("the API must be asked over https", where="GITHUB_API_URL", hint="https://api.github.com")
    return address


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
