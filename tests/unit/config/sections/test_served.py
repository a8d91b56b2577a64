"""What is sent to a server is what the file says: nothing in it is dropped, or sent literally by mistake."""

from __future__ import annotations

import pytest
from tests.unit.config.small import ENDPOINT, config, told


@pytest.mark.parametrize(
    "prompt",
    [
        r"\\frac{a}{b}: {input}",
        "Answer as JSON, e.g. { answer: 1 } or { answer }: {input}",
        '{\\"answer\\": 1} {input}',
        "{input} {input}",
        "{} {0} {input}",
    ],
)
def test_braces_that_are_meant_reach_the_model(prompt: str) -> None:
    found = config(model=ENDPOINT.format(f'openai-chat, prompt: "{prompt}"')).model.endpoint
    assert found is not None
    assert "{input}" in found.prompt


@pytest.mark.parametrize("name", ["question", "context", "reference", "meta.lang", "Input"])
def test_a_place_that_nothing_fills_is_refused_wherever_it_stands(name: str) -> None:
    for protocol in (
        f'openai-chat, prompt: "{{{name}}} {{input}}"',
        f'json, answer: a, request: {{a: "{{input}}", b: ["{{{name}}}"]}}',
    ):
        said = told(model=ENDPOINT.format(protocol))
        assert f"has {{{name}}}, which nothing fills" in said
        assert "(write {input}" in said


@pytest.mark.parametrize(
    ("protocol", "key"),
    [
        *(("openai-chat", key) for key in ("messages", "model", "stream", "prompt")),
        *(("openai-completions", key) for key in ("messages", "model", "stream", "prompt")),
        *((protocol, key) for protocol in ("kserve-v1", "kserve-v2") for key in ("instances", "inputs")),
    ],
)
def test_a_parameter_that_mlgate_itself_sends_is_refused(protocol: str, key: str) -> None:
    said = told(model=ENDPOINT.format(f"{protocol}, params: {{{key}: x}}"))
    assert f"params.{key} has no effect: mlgate itself sends `{key}`" in said


def test_parameters_are_refused_where_they_are_not_sent() -> None:
    said = told(model=ENDPOINT.format("kserve-v2-grpc, params: {temperature: 0}"))
    assert "params has no effect: with protocol kserve-v2-grpc no parameters are sent" in said
