"""GitHub, as a step of GitHub Actions reaches it: address, repository and token come from the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping

from mlgate.adapters.github.client import GithubClient
from mlgate.adapters.github.retries import Retries
from mlgate.core.errors import AdapterError, ConfigError

TOKENS = ("MLGATE_GITHUB_TOKEN", "GITHUB_TOKEN")

_API = "https://api.github.com"
_REPOSITORY = re.compile(r"[A-Za-z0-9_-]{1,100}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")


def repository(environ: Mapping[str, str] = os.environ) -> str:
    """Return the repository's name with its owner in front. Raises AdapterError where it is not known."""
    name = environ.get("GITHUB_REPOSITORY", "")
    if not _REPOSITORY.fullmatch(name):
        raise AdapterError("which repository this is, is not known", where="GITHUB_REPOSITORY")
    return name


def connect(
    what: str, hint: str, *, patience: Retries | None = None, environ: Mapping[str, str] = os.environ
) -> GithubClient:
    """Return a connection to GitHub's API. *what* the token is for, and *hint* how a job gets one, if there is none."""
    token = next((environ[name].strip() for name in TOKENS if environ.get(name, "").strip()), "")
    if not token:
        raise ConfigError(f"there is no token to {what}", where=TOKENS[0], hint=hint)
    return GithubClient(environ.get("GITHUB_API_URL") or _API, token, patience)
