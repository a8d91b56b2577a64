"""A GitHub on this machine: one repository; every request and response is held against GitHub's own description."""

from __future__ import annotations

import json
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from tests.github_description import made, operation, request_complaints, response_complaints

REPOSITORY = "acme/model"
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

    def __init__(self) -> None:
        self.url = ""
        self.pulls: list[Pull] = []
        self.comments: list[Comment] = []
        self.statuses: list[dict[str, Any]] = []
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
            case "POST", ["statuses", sha]:
                return self._status(sha, body)
            case _:  # another repository, or one that the token may not see
                return 404, error("Not Found", 404), {}

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
            fault = self.github.take_fault(self.command, parts.path)
            if fault is not None and not fault.after:
                self._fail(fault, parts.path)
                return
            status, body, headers = self._checked(parts.path, parts.query, content)
            if fault is not None:
                self._fail(fault, parts.path)
            else:
                self._say(status, body, headers, parts.path)

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
        if self.headers.get("authorization") != f"Bearer {TOKEN}":
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
def serving() -> Iterator[FakeGithub]:
    """A GitHub for one test. Afterwards nothing may have been against the description."""
    github = FakeGithub()
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
