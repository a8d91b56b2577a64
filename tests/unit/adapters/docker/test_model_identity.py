"""What stands for a served model: the same in years, another one where it is asked or started otherwise."""

from __future__ import annotations

import json
import os
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from mlgate.adapters.docker.hardening import SandboxOptions
from mlgate.adapters.docker.image import Image
from mlgate.adapters.docker.model_identity import of_image
from mlgate.adapters.http.address import Address
from mlgate.adapters.models.identity import of_endpoint
from mlgate.adapters.protocols.kserve import KServeV1, KServeV2
from mlgate.adapters.protocols.openai import OpenAIChat, OpenAICompletions
from mlgate.adapters.protocols.plain_json import PlainJson
from mlgate.adapters.protocols.protocol import HttpProtocol
from mlgate.config.sections.model import ModelSection
from mlgate.core.check import Json, Suite
from mlgate.core.identity import CURRENT_FORM, FIRST_FORM
from mlgate.wiring import models
from mlgate.wiring.images import Images

FORM1 = json.loads(Path("tests/golden/form1/models.json").read_text())
PARAMS: dict[str, Json] = {"temperature": 0, "stop": ["\n", "it's"], "name": "Zoë ☃", "none": None}
PROTOCOLS: dict[str, Any] = {
    "kserve-v1": KServeV1("m", "Say: {input}", PARAMS),
    "kserve-v2": KServeV2("m", "Say: {input}", PARAMS, "text"),
    "openai-chat": OpenAIChat("m", "Say: {input}", PARAMS),
    "openai-completions": OpenAICompletions("m", "Say: {input}", PARAMS),
    "json": PlainJson({"b": ["{input}", 1], "a": None}, "choices.0.text", "/route"),
}
STARTED = SandboxOptions("internal", 9000, 512, (1, 2), (0,), ("python", "-m", "x"), {"B": "1", "A": "2"}, True, "all")
HERE = Address.of("https://[::1]:8443/a/b?key=s3cret")
protocols = pytest.mark.parametrize("name", PROTOCOLS)


def digest(section: ModelSection, form: int) -> str:
    if section.image is None:
        return models.digest(section, Path(), Suite.of(()), form)
    images = Images(Path())
    images._found[section.image.model_dump_json(exclude_unset=True)] = Image(
        **{one.name: "sha256:" + "ab" * 32 if one.name == "id" else "" for one in fields(Image)}  # type: ignore[arg-type]
    )
    assert images.has(section)
    return images.digest(section, form)


@pytest.fixture(autouse=True)
def four_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {0, 1, 2, 3}, raising=False)


@pytest.mark.parametrize("one", FORM1, ids=lambda one: one["what"])
def test_a_model_of_form_1_is_known_by_the_digest_that_it_got(one: dict[str, Any]) -> None:
    section = ModelSection.model_validate(one["section"])
    assert digest(section, FIRST_FORM) == one["digest"]
    assert digest(section, CURRENT_FORM) != one["digest"]


def test_models_that_form_1_told_apart_are_told_apart() -> None:
    assert len({digest(ModelSection.model_validate(one["section"]), CURRENT_FORM) for one in FORM1}) == len(FORM1)


@protocols
def test_what_was_written_keeps_its_digest(name: str) -> None:
    pinned = {
        "kserve-v1": "f60ec1978f1a305148b9fd6077f6aed333a828b61477f1d2aa1114af2aa42fdb",
        "kserve-v2": "528a3aaebacc22b373601d7c048794fc0ebfa054991dad3c80bb4a58281177db",
        "openai-chat": "468d6f879390023c9e7d5ca21a5fa822b4bb9a4a7bbb4d30427a1e214f3a6818",
        "openai-completions": "27bd315a0abef56926d583f1265210b7838e7c3e08391d71ed9206be022acda7",
        "json": "4ac41dc2942bb38c98d8e878ac52ce08f5f131525bd3892e172ceb74c6ff3441",
    }
    assert of_endpoint(HERE, PROTOCOLS[name].identity) == pinned[name]


def test_an_image_keeps_its_digest() -> None:
    digest = of_image("sha256:" + "ab" * 32, PROTOCOLS["kserve-v1"].identity, STARTED, 2)
    assert digest == "b2f9c4c5178d5802e6202824c495d0d0e31e17d638afc728f49dcde1255099fe"


@protocols
def test_a_protocol_whose_class_is_called_otherwise_asks_the_same(name: str) -> None:
    one = PROTOCOLS[name]
    renamed = type("Another", (type(one),), {"__slots__": ()})(*(getattr(one, f.name) for f in fields(one)))
    assert repr(renamed) != repr(one)
    for form in (FIRST_FORM, CURRENT_FORM):
        assert of_endpoint(HERE, renamed.identity, form=form) == of_endpoint(HERE, one.identity, form=form)


@protocols
def test_whatever_makes_it_ask_otherwise_makes_it_another_model(name: str) -> None:
    one: HttpProtocol = PROTOCOLS[name]
    found = {of_endpoint(HERE, one.identity)}
    asking = [f.name for f in fields(one) if f.name != "stream"]  # type: ignore[arg-type]
    for field in asking:
        found.add(of_endpoint(HERE, replace(one, **{field: "other" if field != "params" else {}}).identity))  # type: ignore[type-var]
    assert len(found) == 1 + len(asking), "a field is not in `identity`: two models would be one"


@pytest.mark.parametrize("protocol", [OpenAIChat, OpenAICompletions])
def test_an_answer_in_pieces_is_the_same_models(protocol: Any) -> None:
    assert protocol("m", stream=True).identity == protocol("m").identity


def test_the_order_in_which_parameters_are_written_makes_no_other_model() -> None:
    turned = dict(reversed(PARAMS.items()))
    assert of_endpoint(HERE, KServeV1("m", params=turned).identity) == of_endpoint(
        HERE, KServeV1("m", params=PARAMS).identity
    )
    assert of_image("x", {}, replace(STARTED, env={"A": "2", "B": "1"}), 2) == of_image("x", {}, STARTED, 2)


def test_a_query_may_be_a_secret_and_a_port_may_be_left_out() -> None:
    asked = KServeV1("m").identity
    assert of_endpoint(Address.of("http://h/a?key=1"), asked) == of_endpoint(Address.of("http://h:80/a?key=2"), asked)
    others = ["http://h/a", "https://h/a", "http://h/b", "http://i/a", "http://h:81/a"]
    assert len({of_endpoint(Address.of(url), asked) for url in others}) == len(others)
    assert of_endpoint(HERE, asked, "kserve-v2-grpc") != of_endpoint(HERE, asked)


def test_an_image_is_the_same_on_another_machine_and_another_one_started_otherwise() -> None:
    asked = KServeV1("m").identity
    one = of_image("sha256:ab", asked, STARTED, 2)
    assert one == of_image("sha256:ab", asked, replace(STARTED, cpus=(5, 6), driver_cpus=(4,)), 2)
    edits: dict[str, Any] = {
        "mode": "open",
        "port": 1,
        "memory_mb": 513,
        "command": ("python",),
        "env": {},
        "tmp_exec": False,
        "gpus": 1,
    }
    of_this_machine = {"cpus", "driver_cpus", "shm_mb"}
    assert edits.keys() | of_this_machine == {one.name for one in fields(SandboxOptions)}, (
        "is the new one in `of_image`?"
    )
    others = [
        of_image("sha256:cd", asked, STARTED, 2),
        of_image("sha256:ab", KServeV1("n").identity, STARTED, 2),
        of_image("sha256:ab", asked, STARTED, 3),
        *(of_image("sha256:ab", asked, replace(STARTED, **{name: value}), 2) for name, value in edits.items()),
    ]
    assert len({one, *others}) == 1 + len(others)
