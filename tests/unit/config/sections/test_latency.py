"""A latency check: what its keys mean, what it comes to, and the words in which each mistake is told."""

from __future__ import annotations

import pytest
from tests.unit.config.small import BASELINE, BESIDE, IMAGE, RULE, SERVED, TIMED, config, faults, told

from mlgate.config.load import parse
from mlgate.config.translate.checks import needed_fields, to_check
from mlgate.core.check import Bound, Check, Example, MetricChoice, Rule, data_digest
from mlgate.core.errors import ConfigError
from mlgate.core.outcome import Outcome

SENTENCE = "the function returns the number of open files"
EXAMPLES = tuple(
    Example(str(n), f"def f{n}", (f"{SENTENCE} {n}",), (("length", "short" if n else "long"),)) for n in range(3)
)
STREAMED = SERVED.replace("kserve-v1", "openai-chat")
WHOLE = """version: 1
model: {endpoint: {url: http://h, protocol: openai-chat, timeout: 5s}}
checks:
  speed:
    kind: latency
    data: x.csv
    load: {rate: 50, block: 1s, stream: true, mix: {by: length, weights: {short: 9, long: 1}}, seed: 7}
    budget: 60s
    stored: block
    metrics: {rougeL: {use_stemmer: true}, p50_ms: }
    rules:
      p95_ms: {max: 120, max_rise: 10%, confidence: 0.9}
      error_rate: {max: 0, on_breach: warn}
baseline: {from: endpoint, url: http://b}
"""


def check_of(
    load: str, rules: str = "p95_ms: {max: 9}", *, rest: str = "", model: str = SERVED, key: str = ""
) -> Check:
    text = TIMED.format(load, rules).replace("rules:", f"{key}, rules:" if key else "rules:")
    return to_check(config(check=text, model=model, rest=rest), "c", EXAMPLES)


def test_a_latency_check_comes_through_whole() -> None:
    assert to_check(parse(WHOLE, "m.yaml"), "speed", EXAMPLES, ["2 rows repeat"]) == Check(
        id="speed",
        kind="latency",
        examples=EXAMPLES,
        metrics=(
            MetricChoice("p95_ms", "p95_ms"),
            MetricChoice("error_rate", "error_rate"),
            MetricChoice("rougeL", "rougeL", {"use_stemmer": True}),
            MetricChoice("p50_ms", "p50_ms"),
        ),
        rules=(
            Rule("p95_ms", Bound.MAX, 120, confidence=0.9, where="m.yaml:12:21"),
            Rule("p95_ms", Bound.MAX_RISE, 0.1, relative=True, confidence=0.9, where="m.yaml:12:36"),
            Rule("error_rate", Bound.MAX, 0, on_breach=Outcome.WARNED, where="m.yaml:13:25"),
        ),
        data_digest=data_digest(EXAMPLES, "length"),
        params={
            "mode": "open",
            "rate": 50,
            "arrivals": "poisson",
            "block_s": 1,
            "warm": 2,
            "looks": [10, 12, 15, 19, 22, 25, 29, 32],
            "whole": 12,
            "seed": 7,
            "stream": True,
            "stored": "block",
            "timeout_s": 5,
            "mix": {"by": "length", "weights": {"short": 9, "long": 1}},
        },
        notices=("2 rows repeat",),
        rounds=32,
        exclusive=True,
    )


@pytest.mark.parametrize(
    ("load", "rules", "rounds", "own"),
    [
        ("{rate: 50}", "p95_ms: {max: 9}", 44, {"mode": "open", "rate": 50, "block_s": 0.5, "looks": [44]}),
        ("{rate: 5}", "p95_ms: {max: 9}", 22, {"mode": "open", "rate": 5, "block_s": 1, "looks": [22]}),
        (
            "{concurrency: 8, duration: 10s, block: 500ms}",
            "p95_ms: {max: 9}",
            24,
            {"mode": "closed", "concurrency": 8, "block_s": 0.5, "warm": 4, "looks": [24]},
        ),
        (
            "{stages: [{rate: 10, duration: 10s}, {rate: 50, duration: 10s}], arrivals: constant, block: 1s}",
            "p95_ms: {max: 9}",
            22,
            {"mode": "stages", "stages": [[10, 12], [50, 10]], "arrivals": "constant", "warm": 2, "looks": [22]},
        ),
        (
            "{find: {p95_ms: 200, error_rate: 0.01}, least: 2, most: 90, step: 3s}",
            "max_rps: {min: 60}",
            12,
            {
                "mode": "find",
                "find": {"p95_ms": 200, "error_rate": 0.01},
                "least": 2,
                "most": 90,
                "step_s": 3,
                "block_s": 3,
                "warm": 0,
                "looks": [],
            },
        ),
    ],
)
def test_each_way_of_loading_says_what_observing_needs(
    load: str, rules: str, rounds: int, own: dict[str, object]
) -> None:
    check = check_of(load, rules)
    assert check.rounds == rounds
    assert {**check.params, **own} == check.params


def test_only_a_check_that_is_compared_in_the_same_run_shares_its_time() -> None:
    rise = "p95_ms: {max_rise: 10%}"
    assert check_of("{rate: 50}", rise, rest=BESIDE).rounds == 24
    assert check_of("{rate: 50}", rest=BESIDE).rounds == 44
    assert check_of("{rate: 50}", rise, rest=BASELINE).rounds == 44
    assert config(check=TIMED.format("{rate: 50}", rise), model=SERVED, rest=BESIDE).is_duet("c")


def test_a_run_that_may_be_started_over_plans_its_rounds_twice() -> None:
    check = check_of("{rate: 50}", "p95_ms: {max_rise: 10%}", rest=BESIDE, key="on_noise: retry")
    assert (check.rounds, check.params["once"], check.params["looks"]) == (48, 24, [24])
    assert "once" not in check_of("{rate: 50}", "p95_ms: {max_rise: 10%}", rest=BESIDE).params


@pytest.mark.parametrize(
    ("load", "says"),
    [
        ("{stages: [{rate: 10, duration: 10s}]}", "on_noise is for a load with a rate or a concurrency"),
        ("{find: {p95_ms: 200}}", "on_noise is for a load with a rate or a concurrency"),
        ("{rate: 500, duration: 3000s, block: 500ms}", "12,008 rounds when it is started over: more than 9,999"),
    ],
)
def test_a_load_that_cannot_be_started_over_is_refused(load: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_of(load, "max_rps: {min: 9}" if "find" in load else "p95_ms: {max: 9}", key="on_noise: retry")
    assert says in str(caught.value)


def test_the_field_that_a_load_is_mixed_by_is_needed_from_the_data() -> None:
    assert needed_fields(parse(WHOLE, "m.yaml"), "speed") == ("length",)
    assert needed_fields(config(check=TIMED.format("{rate: 50}", "p95_ms: {max: 9}"), model=SERVED), "c") == ()


def test_a_weighed_value_that_no_example_has_is_refused() -> None:
    with pytest.raises(ConfigError) as caught:
        check_of("{rate: 50, mix: {by: length, weights: {shrt: 9, long: 1}}}")
    assert str(caught.value) == (
        "m.yaml:3:87: checks.c.load.mix.weights.shrt is weighed, and no example has that 'length' "
        "(did you mean `short`? there are: short, long)"
    )


def test_examples_that_are_never_asked_are_noticed() -> None:
    (notice,) = check_of("{rate: 50, mix: {by: length, weights: {long: 1}}}").notices
    assert notice == "2 of 3 examples are never asked: their 'length' has no weight in the mix"


@pytest.mark.parametrize(
    ("rule", "notices"),
    [
        ("p95_ms: {max_rise: 0.1}", ("p95_ms is counted in ms: max_rise 0.1 is 0.1 ms (meant 10%?) [m.yaml:3:87]",)),
        ("p95_ms: {max_rise: 10%}", ()),
        ("p95_ms: {max_rise: 3}", ()),
        ("error_rate: {max_rise: 0.1}", ()),
    ],
)
def test_a_margin_that_is_likely_a_fraction_in_place_of_ms_is_noticed(rule: str, notices: tuple[str, ...]) -> None:
    assert check_of("{rate: 50}", rule, rest=BASELINE).notices == notices


def test_a_metric_of_the_answers_that_cannot_judge_them_is_refused() -> None:
    sound = config(check=TIMED.format("{rate: 50}", "bleu: {min: 1}"), model=SERVED)
    with pytest.raises(ConfigError, match="bleu is unsuitable for this data"):
        to_check(sound, "c", [Example("1", "", ("ok",))])


OVERLOADS = "is not measured by a search: it overloads the model on purpose"
OTHER = "(measure it in another check, e.g. with load: {rate: 50})"
IN_PIECES = "needs replies in pieces (write stream: true under load)"
STARTED = "is known of a model that mlgate starts from an image only (write model: {image: {ref: NAME, …}})"


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            "p99.9_ms: {max: 3}",
            (
                "is not judged: beyond p99 a percentile needs 100,000s of requests to mean anything "
                "(use p99_ms, or p95_ms)"
            ),
        ),
        ("max_rps: {min: 3}", "needs a search for it (write load: {find: {p95_ms: 200}, most: 500})"),
        ("ttft_p95_ms: {max: 3}", IN_PIECES),
        ("itl_mean_ms: {max: 3}", IN_PIECES),
        ("tokens_per_s: {min: 3}", IN_PIECES),
        ("peak_memory_mb: {max: 3}", STARTED),
        ("image_mb: {max: 3}", STARTED),
        ("cpu_ms_per_request: {max: 3}", STARTED),
        ("start_s: {max: 3}", STARTED),
    ],
)
def test_what_the_load_or_the_model_cannot_show_is_refused(rule: str, expected: str) -> None:
    name = rule.partition(":")[0]
    wanted = f"m.yaml:3:68: checks.c.rules.{name} {expected}"
    assert told(check=TIMED.format("{rate: 50}", rule), model=SERVED) == wanted


@pytest.mark.parametrize("rule", ["ttft_p95_ms: {max: 3}", "itl_p50_ms: {max: 3}", "tokens_per_s: {min: 3}"])
def test_a_streamed_load_shows_times_of_pieces(rule: str) -> None:
    assert check_of("{rate: 50, stream: true}", rule, model=STREAMED).params["stream"] is True


@pytest.mark.parametrize("rule", ["peak_memory_mb: {max: 3}", "image_mb: {max: 3}", "cpu_ms_per_request: {max: 3}"])
def test_an_image_shows_what_it_takes(rule: str) -> None:
    assert check_of("{rate: 50}", rule, model=IMAGE.format("ref: m")).rules


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("p95_ms: {max: 3}", f"{OVERLOADS} {OTHER}"),
        ("mean_ms: {max: 3}", f"{OVERLOADS} {OTHER}"),
        ("cache_speedup: {max: 3}", f"{OVERLOADS} {OTHER}"),
        ("throughput_rps: {min: 3}", f"{OVERLOADS} {OTHER}"),
        (
            "error_rate: {max: 0}",
            "is a bound of the search: it overloads the model on purpose (write load: {find: {error_rate: 0.01, …}})",
        ),
    ],
)
def test_what_a_search_disturbs_is_refused(rule: str, expected: str) -> None:
    name = rule.partition(":")[0]
    text = TIMED.format("{find: {p95_ms: 9}}", f"max_rps: {{min: 3}}, {rule}")
    assert told(check=text, model=SERVED) == f"m.yaml:3:96: checks.c.rules.{name} {expected}"


@pytest.mark.parametrize(
    ("load", "expected"),
    [
        (
            "{find: {p95_ms: 9}}",
            (
                "m.yaml:3:49: checks.c.load.find looks for max_rps, and no rule names it "
                "(write e.g. rules: {max_rps: {min: 50}})"
            ),
        ),
        (
            "{find: {ttft_p95_ms: 9}}",
            f"m.yaml:3:56: checks.c.load.find.ttft_p95_ms {IN_PIECES}",
        ),
        (
            "{find: {mean_ms: 9}}",
            (
                "m.yaml:3:56: checks.c.load.find.mean_ms is no bound: a step is held to percentiles and the error rate "
                "(e.g.: p50_ms, p90_ms, p95_ms, p99_ms, error_rate)"
            ),
        ),
        (
            "{find: {p99.9_ms: 9}}",
            (
                "m.yaml:3:56: checks.c.load.find.p99.9_ms is not judged: beyond p99 a percentile needs 100,000s of "
                "requests to mean anything (use p99_ms, or p95_ms)"
            ),
        ),
        (
            "{find: {p95_ms: 0}}",
            "m.yaml:3:64: checks.c.load.find.p95_ms can never be kept: no reply takes 0 ms (e.g. p95_ms: 200)",
        ),
        (
            "{find: {error_rate: 5}}",
            "m.yaml:3:68: checks.c.load.find.error_rate can never be broken: it goes from 0 to 1 (write 0.05)",
        ),
        (
            "{find: {p95_ms: 9}, least: 9, most: 3}",
            "m.yaml:3:75: checks.c.load.least is not below most (3) (swap or mend them)",
        ),
        (
            "{find: {p95_ms: 9}, step: 1s}",
            (
                "m.yaml:3:74: checks.c.load.step asks 1 times at the least rate: fewer than 5 requests tell nothing "
                "(raise least to 5 or more, or step to 5s)"
            ),
        ),
    ],
)
def test_a_mistake_in_a_search_is_told(load: str, expected: str) -> None:
    rules = "image_mb: {max: 3}" if "no rule" in expected else "max_rps: {min: 3}"
    assert told(check=TIMED.format(load, rules), model=IMAGE.format("ref: m")) == expected


@pytest.mark.parametrize(
    ("load", "expected"),
    [
        (
            "{rate: 50, concurrency: 3}",
            "m.yaml:3:42: checks.c.load has rate and concurrency: a load is made in one way (keep one of them)",
        ),
        (
            "{}",
            (
                "m.yaml:3:42: checks.c.load needs one of rate, concurrency, stages and find "
                "(e.g. load: {rate: 50, duration: 20s})"
            ),
        ),
        (
            "50",
            (
                "m.yaml:3:48: checks.c.load must be a mapping, but is the number 50 "
                "(write load: {rate: 50, duration: 20s})"
            ),
        ),
        (
            "{rate: 0}",
            "m.yaml:3:55: checks.c.load.rate must be at least 0.001, but is the number 0 (write 0.001 or more)",
        ),
        ("{rate: 50, duration: 20}", "m.yaml:3:69: checks.c.load.duration must have a unit (write 20s, 20ms or 20m)"),
        (
            "{concurrency: 999}",
            "m.yaml:3:62: checks.c.load.concurrency must be at most 512, but is the number 999 (write 512 or less)",
        ),
        ("{stages: []}", "m.yaml:3:49: checks.c.load.stages is empty (write at least one entry)"),
        (
            "{rate: 50, mix: {by: a, weights: {b: 0}}}",
            "m.yaml:3:85: checks.c.load.mix.weights.b must be more than 0, but is the number 0 (write e.g. 0.1)",
        ),
        (
            "{rate: 50, stream: true}",
            (
                "m.yaml:3:67: checks.c.load.stream needs protocol openai-chat or openai-completions "
                "(change model.endpoint.protocol, or delete it: other protocols answer at once)"
            ),
        ),
        (
            "{rate: 1, block: 1s}",
            (
                "m.yaml:3:42: checks.c.load asks 1 times a block of 1s: fewer than 5 requests tell nothing "
                "(raise rate to 5 or more, or block to 5s and duration to 40s)"
            ),
        ),
        ("{rate: 50, block: 5ms}", "m.yaml:3:66: checks.c.load.block is shorter than 50ms (e.g. block: 1s)"),
    ],
)
def test_a_mistake_in_a_load_is_told(load: str, expected: str) -> None:
    assert told(check=TIMED.format(load, "p95_ms: {max: 9}"), model=SERVED) == expected


@pytest.mark.parametrize(
    ("load", "budget", "expected"),
    [
        (
            "{rate: 50}",
            "9s",
            "checks.c.budget is shorter than the load's duration (20s) (write the longer span here, or delete it)",
        ),
        (
            "{stages: [{rate: 9, duration: 20s}]}",
            "60s",
            "checks.c.budget is for a load with a rate or a concurrency (delete it)",
        ),
    ],
)
def test_a_budget_that_cannot_be_used_is_refused(load: str, budget: str, expected: str) -> None:
    text = TIMED.format(load, "p95_ms: {max: 9}").replace("rules:", f"budget: {budget}, rules:")
    assert told(check=text, model=SERVED).endswith(expected)


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            "p95_ms: {max: 0}",
            "p95_ms.max can never be kept: p95_ms is always above 0 (write a greater number, e.g. 200)",
        ),
        (
            "throughput_rps: {min: 0}",
            (
                "throughput_rps.min can never be broken: throughput_rps is always above 0 "
                "(write a greater number, e.g. 10, or delete it)"
            ),
        ),
        (
            "throughput_rps: {max_drop: 100%}",
            (
                "throughput_rps.max_drop can never be broken: throughput_rps is always above 0 "
                "(write the drop that is still good enough: 2% of the baseline)"
            ),
        ),
        (
            "p95_ms: {max_drop: 10%}",
            "p95_ms.max_drop is the wrong way round: lower is better for p95_ms (write max_rise: 10%)",
        ),
    ],
)
def test_a_limit_that_contradicts_a_time_or_a_rate_is_told(rule: str, expected: str) -> None:
    fault = told(check=TIMED.format("{rate: 50}", rule), model=SERVED, rest=BASELINE)
    assert fault.partition("checks.c.rules.")[2] == expected


def test_a_name_that_is_no_metric_has_the_nearest_of_times_and_answers() -> None:
    for wrong, meant in (("p95", "p95_ms"), ("rougel", "rougeL"), ("max_rsp", "max_rps")):
        fault = told(check=TIMED.format("{rate: 50}", f"{wrong}: {{max: 9}}"), model=SERVED)
        assert f"checks.c.rules.{wrong} is no metric (did you mean `{meant}`? there are: p50_ms, " in fault
        assert fault.endswith("json_valid, json_schema)")


def test_a_time_in_an_accuracy_check_is_sent_to_its_own_kind() -> None:
    assert told(check=RULE.format("p95_ms: {max: 9}")) == (
        "m.yaml:3:35: checks.c.rules.p95_ms is no metric (it is measured by a check of `kind: latency`)"
    )


@pytest.mark.parametrize(
    ("metrics", "expected"),
    [
        ("{p50_ms: {a: 1}}", "metrics.p50_ms.a is unknown (p50_ms has no options)"),
        (
            "{mine: {metric: p50_ms}}",
            "metrics.mine.metric is measured under its own name only: p50_ms (write p50_ms in place of mine)",
        ),
        (
            "{p50_ms: {metric: bleu}}",
            "metrics.p50_ms is the name of a metric itself, and cannot stand for bleu (write e.g. my_p50_ms)",
        ),
        (
            "[p99.5_ms]",
            (
                "metrics.p99.5_ms is not judged: beyond p99 a percentile needs 100,000s of requests to mean anything "
                "(use p99_ms, or p95_ms)"
            ),
        ),
    ],
)
def test_a_mistake_in_the_listed_metrics_is_told(metrics: str, expected: str) -> None:
    text = TIMED.format("{rate: 50}", "p95_ms: {max: 9}").replace("rules:", f"metrics: {metrics}, rules:")
    assert told(check=text, model=SERVED).partition("checks.c.")[2] == expected


def test_times_are_not_sliced() -> None:
    text = TIMED.format("{rate: 50}", "p95_ms: {max: 9}").replace("rules:", "slices: [a], rules:")
    assert "checks.c.slices is unknown (checks.c has: kind, data, load, " in told(check=text, model=SERVED)


@pytest.mark.parametrize("model", ["{python: a:b}", "{answers: a.jsonl}"])
def test_a_model_that_is_not_asked_over_http_is_not_timed(model: str) -> None:
    assert told(check=TIMED.format("{rate: 50}", "p95_ms: {max: 9}"), model=model) == (
        "m.yaml:3:20: checks.c.kind needs a model that is asked over HTTP: an endpoint or an image "
        "(e.g. model: {image: {ref: NAME, …}})"
    )


@pytest.mark.parametrize(
    ("model", "line"),
    [(SERVED, '{from: endpoint, url: "http://…"}'), (IMAGE.format("ref: m"), '{from: image, ref: "NAME:main"}')],
)
def test_a_comparison_of_times_is_advised_a_baseline_of_the_same_run(model: str, line: str) -> None:
    fault = told(check=TIMED.format("{rate: 50}", "p95_ms: {max_rise: 10%}"), model=model)
    assert fault.endswith(f"compares with a baseline, and the file has none (add a line: baseline: {line})")


def test_an_unsound_load_hides_no_fault_of_the_rules() -> None:
    text = TIMED.format("{rate: -1}", "p99.9_ms: {max: 9}, p95_ms: {max: 0}, max_rps: {min: 1}")
    whole = f"version: 1\nmodel: {SERVED}\nchecks: {{c: {text}}}\n"
    assert [fault.message.split()[0] for fault in faults(whole)] == [
        "checks.c.load.rate",
        "checks.c.rules.p99.9_ms",
        "checks.c.rules.p95_ms.max",
    ]
