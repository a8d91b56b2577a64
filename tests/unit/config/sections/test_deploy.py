"""What the `deploy` section takes, and what it says of what it does not."""

from __future__ import annotations

import pytest

from mlgate.config.load import parse
from mlgate.core.errors import ConfigError

FILE = """\
version: 1
model: {{image: {{ref: acme/summarizer, protocol: kserve-v2}}}}
checks: {{speed: {{kind: latency, data: a.jsonl, load: {{rate: 5, duration: 20s}}, rules: {{p50_ms: {{max: 9}}}}}}}}
deploy: {{service: summarizer, manifest: m.yaml, {}}}
"""


def test_what_is_left_out_has_a_default() -> None:
    section = parse(FILE.format("mode: auto"), "mlgate.yaml").document.deploy
    assert section is not None
    assert section.steps == (5, 25, 100)
    assert section.mode == "auto"
    assert section.hold.total_seconds() == 600


def test_a_gateways_name_is_enough() -> None:
    section = parse(FILE.format("gateway: kserve/gate"), "mlgate.yaml").document.deploy
    assert section is not None
    assert section.gateway is not None
    assert section.gateway.paths == ("/",)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("steps: [5, 25]", "must end with 100"),
        ("steps: [25, 5, 100]", "must be more than the step before"),
        ("steps: []", "is empty"),
        ("steps: [0, 100]", "at least 1"),
        ("mode: route", "needs `gateway` with mode route"),
        ("mode: blue-green", "blue-green"),
        ("checks: [speed]", "needs `url`"),
        ("checks: [sped], url: http://gate", "is no check of this file"),
        ("hold: 90m, deadline: 2h", "is over before the steps are"),
        ("gateway: {name: Kserve/Gate}", "must be a gateway's name"),
        ("gateway: {name: gate, hosts: [UPPER]}", "is no host name"),
        ("namespace: a_b", "must be a namespace's name"),
        ("service: Summarizer", "given twice"),
        ("max_age: 3", "must have a unit"),
    ],
)
def test_a_mistake_is_told_where_it_is(written: str, says: str) -> None:
    with pytest.raises(ConfigError) as raised:
        parse(FILE.format(written), "mlgate.yaml")
    told = [raised.value, *raised.value.more]
    assert any(says in one.message for one in told)
    assert all(one.where.startswith("mlgate.yaml:") for one in told)


def test_only_an_image_is_deployed() -> None:
    text = FILE.format("mode: auto").replace("image: {ref: acme/summarizer, ", "endpoint: {url: http://h, ")
    with pytest.raises(ConfigError, match="deploys the image that was judged"):
        parse(text, "mlgate.yaml")
