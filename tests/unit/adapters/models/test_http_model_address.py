"""Where an endpoint may be, and what is asked of it."""

from __future__ import annotations

import ipaddress
import socket
from typing import Any

import pytest
from tests.support.waiting import PATIENCE

from mlgate.adapters.http import address
from mlgate.adapters.http.address import Address, refuse_forbidden
from mlgate.adapters.models.http_model import HttpModel
from mlgate.adapters.protocols.kserve import KServeV1
from mlgate.adapters.protocols.openai import OpenAIChat
from mlgate.core.check import Example
from mlgate.core.errors import ConfigError, Refused


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "gopher://127.0.0.1:70/x",
        "unix:/run/model.sock",
        "127.0.0.1:8080",
        "http://",
        "http://user:pw@host/",
        "http://user@host/",
        "http://host/a\r\nX-Evil: 1",
        "http://host/a b",
        "http://host/ü",
        "http://host:99999/",
        "http://host:port/",
        "http://[::1/",
        "http://host/#part",
        "",
    ],
)
def test_an_address_that_cannot_be_used_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigError) as error:
        Address.of(url)
    assert "pw" not in str(error.value), "what may be a password is not repeated"


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "[64:ff9b::a9fe:a9fe]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "100.100.100.200",
        "0.0.0.0",  # noqa: S104 - refused
        "[::]",
        "224.0.0.1",
        "2130706433",
        "0x7f000001",
        "127.1",
        "0251.0376.0251.0376",
    ],
)
def test_a_metadata_service_or_an_address_in_disguise_is_refused(host: str) -> None:
    with pytest.raises(Refused):
        Address.of(f"http://{host}:80/latest/meta-data/")


@pytest.mark.parametrize("host", ["127.0.0.1", "[::1]", "10.1.2.3", "model.default.svc.cluster.local", "8.8.8.8"])
def test_ordinary_hosts_are_taken(host: str) -> None:
    assert str(Address.of(f"http://{host}")) == f"http://{host}:80"


def test_a_name_that_leads_to_a_forbidden_address_is_refused_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # No name may lead to a link-local address on every machine that runs tests: forbid loopback instead.
    monkeypatch.setattr(address, "_METADATA", {ipaddress.ip_address("127.0.0.1"), ipaddress.ip_address("::1")})
    with socket.create_server(("127.0.0.1", 0)) as listener:
        model = HttpModel(f"http://localhost:{listener.getsockname()[1]}", KServeV1("m"), timeout_s=PATIENCE)
        with pytest.raises(Refused, match="no endpoint"):
            list(model.answer([Example("a", "x")]))
        connection, _ = listener.accept()
        with connection:
            assert connection.recv(1) == b""


def test_a_scope_does_not_hide_a_link_local_address() -> None:
    with pytest.raises(Refused):
        refuse_forbidden("fe80::1%eth0")


@pytest.mark.parametrize(
    ("url", "path", "target"),
    [
        ("http://h", "/v1/chat/completions", "/v1/chat/completions"),
        ("http://h/", "/v1/chat/completions", "/v1/chat/completions"),
        ("http://h/openai", "/v1/chat/completions", "/openai/v1/chat/completions"),
        ("http://h/openai/", "/v1/chat/completions", "/openai/v1/chat/completions"),
        ("http://h/openai/v1", "/v1/chat/completions", "/openai/v1/chat/completions"),
        ("http://h/openai/v1/chat/completions", "/v1/chat/completions", "/openai/v1/chat/completions"),
        ("http://h/x?api-version=2", "/v1/completions", "/x/v1/completions?api-version=2"),
        ("http://h/predict/", "", "/predict/"),
        ("http://h", "", "/"),
    ],
)
def test_a_protocols_path_goes_behind_the_urls_own(url: str, path: str, target: str) -> None:
    assert Address.of(url).target(path) == target


@pytest.mark.parametrize(
    "headers",
    [
        {"X": "s3cret\r\nEvil: 1"},
        {"X": "s3cret\u20ac"},
        {"X Y": "s3cret"},
        {"": "s3cret"},
        {"Content-Length": "s3cret"},
        {"transfer-encoding": "s3cret"},
    ],
)
def test_a_header_that_cannot_be_sent_is_a_configuration_error_without_its_value(headers: dict[str, str]) -> None:
    with pytest.raises(ConfigError) as error:
        HttpModel("http://h", KServeV1("m"), headers=headers)
    assert "s3cret" not in str(error.value)


def test_a_batch_for_a_protocol_of_single_questions_is_a_configuration_error() -> None:
    with pytest.raises(ConfigError, match="openai-chat carries one input a request"):
        HttpModel("http://h", OpenAIChat("m"), batch=2)


@pytest.mark.parametrize(
    "options", [{"concurrency": 0}, {"batch": 0}, {"retries": -1}, {"timeout_s": 0}, {"timeout_s": float("nan")}]
)
def test_settings_that_make_no_sense_are_configuration_errors(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError):
        HttpModel("http://h", KServeV1("m"), **options)


def test_the_digest_tells_where_and_how_and_no_secret() -> None:
    plain = HttpModel("http://h/a", KServeV1("m")).digest
    assert plain == HttpModel("http://h:80/a", KServeV1("m"), headers={"A": "b"}, concurrency=9).digest
    assert (
        len({plain, HttpModel("http://h/b", KServeV1("m")).digest, HttpModel("http://h/a", KServeV1("n")).digest}) == 3
    )
