"""What `deploy.analysis` takes, and what it says of what could never be judged."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlgate.config.config import Config
from mlgate.config.load import parse
from mlgate.config.translate.rules import analysis_rules
from mlgate.core.check import Bound, Rule
from mlgate.core.errors import ConfigError

FILE = """\
version: 1
model: {{image: {{ref: acme/summarizer, protocol: kserve-v2}}}}
checks: {{speed: {{kind: latency, data: a.jsonl, load: {{rate: 5, duration: 20s}}, rules: {{p50_ms: {{max: 9}}}}}}}}
deploy:
  service: summarizer
  manifest: m.yaml
  steps: {}
  analysis:
    prometheus: {}
    rules: {}
"""
URL = "http://prometheus:9090"


def read(rules: str, prometheus: str = URL, steps: str = "[5, 100]") -> Config:
    return parse(FILE.format(steps, prometheus, rules), "mlgate.yaml")


def test_an_address_and_rules_are_enough() -> None:
    config = read("{error_rate: {max: 0.01, max_rise: 0.005}, p95_ms: {max_rise: 10%}, requests: {min: 500}}")
    assert config.document.deploy is not None
    found = config.document.deploy.analysis
    assert found is not None
    assert found.prometheus.url == URL
    assert (found.prometheus.source, found.prometheus.interval.total_seconds()) == ("kserve", 15)
    rules = analysis_rules(config, found)
    assert all(one.where.startswith("mlgate.yaml:10:") for one in rules)
    assert tuple(replace(one, where="") for one in rules) == (
        Rule("error_rate", Bound.MAX, 0.01),
        Rule("error_rate", Bound.MAX_RISE, 0.005),
        Rule("p95_ms", Bound.MAX_RISE, 0.1, relative=True),
        Rule("requests", Bound.MIN, 500.0),
    )


def test_a_better_candidate_can_be_asked_for() -> None:
    config = read("{error_rate: {max: 0.01, superior: true}, p95_ms: {superior: true}}")
    assert config.document.deploy is not None
    assert config.document.deploy.analysis is not None
    rules = analysis_rules(config, config.document.deploy.analysis)
    assert [(one.metric, one.limit_text) for one in rules] == [
        ("error_rate", "max 0.01"),
        ("error_rate", "superior"),
        ("p95_ms", "superior"),
    ]


def own(*, requests: str = "", errors: str = "['e{pod=~\"$pods\"}']") -> str:
    return f"{{url: {URL}, metrics: {{requests: [{requests!r}], errors: {errors}}}}}"


@pytest.mark.parametrize(
    ("rules", "prometheus", "steps", "says"),
    [
        ("{}", URL, "[5, 100]", "is empty"),
        ("{rougeL: {min: 0.3}}", URL, "[5, 100]", "is not known of users' requests"),
        ("{mean_ms: {max: 9}}", URL, "[5, 100]", "is not known of users' requests"),
        ("{ttft_p95_ms: {max: 9}}", URL, "[5, 100]", "is not known of users' requests"),
        ("{error_rate: {min: 0.1}}", URL, "[5, 100]", "is no bound of error_rate"),
        ("{p95_ms: {max_drop: 1%}}", URL, "[5, 100]", "is no bound of p95_ms"),
        ("{requests: {max: 100}}", URL, "[5, 100]", "is no bound of requests"),
        ("{error_rate: {max_rise: 0.5%}}", URL, "[5, 100]", "would be 0.5% of the error rate that is there"),
        ("{error_rate: {max: 1}}", URL, "[5, 100]", "can never be kept, or never be broken"),
        ("{error_rate: {max: 0}}", URL, "[5, 100]", "can never be kept, or never be broken"),
        ("{p95_ms: {max: 0}}", URL, "[5, 100]", "can never be kept, or never be broken"),
        ("{p95_ms: {max: 300, max_rise: 10%}}", URL, "[100]", "with one step they never do"),
        ("{p95_ms: {max_rise: 10%}}", URL, "[5, 100]", "holds nothing in the last step"),
        ("{error_rate: {superior: true}}", URL, "[5, 100]", "holds nothing in the last step"),
        ("{error_rate: {max: 0.1, superior: true}}", URL, "[100]", "with one step they never do"),
        ("{error_rate: {max: 0.1, superior: false}}", URL, "[5, 100]", "can only be true"),
        ("{error_rate: {max: 0.1, superior: 5%}}", URL, "[5, 100]", "must be true or false"),
        ("{requests: {superior: true}}", URL, "[5, 100]", "is no bound of requests"),
        ("{requests: {min: 0}, p95_ms: {max: 9}}", URL, "[5, 100]", "can never be broken"),
        ("{p95_ms: {max: 9}}", f"{{url: {URL}, source: triton}}", "[5, 100]", "Triton has no histogram"),
        ("{p95_ms: {max: 9}}", "prometheus:9090", "[5, 100]", "must begin with http"),
        ("{p95_ms: {max: 9}}", "http://user:word@prometheus", "[5, 100]", "must not hold a user"),
        ("{error_rate: {max: 0.1}}", own(requests="requests_total"), "[5, 100]", "must be a counter with its labels"),
        ("{error_rate: {max: 0.1}}", own(requests='sum(r{pod=~"$pods"})'), "[5, 100]", "must be a counter"),
        ("{error_rate: {max: 0.1}}", own(requests='r{pod=~"$pods"}[5m]'), "[5, 100]", "must be a counter"),
        ("{error_rate: {max: 0.1}}", own(requests='r{pod=~"$pods"} or vector(0)'), "[5, 100]", "must be a counter"),
        ("{error_rate: {max: 0.1}}", own(requests='r{app="x"}'), "[5, 100]", "must name the model"),
        ("{error_rate: {max: 0.1}}", own(requests='r{pod=~"$pods"}', errors="[]"), "[5, 100]", "is empty"),
        (
            "{error_rate: {max: 0.1}}",
            own(requests='r{pod=~"$pods"}').replace("metrics", "source: istio, metrics"),
            "[5, 100]",
            "is not for `metrics` of your own",
        ),
    ],
)
def test_a_mistake_is_told_where_it_is(rules: str, prometheus: str, steps: str, says: str) -> None:
    with pytest.raises(ConfigError) as raised:
        read(rules, prometheus, steps)
    told = [raised.value, *raised.value.more]
    assert any(says in one.message for one in told), [one.message for one in told]
    assert all(one.where.startswith("mlgate.yaml:") for one in told)


def test_a_check_cannot_ask_for_better() -> None:
    with pytest.raises(ConfigError, match=r"superior") as raised:
        parse(FILE.format("[5, 100]", URL, "{p95_ms: {max: 9}}").replace("max: 9", "superior: true", 1), "mlgate.yaml")
    assert raised.value.message == "checks.speed.rules.p50_ms.superior is unknown"
    assert "max_drop" in raised.value.hint


def test_one_step_is_enough_for_limits() -> None:
    assert read("{error_rate: {max: 0.01}}", steps="[100]").document.deploy is not None


def test_a_selector_of_ones_own_may_have_braces_and_quotes_in_its_labels() -> None:
    read("{error_rate: {max: 0.01}}", own(requests='r{pod=~"$pods",path="/v{1}"}'))


def test_online_checks_can_decide_only_where_there_are_some() -> None:
    words = FILE.format("[5, 100]", URL, "{error_rate: {max: 0.01}}") + "    on_inconclusive: checks\n"
    with pytest.raises(ConfigError, match="needs `checks` to decide"):
        parse(words, "mlgate.yaml")
    parse(words.replace("  steps:", "  url: http://a.example.com\n  checks: [speed]\n  steps:"), "mlgate.yaml")
    better = words.replace("{max: 0.01}", "{max: 0.01, superior: true}")
    with pytest.raises(ConfigError, match="with `audience` or `superior`"):
        parse(better.replace("  steps:", "  url: http://a.example.com\n  checks: [speed]\n  steps:"), "mlgate.yaml")
