"""The deployments that GitHub shows on a repository's page: which commit an environment has, and how it came there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal
from urllib.parse import urlencode

from mlgate.adapters.github.client import GithubClient
from mlgate.adapters.github.replies import Purpose
from mlgate.core.errors import AdapterError

State = Literal["in_progress", "success", "failure"]

_LONGEST = 140
"""Characters of a description (docs.github.com/rest/deployments)."""
_TASK = "deploy"
_NEEDS = "deployments: write"
_LIST = Purpose("list the environment's deployments", _NEEDS)
_CREATE = Purpose("create a deployment", _NEEDS)
_STATE = Purpose("set the deployment's status", _NEEDS)


@dataclass(frozen=True, slots=True)
class Deployment:
    """One rollout of a model in one environment."""

    environment: str
    commit: str
    """The commit that the model was judged at."""
    release: str
    """The name of the model on the cluster."""
    began: int
    """When the rollout began: Unix time, seconds."""

    @property
    def mark(self) -> Mapping[str, object]:
        """Return what GitHub keeps with the deployment, and finds it by."""
        return {"mlgate": self.release, "began": self.began}


class GithubDeployments:
    """One repository's. Every method raises AdapterError when GitHub says no or cannot be asked."""

    def __init__(self, client: GithubClient, repository: str) -> None:
        self._client = client
        self._path = f"/repos/{repository}/deployments"

    def begin(self, one: Deployment, description: str) -> int:
        """Return GitHub's number of a rollout's deployment, which is made where there is none."""
        if (known := self._find(one)) is not None:
            return known
        body: Mapping[str, object] = {
            "ref": one.commit,
            "task": _TASK,
            "auto_merge": False,
            "required_contexts": [],  # the verdict was asked for, and the branch's own checks before it
            "environment": one.environment,
            "description": _short(description),
            "payload": one.mark,
        }
        reply = self._client.ask("POST", self._path, _CREATE, body, done=lambda: self._find(one) is not None)
        number = self._find(one) if reply is None else _number(reply.value)
        if number is None:
            raise AdapterError(f"could not {_CREATE.words}: GitHub's answer has no number")
        return number

    def _find(self, one: Deployment) -> int | None:
        asked = {"environment": one.environment, "sha": one.commit, "task": _TASK, "per_page": "100"}
        page = self._client.ask("GET", f"{self._path}?{urlencode(asked)}", _LIST)
        if page is None or not isinstance(page.value, list):
            raise AdapterError(f"could not {_LIST.words}: GitHub's answer is no list")
        own = [value for value in page.value if isinstance(value, dict) and value.get("payload") == one.mark]
        return next((number for value in own if (number := _number(value))), None)

    def set_state(self, number: int, state: State, description: str, url: str) -> None:
        """Say how a deployment goes. One that succeeds makes those before it in the same environment inactive."""
        body = {"state": state, "description": _short(description), **({"log_url": url} if url else {})}
        self._client.ask("POST", f"{self._path}/{number}/statuses", _STATE, body)


def _number(value: object) -> int | None:
    found = value.get("id") if isinstance(value, dict) else None
    return found if isinstance(found, int) and not isinstance(found, bool) and found > 0 else None


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}…"
