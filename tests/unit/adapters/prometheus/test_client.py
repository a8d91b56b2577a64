"""Prometheus' answers: what is not a whole, plain one is an error, and never a number."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest
from tests.support.fake_prometheus import NOW, FakePrometheus, dripping, endless, prometheus, send

from mlgate.adapters.prometheus.client import Prometheus, TimeGrid
from mlgate.core.errors import AdapterError

GRID = TimeGrid(NOW - 60, 15.0, 4)
FINE: dict[str, Any] = {
    "status": "success",
    "data": {"resultType": "matrix", "result": [{"metric": {"pod": "a"}, "values": [[NOW - 60, "1"], [NOW, "2"]]}]},
}
Reply = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def fake() -> Iterator[FakePrometheus]:
    with prometheus() as made:
        yield made


def with_data(**changed: Any) -> str:
    return json.dumps({**FINE, "data": {**FINE["data"], **changed}})


def values(*pairs: list[Any]) -> str:
    return with_data(result=[{"metric": {}, "values": list(pairs)}])


def test_series_are_read_by_their_place_in_time(fake: FakePrometheus) -> None:
    fake.counter("requests", lambda at: at - NOW + 100, pod="a")
    (one,) = Prometheus(fake.url).range('requests{pod="a"}', GRID)
    assert one.labels["pod"] == "a"
    assert one.samples == {0: 40.0, 1: 55.0, 2: 70.0, 3: 85.0, 4: 100.0}


def test_a_query_is_sent_as_a_form_with_the_headers_of_the_file(fake: FakePrometheus) -> None:
    Prometheus(fake.url, {"Authorization": "Bearer secret"}).range('a{b="c d&e"}', GRID)
    (asked,) = fake.asked
    assert asked["query"] == 'a{b="c d&e"}'
    assert asked["authorization"] == "Bearer secret"
    assert asked["content-type"] == "application/x-www-form-urlencoded"


def test_the_clock_is_asked_for(fake: FakePrometheus) -> None:
    fake.now = NOW + 5
    assert Prometheus(fake.url).now() == NOW + 5


def test_an_empty_answer_has_no_series(fake: FakePrometheus) -> None:
    assert Prometheus(fake.url).range("nothing{}", GRID) == ()


def says(body: str | bytes, status: int = 200, **headers: str) -> Reply:
    return lambda handler: send(handler, body, status, **headers)


def truncated(handler: BaseHTTPRequestHandler) -> None:
    send(handler, gzip.compress(json.dumps(FINE).encode())[:-4], Content_Encoding="gzip")


def too_long(handler: BaseHTTPRequestHandler) -> None:
    send(handler, b"", Content_Length=str(50 << 20))


@pytest.mark.parametrize(
    ("reply", "why"),
    [
        (
            says('{"status": "error", "error": "query timed out"}', 503),
            "refused the query (status 503): query timed out",
        ),
        (says('{"status": "error", "errorType": "bad_data", "error": "parse error"}'), "parse error"),
        (says(json.dumps({**FINE, "warnings": ["store a did not answer"]})), "may not be whole: ['store a did not"),
        (says("<html>Sign in</html>", Content_Type="text/html"), "no JSON object: <html>Sign in</html>"),
        (
            says("<html>Sign in</html>", 302, Location="/login"),
            "status 302 to /login (redirects are not followed: ask that address)",
        ),
        (says("no", 401), "status 401: no"),
        (says(json.dumps(FINE), 500), "status 500"),
        (says("[]"), "no JSON object"),
        (says(""), "no JSON object: empty"),
        (says("{"), "no JSON object"),
        (says("[" * 100_000), "no JSON object"),
        (says('{"status": "success"}'), "no matrix"),
        (says(with_data(resultType="vector")), "no matrix"),
        (says(with_data(result=None)), "no matrix"),
        (says(with_data(result=[1])), "cannot be read"),
        (says(with_data(result=[{"metric": {}}])), "cannot be read"),
        (says(with_data(result=[{"metric": [], "values": []}])), "cannot be read"),
        (says(values([NOW - 60, 1])), "a value that is no text"),
        (says(values([NOW - 60, "one"])), "cannot be read"),
        (says(values([NOW - 52, "1"])), "a time that was not asked for"),
        (says(values([NOW + 15, "1"])), "a time that was not asked for"),
        (says(values(["x", "1"])), "cannot be read"),
        (truncated, "no JSON object"),
        (too_long, "more than 16777216 are not taken"),
        (endless, "more than 16777216 bytes"),
    ],
)
def test_what_is_no_whole_answer_is_an_error(fake: FakePrometheus, reply: Reply, why: str) -> None:
    fake.reply = reply
    with pytest.raises(AdapterError) as caught:
        Prometheus(fake.url).range("requests{}", GRID)
    assert why in str(caught.value), str(caught.value)


@pytest.mark.parametrize("text", ["NaN", "+Inf", "-Inf", "Inf", "nan"])
def test_a_value_that_is_no_number_is_missing(fake: FakePrometheus, text: str) -> None:
    fake.reply = says(values([NOW - 60, text], [NOW - 45, "3"]))
    (one,) = Prometheus(fake.url).range("requests{}", GRID)
    assert one.samples == {1: 3.0}


def test_a_server_that_is_slow_or_not_there_is_an_error(fake: FakePrometheus) -> None:
    with pytest.raises(AdapterError, match="cannot be reached"):
        Prometheus("http://127.0.0.1:9").now()
    fake.reply = dripping
    with pytest.raises(AdapterError, match=r"no answer within 0\.5 s"):
        Prometheus(fake.url, timeout_s=0.5).now()


@pytest.mark.parametrize("result", ['[1800000000, "NaN"]', '["x"]', "[]", '[1, "+Inf"]'])
def test_a_clock_that_says_nothing_is_an_error(fake: FakePrometheus, result: str) -> None:
    fake.reply = says('{"status": "success", "data": {"resultType": "scalar", "result": ' + result + "}}")
    with pytest.raises(AdapterError, match="what time it is"):
        Prometheus(fake.url).now()


def test_a_secret_is_not_repeated(fake: FakePrometheus) -> None:
    fake.reply = says("token s3cret-token is not valid", 403)
    with pytest.raises(AdapterError) as caught:
        Prometheus(fake.url, {"Authorization": "Bearer s3cret-token"}).now()
    assert "s3cret" not in str(caught.value)
