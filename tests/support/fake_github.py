"""A GitHub on this machine: one repository; every request and response is held against GitHub's own description."""

from __future__ import annotations

import hashlib
import json
import re
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.support.github_description import made, operation, request_complaints, response_complaints

REPOSITORY = "acme/model"
NUMBER, STRANGERS = 4711, 815
"""What GitHub knows the repository by, and a fork of it."""
TOKEN = "ghs_0123456789abcdefTokenOfTheTests"  # noqa: S105 - of no real GitHub


@dataclass(frozen=True)
class Pull:
    """An open pull request."""

    number: int
    sha: str
    branch: str = "feature"
    head: str | None = REPOSITORY
    """None: the fork was deleted."""


@dataclass
class Comment:
    """A comment on an issue or a pull request."""

    id: int
    issue: int
    body: str
    user: str = "github-actions[bot]"
    type: str = "Bot"


@dataclass
class Upload:
    """An artifact, and the run that uploaded it."""

    run: int
    sha: str
    archive: bytes
    name: str = "mlgate-baseline"
    event: str = "push"
    branch: str | None = "main"
    """Of a run that a tag has started: the tag's name."""
    head: int | None = NUMBER
    """The repository that the commit comes from; None: it was deleted."""
    expired: bool = False
    id: int = 0


@dataclass
class Fault:
    """What happens to the next requests that it fits, in place of what should."""

    method: str
    path: str
    """Searched for in the path, as a regular expression."""
    status: int = 0
    """0: the connection is cut without a reply."""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    """None: an error as GitHub words it."""
    raw: bytes | None = None
    """Sent as the body in place of JSON, and not held against the description."""
    times: int = 1
    after: bool = False
    """Whether the request is carried out before."""


class FakeGithub:
    """The state of one repository, and what was asked of it."""

    def __init__(self, token: str = TOKEN) -> None:
        self.url, self.token = "", token
        self.pulls: list[Pull] = []
        self.comments: list[Comment] = []
        self.statuses: list[dict[str, Any]] = []
        self.deployments: list[dict[str, Any]] = []
        """The newest last; each with its `statuses`, the newest last."""
        self.default_branch = "main"
        self.uploads: list[Upload] = []
        self.commits: dict[str, Sequence[str]] = {}
        """Each commit's parents."""
        self.faults: list[Fault] = []
        self.calls: list[str] = []
        """Method and path with its query, in their order."""
        self.violations: list[str] = []
        """What GitHub's description, or its manual, has against a request, or against our own response."""
        self.lock = threading.Lock()

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if not call.startswith("GET ")]

    def say(self, issue: int, body: str, **more: Any) -> Comment:
        comment = Comment(len(self.comments) + 1, issue, body, **more)
        self.comments.append(comment)
        return comment

    def upload(self, run: int, sha: str, archive: bytes, **more: Any) -> Upload:
        one = Upload(run, sha, archive, id=9000 + len(self.uploads), **more)
        self.uploads.append(one)
        return one

    def take_fault(self, method: str, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.times and fault.method == method and re.search(fault.path, path):
                fault.times -= 1
                return fault
        return None

    def answer(self, method: str, path: str, query: dict[str, str], body: Any) -> tuple[int, Any, dict[str, str]]:
        """The status, the body and the headers of a response, after the request was carried out."""
        match method, path.removeprefix(f"/repos/{REPOSITORY}/").split("/"):
            case "GET", ["pulls"]:
                found = [_pull(pull) for pull in self.pulls if _fits(pull, query.get("head", ""))]
                return self._page(found, path, query)
            case "GET", ["issues", number, "comments"]:
                listed = [_comment(comment) for comment in self.comments if comment.issue == int(number)]
                return self._page(listed, path, query)
            case "POST", ["issues", number, "comments"]:
                return self._write(None, int(number), body["body"])
            case "PATCH", ["issues", "comments", number]:
                old = next((comment for comment in self.comments if comment.id == int(number)), None)
                return (404, error("Not Found", 404), {}) if old is None else self._write(old, old.issue, body["body"])
            case "POST", [("statuses" | "deployments") as what, *rest]:
                return self._status(rest[0], body) if what == "statuses" else self._deployed(rest, body)
        return self._kept(path, query) if method == "GET" else (404, error("Not Found", 404), {})

    def _kept(self, path: str, query: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        """What there is to ask of what runs have uploaded."""
        match path.removeprefix(f"/repos/{REPOSITORY}").split("/")[1:]:
            case []:
                return 200, made("full-repository", id=NUMBER, default_branch=self.default_branch), {}
            case ["actions", "artifacts"]:
                named = [one for one in reversed(self.uploads) if query.get("name", one.name) == one.name]
                status, page, headers = self._page([_artifact(one) for one in named], path, query)
                return status, {"total_count": len(named), "artifacts": page}, headers
            case ["actions", "artifacts", number, "zip"]:
                return 302, None, {"Location": f"{self.url}/stored/{number}?sig=a-key"}
            case ["actions", "runs", number]:
                runs = [_run(one) for one in self.uploads if one.run == int(number)]
                return (200, runs[0], {}) if runs else (404, error("Not Found", 404), {})
            case ["deployments"]:
                listed = [_deployment(one) for one in self._deployments_of(query)]
            case ["commits"] if query.get("sha") in self.commits:
                listed = [_commit(sha, self.commits[sha]) for sha in self._log(query["sha"])]
            case _:  # another repository, or one that the token may not see
                return 404, error("Not Found", 404), {}
        return self._page(listed, path, query)

    def _log(self, start: str) -> list[str]:
        """A commit and all that it comes from, as git lists them."""
        found, left = dict[str, None](), [start]
        while left:
            if (at := left.pop(0)) in self.commits and at not in found:
                found[at] = None
                left += self.commits[at]
        return list(found)

    def _write(self, old: Comment | None, issue: int, body: str) -> tuple[int, Any, dict[str, str]]:
        if len(body) > 65_536:
            return 422, invalid("body", "Body is too long (maximum is 65536 characters)"), {}
        if old is None:
            return 201, _comment(self.say(issue, body)), {}
        old.body = body
        return 200, _comment(old), {}

    def _status(self, sha: str, body: Any) -> tuple[int, Any, dict[str, str]]:
        if sha not in {pull.sha for pull in self.pulls}:
            return 422, invalid("sha", f"No commit found for SHA: {sha}"), {}
        if len(body.get("description") or "") > 140:
            return 422, invalid("description", "description is too long (maximum is 140 characters)"), {}
        self.statuses.append({"sha": sha, **body})
        return 201, made("status", **body), {}

    def _deployments_of(self, query: dict[str, str]) -> list[dict[str, Any]]:
        wanted = {name: query[name] for name in ("environment", "sha", "task") if name in query}
        return [one for one in reversed(self.deployments) if wanted.items() <= one.items()]

    def _deployed(self, rest: list[str], body: Any) -> tuple[int, Any, dict[str, str]]:
        """Make a deployment, or keep the status of one."""
        if rest:
            return self._deployment_status(int(rest[0]), body)
        if self.commits and body["ref"] not in self.commits:
            return 422, invalid("ref", f"No ref found for: {body['ref']}"), {}
        one = {**body, "id": len(self.deployments) + 71, "sha": body["ref"], "statuses": []}
        self.deployments.append(one)
        return 201, _deployment(one), {}

    def _deployment_status(self, number: int, body: Any) -> tuple[int, Any, dict[str, str]]:
        """Keep a status; one of success makes the others of its environment inactive, as GitHub does by itself."""
        if len(body.get("description") or "") > 140:
            return 422, invalid("description", "description is too long (maximum is 140 characters)"), {}
        (one,) = (one for one in self.deployments if one["id"] == number)
        one["statuses"].append(body)
        for other in self.deployments if body["state"] == "success" else ():
            if other is not one and other["environment"] == one["environment"] and states(other)[-1] == "success":
                other["statuses"].append({"state": "inactive"})
        return 201, made("deployment-status", **body), {}

    def _page(self, things: list[Any], path: str, query: dict[str, str]) -> tuple[int, Any, dict[str, str]]:
        size, page = int(query.get("per_page", "30")), int(query.get("page", "1"))
        last = max(1, -(-len(things) // size))
        headers = {}
        if page < last:
            to = [(page + 1, "next"), (last, "last")]
            more = "&".join(f"{name}={value}" for name, value in query.items() if name != "page")
            headers["Link"] = ", ".join(f'<{self.url}{path}?{more}&page={n}>; rel="{rel}"' for n, rel in to)
        return 200, things[(page - 1) * size : page * size], headers


def error(message: str, status: int) -> dict[str, str]:
    return {"message": message, "documentation_url": "https://docs.github.com/rest", "status": str(status)}


def invalid(name: str, message: str) -> dict[str, Any]:
    """A 422 as GitHub words it."""
    more = {"resource": "IssueComment", "code": "custom", "field": name, "message": message}
    return {**error("Validation Failed", 422), "errors": [more]}


def _fits(pull: Pull, head: str) -> bool:
    """Whether a pull request is of the branch `owner:name`; like GitHub, a filter of another form is no filter."""
    owner, colon, branch = head.partition(":")
    return not colon or ((pull.head or "").split("/")[0] == owner and pull.branch == branch)


def _pull(pull: Pull) -> Any:
    head = {"label": pull.branch, "ref": pull.branch, "sha": pull.sha, "user": None, "repo": None}
    if pull.head is not None:
        head["repo"] = made("repository", full_name=pull.head)
    return made("pull-request-simple", number=pull.number, head=head, state="open")


def _artifact(one: Upload) -> Any:
    run = {"id": one.run, "repository_id": NUMBER, "head_branch": one.branch or "", "head_sha": one.sha}
    if one.head is not None:
        run["head_repository_id"] = one.head
    digest = f"sha256:{hashlib.sha256(one.archive).hexdigest()}"
    told = {"id": one.id, "name": one.name, "expired": one.expired, "created_at": "2026-01-02T03:04:05Z"}
    return made("artifact", **told, digest=digest, workflow_run=run)


def _run(one: Upload) -> Any:
    ours = made("minimal-repository", id=NUMBER, full_name=REPOSITORY)
    theirs = None if one.head is None else ours | {"id": one.head}
    told = {"id": one.run, "event": one.event, "head_branch": one.branch, "head_sha": one.sha}
    return made("workflow-run", **told, repository=ours, head_repository=theirs)


def _commit(sha: str, parents: Sequence[str]) -> Any:
    return made("commit", sha=sha, parents=[{"sha": one, "url": "https://api.github.com/"} for one in parents])


def _deployment(one: Mapping[str, Any]) -> Any:
    kept = ("id", "sha", "ref", "task", "environment", "payload", "description")
    return made("deployment", **{name: one[name] for name in kept})


def states(deployment: Mapping[str, Any]) -> list[str]:
    """Return how a deployment went, the newest last."""
    return [status["state"] for status in deployment["statuses"]]


def _comment(comment: Comment) -> Any:
    user = made("simple-user", login=comment.user, type=comment.type)
    return made("issue-comment", id=comment.id, body=comment.body, user=user)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    github: FakeGithub

    def do_GET(self) -> None:
        self._serve()

    do_POST = do_PATCH = do_PUT = do_DELETE = do_GET  # noqa: N815 - the names that http.server looks for

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
        pass

    def _serve(self) -> None:
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        parts = urlsplit(self.path)
        with self.github.lock:
            self.github.calls.append(f"{self.command} {self.path}")
            if parts.path.startswith("/stored/"):
                self._store(parts.path)
                return
            fault = self.github.take_fault(self.command, parts.path)
            if fault is not None and not fault.after:
                self._fail(fault, parts.path)
                return
            status, body, headers = self._checked(parts.path, parts.query, content)
            if fault is not None:
                self._fail(fault, parts.path)
            else:
                self._say(status, body, headers, parts.path)

    def _store(self, path: str) -> None:
        """The store that artifacts are fetched from: another host, whose keys are in its addresses."""
        if self.headers.get("authorization"):
            self._complain("the token was sent to the store")
        fault = self.github.take_fault("GET", path)
        if fault is not None and not fault.status:
            self.close_connection = True
        elif fault is not None:
            self._send(fault.status, fault.raw or b"", fault.headers)
        else:
            (found,) = (one.archive for one in self.github.uploads if path == f"/stored/{one.id}")
            self._send(200, found, {"Content-Type": "application/zip"})

    def _checked(self, path: str, query: str, content: bytes) -> tuple[int, Any, dict[str, str]]:
        """Hold the request against the description; carry it out."""
        path = unquote(path)
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=bool(query))
        found = operation(self.command, path)
        if found is None:
            self._complain(f"{self.command} {path} is not described")
            return 404, error("Not Found", 404), {}
        body = json.loads(content) if content else None
        for told in [*request_complaints(self.command, *found, pairs, body), *self._header_complaints(content)]:
            self._complain(f"{self.command} {path}: {told}")
        if self.headers.get("authorization") != f"Bearer {self.github.token}":
            return 401, error("Bad credentials", 401), {}
        if not 1 <= int(dict(pairs).get("per_page", "30")) <= 100:
            self._complain("per_page is not from 1 to 100")
        return self.github.answer(self.command, path, dict(pairs), body)

    def _header_complaints(self, content: bytes) -> Iterator[str]:
        """What GitHub's manual asks for, which its description leaves out."""
        wanted = {"accept": "application/vnd.github+json", "x-github-api-version": "2022-11-28"}
        if content:
            wanted["content-type"] = "application/json"
        for name, value in wanted.items():
            if self.headers.get(name) != value:
                yield f"the header {name} is {self.headers.get(name)!r}, not {value!r}"
        if not self.headers.get("user-agent"):
            yield "there is no user-agent: GitHub answers 403"

    def _fail(self, fault: Fault, path: str) -> None:
        if not fault.status:
            self.close_connection = True
            return
        if fault.raw is not None:
            self._send(fault.status, fault.raw, fault.headers)
            return
        body = error(f"fault {fault.status}", fault.status) if fault.body is None else fault.body
        self._say(fault.status, body, fault.headers, path)

    def _say(self, status: int, body: Any, headers: Mapping[str, str], path: str) -> None:
        found = operation(self.command, unquote(path))
        if found is not None:
            for told in response_complaints(self.command, found[0], status, body):
                self._complain(f"our own {status} to {self.command} {path}: {told}")
        self._send(status, json.dumps(body).encode(), headers)

    def _send(self, status: int, content: bytes, headers: Mapping[str, str]) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json; charset=utf-8", **headers}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def _complain(self, told: str) -> None:
        self.github.violations.append(told)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: object, client_address: object) -> None:  # noqa: ARG002 - the server's signature
        problem = sys.exception()
        if not isinstance(problem, ConnectionError):  # a client may hang up
            self.RequestHandlerClass.github.violations.append(f"the fake itself failed: {problem!r}")  # type: ignore[attr-defined]


@contextmanager
def serving(token: str = TOKEN) -> Iterator[FakeGithub]:
    """A GitHub for one test, for who has the *token*. Afterwards nothing may have been against the description."""
    github = FakeGithub(token)
    server = _Server(("127.0.0.1", 0), type("Handler", (_Handler,), {"github": github}))
    github.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield github
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert not github.violations, "\n".join(github.violations)
