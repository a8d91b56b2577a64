"""The fake GitHub complains: what it lets pass would be a promise that nobody keeps."""

from __future__ import annotations

import contextlib
import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.support.fake_github import TOKEN, FakeGithub, Fault, Pull, serving
from tests.support.github_description import FILE, complaints, made, operation
from tests.support.waiting import PATIENCE

pytestmark = pytest.mark.needs_openapi

REPO = "/repos/acme/model"
GOOD = {
    "accept": "application/vnd.github+json",
    "authorization": f"Bearer {TOKEN}",
    "user-agent": "x",
    "x-github-api-version": "2022-11-28",
    "content-type": "application/json",
}


def ask(github: FakeGithub, method: str, target: str, body: Any = None, **headers: str) -> tuple[int, Any]:
    connection = http.client.HTTPConnection(urlsplit(github.url).netloc, timeout=PATIENCE)
    try:
        content = None if body is None else json.dumps(body)
        sent = {**GOOD, **{name.replace("_", "-"): value for name, value in headers.items()}}
        connection.request(method, target, content, {name: value for name, value in sent.items() if value})
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        connection.close()


@pytest.mark.parametrize(
    ("method", "target", "body", "headers", "complaint"),
    [
        ("GET", f"{REPO}/pulls?state=opened", None, {}, "state: $: 'opened' is not one of"),
        ("GET", f"{REPO}/pulls?per_page=many", None, {}, "per_page: $: 'many' is not of type 'integer'"),
        ("GET", f"{REPO}/pulls?sha=1", None, {}, "the query has sha, which is unknown"),
        ("GET", f"{REPO}/pulls?per_page=101", None, {}, "per_page is not from 1 to 100"),
        ("GET", f"{REPO}/pulls", {"state": "open"}, {}, "there is a body"),
        ("GET", f"{REPO}/issues/seven/comments", None, {}, "issue_number: $: 'seven' is not of type 'integer'"),
        ("POST", f"{REPO}/issues/7/comments", {"text": "x"}, {}, "'body' is a required property"),
        ("POST", f"{REPO}/issues/7/comments", {"body": 7}, {}, "7 is not of type 'string'"),
        ("POST", f"{REPO}/issues/7/comments", {"body": "x", "to": "y"}, {}, "the body has to, which is unknown"),
        ("POST", f"{REPO}/statuses/{'0' * 40}", {"state": "passed"}, {}, "'passed' is not one of"),
        ("PUT", f"{REPO}/issues/comments/7", {"body": "x"}, {}, "is not described"),
        ("GET", f"{REPO}/comment", None, {}, "is not described"),
        ("GET", f"{REPO}/pulls", None, {"accept": "*/*"}, "the header accept is '*/*'"),
        ("GET", f"{REPO}/pulls", None, {"x_github_api_version": ""}, "the header x-github-api-version is None"),
        ("GET", f"{REPO}/pulls", None, {"user_agent": ""}, "there is no user-agent"),
        ("POST", f"{REPO}/issues/7/comments", {"body": "x"}, {"content_type": "text/plain"}, "the header content-type"),
    ],
)
def test_what_github_s_description_has_against_a_request_is_told(
    method: str, target: str, body: Any, headers: dict[str, str], complaint: str
) -> None:
    with serving() as github:
        with contextlib.suppress(http.client.HTTPException, ConnectionError):  # it may stumble, after it complained
            ask(github, method, target, body, **headers)
        assert complaint in github.violations[0]
        github.violations.clear()


def test_what_it_has_against_a_response_is_told() -> None:
    with serving() as github:
        github.faults = [Fault("GET", "/pulls", 200, body=[{"number": 7}]), Fault("GET", "/pulls", 418)]
        ask(github, "GET", f"{REPO}/pulls")
        ask(github, "GET", f"{REPO}/pulls")
        assert "is a required property" in github.violations[0]
        assert "418 is not described" in github.violations[-1]
        github.violations.clear()


def test_a_test_that_breaks_the_description_fails() -> None:
    with pytest.raises(AssertionError, match="unknown"), serving() as github:
        ask(github, "GET", f"{REPO}/pulls?sha=1")


def test_everything_the_fake_answers_is_as_described() -> None:
    with serving() as github:
        github.pulls.append(Pull(7, "0" * 40))
        assert ask(github, "GET", f"{REPO}/pulls?state=open&head=acme:feature")[1][0]["number"] == 7
        status, comment = ask(github, "POST", f"{REPO}/issues/7/comments", {"body": "x"})
        assert status == 201
        assert ask(github, "PATCH", f"{REPO}/issues/comments/{comment['id']}", {"body": "y"})[0] == 200
        assert ask(github, "GET", f"{REPO}/issues/7/comments")[1][0]["body"] == "y"
        assert ask(github, "POST", f"{REPO}/statuses/{'0' * 40}", {"state": "success", "target_url": None})[0] == 201
        assert ask(github, "POST", f"{REPO}/statuses/{'1' * 40}", {"state": "success"})[0] == 422
        assert ask(github, "PATCH", f"{REPO}/issues/comments/99", {"body": "y"})[0] == 404
        assert ask(github, "GET", "/repos/other/model/pulls")[0] == 404
        assert ask(github, "GET", f"{REPO}/pulls", authorization="Bearer other")[0] == 401


def test_null_passes_only_where_the_description_says_so() -> None:
    body = made("pull-request-simple")
    reference = "#/components/schemas/pull-request-simple"
    assert complaints({**body, "body": None}, reference) == []
    assert complaints({**body, "title": None}, reference) == ["$.title: None is not of type 'string'"]


def test_a_literal_path_goes_before_a_parameter() -> None:
    found = operation("PATCH", f"{REPO}/issues/comments/7")
    assert found is not None
    assert found[0] == "/repos/{owner}/{repo}/issues/comments/{comment_id}"


def test_the_description_is_the_one_that_was_reviewed() -> None:
    assert FILE.name == "api.github.com-23.0.2.json"
