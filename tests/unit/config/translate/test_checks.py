"""From the configuration to the core's Check; threat T25: a metric that would score good answers as bad is refused."""

from __future__ import annotations

from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.config.load import parse
from mlgate.config.translate.checks import needed_fields, to_check
from mlgate.core.check import Bound, Check, Example, Json, MetricChoice, Rule, data_digest
from mlgate.core.errors import ConfigError
from mlgate.core.outcome import Outcome
from mlgate.metrics import registry
from mlgate.metrics.scorer import Scorer

SENTENCE = "the function returns the number of open files"
EXAMPLES = tuple(Example(str(n), f"def f{n}", (f"{SENTENCE} {n}",), (("module", "a"),)) for n in range(3))
START = "version: 1\nmodel: {python: a:b}\nchecks:\n  c:\n    data: x.csv\n"
LISTED = """version: 1
model: {python: a:b}
checks:
  summaries:
    data: x.csv
    metrics: {chrf: {word_order: 2}, ter: }
    rules:
      rougeL: {min: 0.3, max_drop: 2%, on_breach: warn}
      error_rate: {max: 0.01, on_inconclusive: warn}
    slices:
      module: {ter: {max_rise: 3, confidence: 0.9}}
baseline: {from: file, path: b}
"""
RECORDED = """version: 1
model: {python: a:b}
checks:
  tone:
    kind: recorded
    tests: [tests/test_tone.py]
    examples: 3
    metrics: {slow: {better: lower, unit: ms}, polite: {better: higher}}
    rules: {polite: {min: 0.8}}
"""


def translated(text: str, examples: tuple[Example, ...] = EXAMPLES) -> Check:
    config = parse(text, "m.yaml")
    (name,) = config.checks
    return to_check(config, name, examples, ["2 rows repeat"])


def one_rule(rule: str, metrics: str = "[]", reference: str = SENTENCE) -> Check:
    text = f"{START}    metrics: {metrics}\n    rules: {{{rule}}}\n"
    return translated(text, tuple(Example(str(n), "", (reference,)) for n in range(20)))


def test_an_accuracy_check_comes_through_whole() -> None:
    warned, inconclusive = Outcome.WARNED, Outcome.INCONCLUSIVE
    assert translated(LISTED) == Check(
        id="summaries",
        kind="accuracy",
        examples=EXAMPLES,
        metrics=(
            MetricChoice("rougeL", "rougeL"),
            MetricChoice("error_rate", "error_rate"),
            MetricChoice("ter", "ter"),
            MetricChoice("chrf", "chrf", {"word_order": 2}),
        ),
        rules=(
            Rule("rougeL", Bound.MIN, 0.3, on_breach=warned, where="m.yaml:8:21"),
            Rule("rougeL", Bound.MAX_DROP, 0.02, relative=True, on_breach=warned, where="m.yaml:8:36"),
            Rule("error_rate", Bound.MAX, 0.01, on_inconclusive=warned, where="m.yaml:9:25"),
            Rule(
                "ter",
                Bound.MAX_RISE,
                3.0,
                confidence=0.9,
                on_inconclusive=inconclusive,
                slice_by="module",
                where="m.yaml:11:32",
            ),
        ),
        slices=("module",),
        data_digest=data_digest(EXAMPLES),
        notices=("2 rows repeat",),
    )


def test_a_recorded_check_comes_through_with_what_its_numbers_mean() -> None:
    check = translated(RECORDED)
    assert check.metrics == (
        MetricChoice("polite", "recorded", {"better": "higher", "unit": ""}),
        MetricChoice("slow", "recorded", {"better": "lower", "unit": "ms"}),
    )
    assert check.rules == (Rule("polite", Bound.MIN, 0.8, where="m.yaml:9:27"),)
    assert check.params == {
        "metrics": {"slow": {"better": "lower", "unit": "ms"}, "polite": {"better": "higher", "unit": ""}},
        "tests": ["tests/test_tone.py"],
    }


def test_the_fields_to_slice_by_are_needed_from_the_data() -> None:
    assert needed_fields(parse(LISTED, "m.yaml"), "summaries") == ("module",)
    assert needed_fields(parse(RECORDED, "m.yaml"), "tone") == ()


def test_a_metric_under_a_name_of_its_own_keeps_its_options() -> None:
    check = one_rule("mine: {min: 30}", "{mine: {metric: bleu, tokenize: char}}")
    assert check.metrics == (MetricChoice("mine", "bleu", {"tokenize": "char"}),)


def test_a_limit_that_is_likely_a_ratio_in_place_of_points_is_noticed() -> None:
    assert one_rule("bleu: {min: 0.3}").notices == (
        "2 rows repeat",
        "bleu goes from 0 to 100: min 0.3 is nearly nothing (meant 30?) [m.yaml:7:25]",
    )
    assert one_rule("bleu: {min: 30}, rougeL: {min: 0.3}").notices == ("2 rows repeat",)


@pytest.mark.parametrize(
    ("rule", "metrics", "reference", "where", "advice"),
    [
        ("bleu: {min: 1}", "[]", "ok fine", "m.yaml:7:13", "use chrf or exact_match"),
        ("rougeL: {min: 0.1}", "[]", "返回打开的文件数", "m.yaml:7:13", "rougeL: {tokenizer: unicode}"),
        ("bleu: {min: 1}", "[]", "返回打开的文件数量", "m.yaml:7:13", "use tokenize zh or chrf"),
        (
            "chrf: {min: 1}",
            "[exact_match, rougeL]",
            "返回打开的文件数",
            "m.yaml:6:28",
            "tokenizer: unicode",
        ),
        ("chrf: {min: 1}", "{rougeL: }", "返回打开的文件数", "m.yaml:6:15", "tokenizer: unicode"),
        ("b: {min: 1}", "{b: {metric: bleu}}", "ok fine", "m.yaml:6:15", "use chrf or exact_match"),
    ],
)
def test_t25_an_unsuitable_metric_is_refused_where_it_is_named(
    rule: str, metrics: str, reference: str, where: str, advice: str
) -> None:
    with pytest.raises(ConfigError) as caught:
        one_rule(rule, metrics, reference)
    assert (caught.value.where, caught.value.exit_code, caught.value.more) == (where, 2, ())
    assert "is unsuitable for this data: " in caught.value.message
    assert advice in caught.value.message


@pytest.mark.parametrize(
    ("rule", "metrics", "reference"),
    [
        ("exact_match: {min: 0.1}", "[chrf]", "返回打开的文件数"),
        ("rougeL: {min: 0.1}", "{rougeL: {tokenizer: unicode}}", "返回打开的文件数"),
        ("bleu: {min: 1}", "{bleu: {tokenize: zh}}", "返回打开的文件数"),
    ],
)
def test_a_suitable_metric_is_not_refused(rule: str, metrics: str, reference: str) -> None:
    assert one_rule(rule, metrics, reference).rules


def test_all_unsuitable_metrics_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        one_rule("rougeL: {min: 0.1}, bleu: {min: 1}", "[ter]", "返回打开的文件数")
    assert [error.where for error in (caught.value, *caught.value.more)] == [
        "m.yaml:6:15",
        "m.yaml:7:13",
        "m.yaml:7:33",
    ]


@pytest.mark.parametrize(
    ("attribute", "told"),
    [
        ("no_such_module:it", "checks.c.rules.own cannot be loaded: No module named 'mlgate.metrics.no_such_module'"),
        ("bleu:no_such_factory", "checks.c.rules.own cannot be loaded: module 'mlgate.metrics.bleu' has no attribute"),
    ],
)
def test_a_metric_that_cannot_be_loaded_is_refused_where_it_is_named(
    attribute: str, told: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(registry.BUILT_IN, "own", attribute)
    with pytest.raises(ConfigError) as caught:
        one_rule("own: {min: 1}")
    assert caught.value.where == "m.yaml:7:13"
    assert caught.value.message.startswith(told)


def test_a_metric_is_built_once_for_the_file_its_rules_and_its_data(monkeypatch: pytest.MonkeyPatch) -> None:
    real, built = registry.build, list[str]()

    def build(name: str, options: Mapping[str, Json] | None = None) -> Scorer:
        built.append(name)
        return real(name, options)

    monkeypatch.setattr(registry, "build", build)
    translated(LISTED)
    assert built == ["rougeL", "ter", "chrf"]


@given(st.sampled_from(["min", "max"]), st.floats(0, 1), st.booleans())
def test_a_rules_number_is_the_number_in_the_file(bound: str, limit: float, warn: bool) -> None:
    text = RECORDED.replace("min: 0.8", f"{bound}: {limit!r}, on_breach: {'warn' if warn else 'block'}")
    text = text.replace("better: higher", "better: lower") if bound == "max" else text
    (rule,) = translated(text).rules
    assert (rule.bound.value, rule.limit, rule.relative) == (bound, limit, False)
    assert rule.on_breach is (Outcome.WARNED if warn else Outcome.FAILED)
    line, column = map(int, rule.where.split(":")[1:])
    assert text.splitlines()[line - 1][column - 1 :].startswith(repr(limit))
