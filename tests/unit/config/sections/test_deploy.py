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


ANALYSIS = "analysis: {prometheus: http://p:9090, rules: {error_rate: {max: 0.01, max_rise: 0.1}}}"


MARK = "{name: x-group, value: beta}"


def test_an_audience_stands_in_for_the_steps() -> None:
    for steps in ("", ", steps: [100]"):
        section = parse(FILE.format(f"audience: {{cookie: {MARK}}}{steps}, {ANALYSIS}"), "mlgate.yaml").document.deploy
        assert section is not None
        assert section.audience is not None
        assert section.audience.cookie is not None
        assert section.audience.cookie.value == "beta"


def test_with_a_shadow_one_step_is_enough_to_compare() -> None:
    with pytest.raises(ConfigError, match="with one step they never do"):
        parse(FILE.format(f"steps: [100], {ANALYSIS}"), "mlgate.yaml")
    section = parse(FILE.format(f"steps: [100], shadow: 5m, url: http://gate, {ANALYSIS}"), "mlgate.yaml")
    assert section.document.deploy is not None
    assert section.document.deploy.shadow is not None
    assert section.document.deploy.shadow.total_seconds() == 300


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
        ("shadow: 10m", "needs `url`: the gateway is tried there"),
        ("shadow: 10m, url: http://gate", "needs `analysis`: nobody gets the answers"),
        ("shadow: 10m, mode: replicas", "cannot be had with mode replicas"),
        ("shadow: 10", "must have a unit"),
        ("audience: {}", "needs exactly one of header and cookie"),
        (f"audience: {{header: {MARK}, cookie: {MARK}}}", "needs exactly one of header and cookie"),
        (f"audience: {{header: {MARK}}}, steps: [5, 100]", "must be [100] with an `audience`"),
        (f"audience: {{header: {MARK}}}, mode: knative", "cannot be had with mode knative"),
        (f"audience: {{header: {MARK}}}, shadow: 5m, url: http://g, {ANALYSIS}", "is not for an `audience`"),
        ("audience: {header: {name: Cookie, value: b}}", "cannot be Cookie"),
        ("audience: {header: {name: X-Mlgate-Variant, value: b}}", "cannot be X-Mlgate-Variant"),
        ("audience: {cookie: {name: group, value: 'b; c'}}", "must be a text of letters"),
        ("audience: {cookie: {name: 'gr.*(', value: b}}", "must be a name of letters"),
        (f"audience: {{header: {MARK}}}, hold: 2h, deadline: 4h", "they last 240 minutes at least"),
        (f"shadow: 3h, url: http://gate, deadline: 3h, {ANALYSIS}", "they last 210 minutes at least"),
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
