"""Artifacts of a repository's runs on GitHub: which there are, whose they are, and what is in one."""

from __future__ import annotations

import hashlib
import io
import re
import zipfile
from collections.abc import Iterator, Mapping
from typing import Any, TypeVar
from urllib.parse import urlencode

from mlgate.adapters.github.client import GithubClient
from mlgate.adapters.github.replies import Purpose
from mlgate.core.errors import AdapterError, EvidenceError
from mlgate.core.vouching import KeptEvidence, Repository, Run, RunOrigin

PAGES = 50
"""Of artifacts, at most; each has a hundred, the newest first. Uploads of pull requests are among them."""
HISTORY = 10
"""Pages of commits that are looked at, each of a hundred."""

_MAY = "contents: read, actions: read"
_REPOSITORY = Purpose("look the repository up", _MAY)
_LIST = Purpose("list the baselines that runs have kept", _MAY)
_RUN = Purpose("look up the run that kept a baseline", _MAY)
_HISTORY = Purpose("read the history of the base", _MAY)
_FETCH = Purpose("fetch the baseline", _MAY)

_SHA = re.compile(r"[0-9a-f]{40}([0-9a-f]{24})?")
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")

_Fields = Mapping[str, Any]
_T = TypeVar("_T", int, str, bool)


class TooMany(AdapterError):  # noqa: N818 - what the list was
    """There are more of them than are looked at."""


class GithubArtifacts:
    """The artifacts of one repository. Every method raises AdapterError when GitHub says no or cannot be asked."""

    def __init__(self, line: GithubClient, repository: str) -> None:
        self._line = line
        self._path = f"/repos/{repository}"

    def repository(self) -> Repository:
        """Return what GitHub knows the repository by."""
        found = self._object(self._path, _REPOSITORY)
        return Repository(_of(found, "id", int, _REPOSITORY), _of(found, "default_branch", str, _REPOSITORY))

    def named(self, name: str) -> Iterator[KeptEvidence]:
        """Yield the artifacts of that name, whoever uploaded them. Raises TooMany at the end where there are more."""
        target = f"{self._path}/actions/artifacts?{urlencode({'name': name, 'per_page': '100'})}"
        for page in self._pages(target, _LIST, PAGES):
            listed = page.get("artifacts") if isinstance(page, dict) else None
            if not isinstance(listed, list) or not all(isinstance(one, dict) for one in listed):
                raise _odd(_LIST)
            yield from (_artifact(one) for one in listed if one.get("name") == name)

    def run(self, number: int) -> Run:
        """Return the run with that number."""
        found = self._object(f"{self._path}/actions/runs/{number}", _RUN)
        ours, theirs = found.get("repository"), found.get("head_repository")
        origin = RunOrigin(
            _of(found, "id", int, _RUN),
            _of(ours if isinstance(ours, dict) else {}, "id", int, _RUN),
            _of(theirs, "id", int, _RUN) if isinstance(theirs, dict) else 0,
            str(found.get("head_branch") or ""),
            _of(found, "head_sha", str, _RUN),
        )
        return Run(origin, _of(found, "event", str, _RUN))

    def history(self, commit: str) -> list[str]:
        """Return *commit* and its first parents, as far as the API's last thousand commits go."""
        if not _SHA.fullmatch(commit):
            raise AdapterError("the commit that is judged is not known", hint="look at GITHUB_SHA")
        parents: dict[str, str] = {}
        target = f"{self._path}/commits?{urlencode({'sha': commit, 'per_page': '100'})}"
        for page in self._pages(target, _HISTORY, HISTORY, whole=False):
            if not isinstance(page, list):
                raise _odd(_HISTORY)
            parents.update(_parent(one) for one in page)
        found, at = [], commit
        while at in parents:
            found.append(at)
            at = parents.pop(at)
        return found

    def content(self, kept: KeptEvidence, file: str, most: int) -> bytes:
        """Return the one *file* in an artifact, of at most *most* bytes."""
        archive = self._line.fetch(f"{self._path}/actions/artifacts/{kept.id}/zip", _FETCH, most)
        where = f"artifact {kept.id} of run {kept.origin.run}"
        if kept.digest and hashlib.sha256(archive).hexdigest() != kept.digest:
            raise AdapterError("the baseline that arrived is not what was uploaded", where=where, hint="run it again")
        try:
            with zipfile.ZipFile(io.BytesIO(archive)) as packed:
                if [one.filename for one in packed.infolist()] != [file]:
                    raise EvidenceError(f"the artifact is not one file {file}", where=where)
                with packed.open(file) as opened:
                    content = opened.read(most + 1)
        except (zipfile.BadZipFile, NotImplementedError, RuntimeError, OSError, EOFError, ValueError) as error:
            raise EvidenceError(f"the artifact cannot be unpacked: {error}", where=where) from error
        if len(content) > most:
            raise EvidenceError(f"the artifact's file has more than {most >> 20} MB", where=where)
        return content

    def _object(self, target: str, purpose: Purpose) -> _Fields:
        answer = self._line.ask("GET", target, purpose)
        if answer is None or not isinstance(answer.value, dict):
            raise _odd(purpose)
        return answer.value

    def _pages(self, target: str, purpose: Purpose, most: int, *, whole: bool = True) -> Iterator[Any]:
        for _ in range(most):
            answer = self._line.ask("GET", target, purpose)
            if answer is None:
                raise _odd(purpose)
            yield answer.value
            if not answer.next:
                return
            target = answer.next
        if whole:
            raise TooMany(f"could not {purpose.words}: there are more than {most} pages of them")


def _artifact(one: _Fields) -> KeptEvidence:
    """Return an artifact. What GitHub does not say of its run is 0 or empty, and such a run vouches for nothing."""
    told, digest = one.get("workflow_run"), _DIGEST.fullmatch(str(one.get("digest") or ""))
    run = told if isinstance(told, dict) else {}
    origin = RunOrigin(
        _number(run, "id"),
        _number(run, "repository_id"),
        _number(run, "head_repository_id"),
        str(run.get("head_branch") or ""),
        str(run.get("head_sha") or ""),
    )
    return KeptEvidence(
        _of(one, "id", int, _LIST),
        origin,
        _of(one, "expired", bool, _LIST),
        str(one.get("created_at") or ""),
        digest[1] if digest else "",
    )


def _number(run: _Fields, key: str) -> int:
    value = run.get(key)
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _parent(one: object) -> tuple[str, str]:
    """Return a commit and its first parent; empty for a root."""
    listed = one.get("parents") if isinstance(one, dict) else None
    if not isinstance(one, dict) or not isinstance(listed, list):
        raise _odd(_HISTORY)
    first = listed[0] if listed else {"sha": ""}
    return _of(one, "sha", str, _HISTORY), _of(first if isinstance(first, dict) else {}, "sha", str, _HISTORY)


def _of(fields: _Fields, key: str, kind: type[_T], purpose: Purpose) -> _T:
    value = fields.get(key)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise AdapterError(f"could not {purpose.words}: GitHub's answer has no {key}")
    return value


def _odd(purpose: Purpose) -> AdapterError:
    return AdapterError(f"could not {purpose.words}: GitHub's answer has another form")
