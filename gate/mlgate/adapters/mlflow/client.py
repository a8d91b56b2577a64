"""MLflow's client, opened for one server or one local store: bounded, silent, and with errors that can be shown."""

from __future__ import annotations

import contextlib
import logging
import os
import re
import warnings
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit, urlunsplit

from mlgate.adapters.http.redaction import Redaction
from mlgate.adapters.mlflow import sqlite_store
from mlgate.core.errors import AdapterError, GateError, Refused

_SERVERS = ("http", "https", "databricks", "databricks-uc", "uc")
_REMOTE = ("mlflow-artifacts", "s3", "gs", "wasbs", "abfss", "dbfs")
"""Where a server may let artifacts lie. Not on this machine, and not with whom it likes."""
_AZURE = (".core.windows.net", ".core.usgovcloudapi.net", ".core.chinacloudapi.cn", ".fabric.microsoft.com")
"""What the address names here is a host, which gets this machine's Azure keys."""

_SECRETS = ("MLFLOW_TRACKING_PASSWORD", "MLFLOW_TRACKING_TOKEN", "DATABRICKS_TOKEN", "MLFLOW_TRACKING_USERNAME")
_PATIENCE_OF_SQLITE = 30
"""Seconds that a writer waits for another one."""

_SETTINGS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",  # MLflow's own 7 wait four minutes for a server that is down
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
    "MLFLOW_DATABRICKS_ENDPOINT_HTTP_RETRY_TIMEOUT": "30",  # its own 500 seconds are for each request
    "MLFLOW_HTTP_REQUEST_BACKOFF_JITTER": "0.5",
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",  # a server could ask for an hour
    "MLFLOW_ENABLE_PROXY_MULTIPART_DOWNLOAD": "false",  # a server could name any address, also inside
    "MLFLOW_ENABLE_PROXY_MULTIPART_UPLOAD": "false",
    "GIT_PYTHON_REFRESH": "quiet",
}
"""What MLflow reads from the environment whenever it talks; a user's own settings stay."""
_SET_BY_MLFLOW = "_MLFLOW_TELEMETRY_SESSION_ID"
"""Its import sets or removes this, for child processes of its own. Ours are not its children."""

_HINTS: Mapping[str, str] = {
    "UNAUTHENTICATED": "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD",
    "PERMISSION_DENIED": "this account may not do that: ask for the right, or use another one",
    "TEMPORARILY_UNAVAILABLE": "try again later: mlgate sync",
}
_CROSSED = ("BAD_REQUEST", "INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "INVALID_STATE", "RESOURCE_CONFLICT")
"""What MLflow says where two writers meet: a unique key is taken, a run was deleted."""

_SECRET = re.compile(r"pass|pwd|token|secret|key|odbc", re.IGNORECASE)
"""Of a query's name: what it is the value of is not shown."""

_UNREACHABLE = "is the server up? see tracking.mlflow.uri or MLFLOW_TRACKING_URI"


@dataclass(frozen=True, slots=True)
class StoreAddress:
    """Where runs are kept."""

    uri: str
    """As MLflow takes it, absolute. May hold a password: show `shown`."""
    artifacts: Path
    """Where artifacts go when there is no server to keep them."""
    timeout_s: float = 10.0
    """Of one request."""

    @property
    def scheme(self) -> str:
        """Return the URI's scheme without a driver: `postgresql` of `postgresql+psycopg2`."""
        return self.uri.partition(":")[0].partition("+")[0].lower()

    @property
    def has_server(self) -> bool:
        """Return whether a server answers, and keeps the artifacts."""
        return self.scheme in _SERVERS

    @property
    def file(self) -> Path | None:
        """Return the file of a sqlite store."""
        return Path(unquote(urlsplit(self.uri).path)[1:]) if self.scheme == "sqlite" else None

    @property
    def shown(self) -> str:
        """Return the URI for people: no password, no user, no query."""
        if self.file is not None:
            return f"sqlite:///{os.path.relpath(self.file)}"
        parts = urlsplit(self.uri)
        return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", "")) or self.uri


class Unable(AdapterError):  # noqa: N818 - what the server was
    """MLflow could not do something: it refused, it failed, or it did not answer."""

    def __init__(self, message: str, *, hint: str = "", code: str = "") -> None:
        super().__init__(message, hint=hint)
        self.code = code
        """MLflow's code, e.g. `RESOURCE_DOES_NOT_EXIST`; empty when the client itself failed."""

    @property
    def is_crossed(self) -> bool:
        """Return whether another writer may have been in between: looking again is worth it."""
        return self.code in _CROSSED


class Server:
    """One client, opened when it is first used. That makes the tables of a local store."""

    def __init__(self, place: StoreAddress) -> None:
        self.place = place
        parts = urlsplit(place.uri)
        known = [os.environ.get(name, "") for name in _SECRETS]
        with contextlib.suppress(ValueError):
            known += [parts.password or "", unquote(parts.password or "")]
        known += [text for name, text in parse_qsl(parts.query) if _SECRET.search(name)]
        self._redaction = Redaction(one for one in known if one)

    @cached_property
    def client(self) -> Any:
        """Return MLflow's own client. Raises AdapterError where it cannot be had."""
        with self.talking("be opened"):
            return _client(self.place)

    @contextlib.contextmanager
    def talking(self, doing: str) -> Iterator[None]:
        """Turn whatever MLflow raises into an AdapterError: the server could not … *doing*."""
        try:
            with _settings(self.place), _silence():
                yield
        except GateError:
            raise
        except ImportError as error:
            raise AdapterError(
                f"{self.place.shown} needs a package that is not installed: {error.name or error}",
                hint="pip install 'mlgate[mlflow]', and the driver of your database or object store",
            ) from error
        except Exception as error:  # noqa: BLE001 - a broken or hostile server may make its client fail in any way
            code = code_of(error)
            hint = _HINTS.get(code, _UNREACHABLE if _is_silent(error) else "")
            said = self._redaction.line(_first(error), 300)
            raise Unable(f"MLflow ({self.place.shown}) could not {doing}: {said}", hint=hint, code=code) from None

    def repository(self, uri: str) -> Any:
        """Return MLflow's access to the artifacts under *uri*, which the server named.

        Raises Refused for a place that no server has to name: a file of this machine, another host.
        """
        parts = urlsplit(uri)
        if self.place.has_server:
            other = parts.netloc not in ("", urlsplit(self.place.uri).netloc.rpartition("@")[2])
            foreign = parts.scheme not in _REMOTE or (parts.scheme == "mlflow-artifacts" and other)
        else:
            foreign = parts.scheme not in (*_REMOTE[1:], "", "file") or (
                parts.scheme in ("", "file") and not self._is_ours(Path(unquote(parts.path)))
            )
        host = parts.netloc.rpartition("@")[2].lower()
        foreign = foreign or (parts.scheme in ("abfss", "wasbs") and not host.endswith(_AZURE))
        foreign = foreign or (parts.scheme in ("s3", "gs", "dbfs") and "@" in parts.netloc)
        if foreign or ".." in unquote(parts.path).split("/"):
            raise Refused(
                f"MLflow ({self.place.shown}) says that artifacts lie in {self._redaction.line(uri, 100)}",
                hint="start the server with --artifacts-destination; without one, set tracking.mlflow.artifacts",
            )
        with self.talking("reach its artifacts"):
            from mlflow.store.artifact.artifact_repository_registry import get_artifact_repository

            return get_artifact_repository(uri, tracking_uri=self.place.uri)

    def _is_ours(self, path: Path) -> bool:
        """Return whether a folder of this machine is one that the configuration knows: beside the store, or named."""
        beside = [self.place.artifacts, *([self.place.file.parent] if self.place.file else [])]
        return any(Path(os.path.realpath(path)).is_relative_to(os.path.realpath(one)) for one in beside)


def code_of(error: BaseException) -> str:
    """Return MLflow's code of an error, e.g. `RESOURCE_DOES_NOT_EXIST`; empty for others."""
    code = getattr(error, "error_code", "")
    return code if isinstance(code, str) else ""


@contextlib.contextmanager
def _settings(place: StoreAddress) -> Iterator[None]:
    """Bound MLflow, which only the environment can. Afterwards that is as it was: a model may use MLflow, too."""
    wanted = {name: value for name, value in _SETTINGS.items() if name not in os.environ}
    if "MLFLOW_HTTP_REQUEST_TIMEOUT" not in os.environ:
        wanted["MLFLOW_HTTP_REQUEST_TIMEOUT"] = str(max(1, round(place.timeout_s)))
    wanted["MLFLOW_ALLOW_HTTP_REDIRECTS"] = "false"  # a redirect could lead inside, with our credentials
    before = {name: os.environ.get(name) for name in (*wanted, _SET_BY_MLFLOW)}
    os.environ.update(wanted)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep what MLflow, Alembic and urllib3 log or warn of to themselves: what matters becomes an error of ours."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(before)


def _client(place: StoreAddress) -> Any:
    from mlflow import MlflowClient

    uri = place.uri
    if place.file is not None:
        sqlite_store.made(place.file, _create_tables)
        uri += ("&" if "?" in uri else "?") + f"timeout={_PATIENCE_OF_SQLITE}"
    return MlflowClient(tracking_uri=uri, registry_uri=os.environ.get("MLFLOW_REGISTRY_URI") or uri)


def _create_tables(file: Path) -> None:
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    folder = file.parent.parent / "mlruns"  # beside the store, for runs of other programs: ours name a place themselves
    make: Any = SqlAlchemyStore
    make(f"sqlite:///{file}", folder.as_uri()).engine.dispose()


def _is_silent(error: BaseException) -> bool:
    """Return whether nobody answered: refused, too late, cut off."""
    text = str(error)
    return "Max retries exceeded" in text and "ResponseError" not in text


def _first(error: BaseException) -> str:
    """Return what went wrong in one line, without what the client says of its own inside."""
    text = str(getattr(error, "message", "") or error or type(error).__name__)
    if "Max retries exceeded" in text:
        cause = text.rpartition("Caused by ")[2]
        if _is_silent(error):
            return f"no answer ({cause.partition('(')[0]})" if cause != text else "no answer"
        return f"it failed ({cause.partition('(')[2].strip(chr(39) + chr(34) + ') ')})"
    return text.partition("\n")[0]
