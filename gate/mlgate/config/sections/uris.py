"""Addresses of MLflow and of models, as a file may hold them. Messages never repeat one: it may hold a password."""

from __future__ import annotations

import posixpath
import re
from typing import Annotated
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from pydantic import AfterValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from mlgate.config.sections.section import complaint

_SCHEMES = r"https?|sqlite|(?:postgresql|mysql|mssql)(?:\+[a-z0-9_]+)?"
_TRACKING = re.compile(rf"({_SCHEMES})://(.*)")
_DATABRICKS = re.compile(r"databricks(?:-uc)?(?:://[A-Za-z0-9_.-]+(?::[A-Za-z0-9_.-]+)?)?")
_SCHEME = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_SECRET = re.compile(
    r"user|uid|pass|pwd|token|secret|sig|credential|odbc_connect|(?:^|api|access|account)[_-]?key", re.IGNORECASE
)
"""Parts of a query's names that say so; `sslkey` names a file."""
_IMAGE_DIGEST = re.compile(r"@sha256:[0-9a-f]{64}$")
_AZURE = ("abfs", "abfss", "wasb", "wasbs")
"""Their addresses begin with the container's name: `abfss://models@account.dfs.core.windows.net/…`."""

_PLACE = "write it like sqlite:///mlflow.db or http://mlflow:5000"
_FILE_HINT = "write sqlite:///mlflow.db"
_MODEL_HINT = "write it like s3://models/summarizer/3, or leave it out"


def is_served(uri: str) -> bool:
    """Return whether a server answers there, and decides where artifacts go."""
    return uri.startswith(("http://", "https://", "databricks"))


def is_known(uri: str) -> bool:
    """Return whether MLflow can keep runs there, as far as the address tells; user and password may stand in it."""
    return bool(_TRACKING.fullmatch(uri) or _DATABRICKS.fullmatch(uri))


def _tracking(uri: str) -> str:
    if _DATABRICKS.fullmatch(uri):
        return uri
    if ("@" in uri and not uri.startswith("sqlite:///")) or _has_secret(uri.partition("?")[2]):
        hint = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or the whole address as MLFLOW_TRACKING_URI"
        raise complaint("must not hold a user or a password", hint)
    parts = _parts(uri, _PLACE)
    found = _TRACKING.fullmatch(uri)
    if not found:
        raise _unknown_scheme(uri)
    match found[1]:
        case "http" | "https":
            _server(uri, parts)
        case "sqlite":
            _sqlite(found[2])
        case _ if not found[2].strip("/"):
            raise complaint("names no database", "write it like postgresql://db:5432/mlflow")
    return uri


def _unknown_scheme(uri: str) -> PydanticCustomError:
    scheme = _SCHEME.match(uri)
    match scheme[1].lower() if scheme else "file":
        case "file":
            return complaint("must not be a folder: MLflow keeps no new runs in files any more", _FILE_HINT)
        case "sqlite":
            return complaint("needs three slashes and a file", _FILE_HINT)
        case "databricks" | "databricks-uc":
            return complaint("names no profile", "write databricks, or databricks://PROFILE")
        case _:
            known = "http, https, sqlite, databricks, postgresql, mysql and mssql"
            return complaint(f"must begin with one of {known}", _PLACE)


def _server(uri: str, parts: SplitResult) -> None:
    if not parts.hostname or not uri.isascii() or set(uri) & set(' \\"<>'):
        raise complaint("is no address", _PLACE)
    if set(uri) & {"?", "#"}:
        raise complaint("must not have a part behind ? or #", "delete it: MLflow puts its own paths behind the address")


def _sqlite(rest: str) -> None:
    """Check what stands behind `sqlite://`: a slash and a path."""
    path = rest.partition("?")[0]
    name = unquote(path.removeprefix("/"))
    if name in ("", ":memory:"):
        raise complaint("is a database in memory: it forgets every run", _FILE_HINT)
    if not path.startswith("/"):
        raise complaint("needs three slashes and a file", _FILE_HINT)
    if name.startswith("file:") or "#" in rest or posixpath.basename(name) in ("", ".", ".."):
        raise complaint("names no file", f"{_FILE_HINT}; four slashes begin an absolute path")


def _source(uri: str) -> str:
    scheme = _SCHEME.match(uri)
    if scheme is None or scheme[1].lower() == "file":
        raise complaint("must be an address that others can read, not a path of this machine", _MODEL_HINT)
    parts = _parts(_IMAGE_DIGEST.sub("", uri), _MODEL_HINT)  # an image's digest stands where a host would
    container, at, _ = parts.netloc.rpartition("@")
    if (at and (parts.scheme not in _AZURE or ":" in container)) or _has_secret(parts.query):
        raise complaint("must not hold a user or a password", "whoever loads the model brings their own")
    hostless = parts.scheme in ("http", "https") and not parts.hostname
    if not parts.path.startswith("/") or not parts.path.strip("/") or " " in uri or hostless:
        raise complaint("needs a path", _MODEL_HINT)
    if {".", ".."} & set(unquote(parts.path).split("/")):
        raise complaint("must have a plain path: MLflow refuses . and .. in it", _MODEL_HINT)
    return uri


def _has_secret(query: str) -> bool:
    return any(_SECRET.search(name) for name, _ in parse_qsl(query, keep_blank_values=True))


def _parts(uri: str, hint: str) -> SplitResult:
    try:
        parts = urlsplit(uri)
        _ = parts.hostname, parts.port
    except ValueError as error:
        raise complaint("is no address", hint) from error
    if not uri.isprintable() or uri != uri.strip():
        raise complaint("is no address", hint)
    return parts


TrackingUri = Annotated[
    str,
    AfterValidator(_tracking),
    WithJsonSchema({"type": "string", "pattern": f"^(?:(?:{_SCHEMES})://|databricks)"}),
]
"""Where MLflow keeps runs."""

SourceUri = Annotated[
    str,
    AfterValidator(_source),
    WithJsonSchema({"type": "string", "pattern": rf"^(?!file:){_SCHEME.pattern}/"}),
]
"""Where a model lies."""
