"""What bounds a question to GitHub, without a GitHub: a server that says what no API would."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from itertools import count

import pytest
from tests.support.raw_server import RawServer, Script, reply, said, serving

from mlgate.adapters.github import client
from mlgate.adapters.github.client import GithubClient
from mlgate.adapters.github.replies import Answer, Purpose
from mlgate.adapters.github.retries import Retries, longer, pause
from mlgate.core.errors import AdapterError, ConfigError

TOKEN = "ghs_secretOfThisTest"  # noqa: S105 - of no real GitHub
PURPOSE = Purpose("look", "contents: read")


def patient(waits: list[float] | None = None, clock: Iterator[float] | None = None) -> Retries:
    times = clock or iter(lambda: 0.0, None)
    return Retries(sleep=(waits if waits is not None else []).append, clock=lambda: next(times), now=lambda: 1000.0)


def ask(script: Script, *, path: str = "", target: str = "/x", patience: Retries | None = None) -> Answer | None:
    with serving(script) as server, GithubClient(server.url + path, TOKEN, patience or patient()) as line:
        return line.ask("POST", target, PURPOSE, {})  # the raw server reads only what has a length


def test_the_token_goes_in_one_header_and_the_api_s_path_comes_first() -> None:
    with serving(said(reply(b"[]"), keep=True)) as server, GithubClient(f"{server.url}/api/v3/", TOKEN) as line:
        assert line.ask("POST", "/repos/a/b/pulls?x=1", PURPOSE, {"body": "ünï\u2028"}) == Answer([])
    (asked,) = server.questions
    head, _, body = asked.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /api/v3/repos/a/b/pulls?x=1 HTTP/1.1\r\n")
    assert asked.count(TOKEN.encode()) == 1
    assert b"\r\nauthorization: Bearer " in head
    assert json.loads(body) == {"body": "ünï\u2028"}


@pytest.mark.parametrize(
    "link",
    [
        '<{url}/repositories/17/issues/7/comments?page=2>; rel="next"',
        '<{url}/x?page=9>; rel="last", <{url}/repositories/17/issues/7/comments?page=2>; rel="next"',
        "<{url}/repositories/17/issues/7/comments?page=2>; rel=next",
    ],
)
def test_the_next_page_is_where_github_says(link: str) -> None:
    servers: list[RawServer] = []

    def script(connection: socket.socket, _: int) -> bool:
        connection.sendall(reply(b"[]", more=f"Link: {link.format(url=servers[0].url)}\r\n"))
        return False

    with serving(script) as server, GithubClient(server.url, TOKEN, patient()) as line:
        servers.append(server)
        answer = line.ask("POST", "/x", PURPOSE, {})
    assert answer is not None
    assert answer.next == "/repositories/17/issues/7/comments?page=2"


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/x?page=2",
        "http://127.0.0.1:1/x",
        "http://user@127.0.0.1/x",
        "//evil.example/x",
        "/x?page=2",
        "file:///x",
        "http://169.254.169.254/x",
    ],
)
def test_the_token_never_follows_a_next_page_to_another_host(link: str) -> None:
    with pytest.raises(AdapterError, match="a next page that is not its own") as caught:
        ask(said(reply(b"[]", more=f'Link: <{link}>; rel="next"\r\n')))
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("status", ["301 Moved Permanently", "302 Found", "307 Temporary Redirect"])
def test_a_redirect_is_an_error_and_not_followed(status: str) -> None:
    with (
        serving(said(reply(b"", status, "Location: /y\r\n"))) as server,
        GithubClient(server.url, TOKEN) as line,
        pytest.raises(AdapterError, match="a redirect, which is not followed: was the repository renamed"),
    ):
        line.ask("POST", "/x", PURPOSE, {})
    assert len(server.questions) == 1


def test_a_reply_that_never_ends_is_cut_off(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "LARGEST_REPLY", 1 << 20)
    with pytest.raises(AdapterError, match="more than 1 MB"):
        ask(said(reply(b" " * (2 << 20))))


def test_a_reply_that_trickles_is_cut_off() -> None:
    with pytest.raises(AdapterError, match="not whole within 30 s"):
        ask(said(reply(b"[" + b" " * (1 << 20))), patience=patient(clock=(20.0 * n for n in count())))


@pytest.mark.parametrize(
    "data",
    [b"", b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n[", b"\x00\xff", b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * 500],
)
def test_half_a_reply_is_asked_for_again_and_then_told(data: bytes) -> None:
    waits: list[float] = []
    with pytest.raises(AdapterError, match="could not look: the connection to http://127") as caught:
        ask(said(data), patience=patient(waits))
    assert waits == [1, 3, 9]
    assert caught.value.hint == "run this job again later"


def test_time_that_failed_tries_take_counts() -> None:
    waits: list[float] = []
    asked: list[int] = []

    def slow(connection: socket.socket, number: int) -> bool:
        asked.append(number)
        connection.sendall(reply(b"{}", "502 Bad Gateway"))
        return True

    with pytest.raises(AdapterError):
        ask(slow, patience=Retries(sleep=waits.append, clock=lambda: 25.0 * len(asked)))
    assert (waits, len(asked)) == ([1, 3], 3)


def test_an_error_of_github_is_one_short_line_without_the_token() -> None:
    body = json.dumps({"message": f"no\n::error::{TOKEN}" + "x" * 10_000}).encode()
    with pytest.raises(AdapterError) as caught:
        ask(said(reply(body, "422 Unprocessable Entity")))
    assert TOKEN not in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 500


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "GitHub answers 418: nothing"),
        (b"<html>teapot</html>", "GitHub answers 418: <html>teapot</html>"),
        (b'{"message": 7}', 'GitHub answers 418: {"message": 7}'),
        (b'{"message": "no", "errors": ["a", {"field": "b", "code": "c"}, 7]}', "GitHub answers 418: no, a, b c"),
        (b'{"message": "no", "errors": "d"}', "GitHub answers 418: no"),
    ],
)
def test_an_error_of_any_form_is_told(body: bytes, told: str) -> None:
    with pytest.raises(AdapterError) as caught:
        ask(said(reply(body, "418 I'm a teapot")))
    assert caught.value.message == f"could not look: {told}"


@pytest.mark.parametrize(
    ("status", "headers", "seconds"),
    [
        (200, {}, None),
        (404, {"retry-after": "5"}, None),
        (403, {}, None),
        (403, {"x-ratelimit-remaining": "12"}, None),
        (403, {"retry-after": "5"}, 5),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1030"}, 30),
        (403, {"x-ratelimit-remaining": "0"}, 1),
        (429, {"retry-after": "Wed, 21 Oct 2026 07:28:00 GMT"}, 15),
        (429, {"retry-after": "-5"}, 15),
        (429, {"retry-after": "9" * 400}, 15),
        (500, {}, 1),
        (503, {}, 1),
    ],
)
def test_github_s_own_word_says_how_long_to_wait(status: int, headers: dict[str, str], seconds: float | None) -> None:
    assert pause(status, headers, 0, 1000.0) == seconds


def test_pauses_grow() -> None:
    assert [longer(attempt) for attempt in range(3)] == [1, 3, 9]


@pytest.mark.parametrize("token", ["", "two words", "line\nbreak", "tokén", "x" * 5000])
def test_a_token_that_would_be_more_than_a_header_is_refused_unseen(token: str) -> None:
    with pytest.raises(ConfigError) as caught:
        GithubClient("https://api.github.com", token)
    assert not token or token not in str(caught.value)


@pytest.mark.parametrize(
    "url", ["https://api.github.com", "https://ghe.example/api/v3", "http://localhost:1", "http://[::1]:1"]
)
def test_an_api_over_tls_or_on_this_machine_may_be_asked(url: str) -> None:
    GithubClient(url, TOKEN)


@pytest.mark.parametrize(
    "url",
    [
        "http://api.github.com",
        "http://10.0.0.1",
        "https://a:b@api.github.com",
        "https://api.github.com/?a=b",
        "ftp://x",
        "",
    ],
)
def test_any_other_api_is_refused(url: str) -> None:
    with pytest.raises(ConfigError) as caught:
        GithubClient(url, TOKEN)
    assert caught.value.where == "GITHUB_API_URL"
