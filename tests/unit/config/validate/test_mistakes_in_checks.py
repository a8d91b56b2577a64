"""Threat T21: mistakes in checks and rules, and the words that each is told in."""

from __future__ import annotations

import pytest
from tests.unit.config.small import BASELINE, RULE, told


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (
            "{data: x.csv, rulez: {bleu: {min: 1}}, rules: {bleu: {min: 1}}}",
            (
                "m.yaml:3:27: checks.c.rulez is unknown "
                "(did you mean `rules`? checks.c has: kind, data, metrics, filters, rules, slices)"
            ),
        ),
        (
            RULE.format('bleu: {min: "30"}'),
            "m.yaml:3:47: checks.c.rules.bleu.min must be a number, but is the text '30' (write 30 without quotes)",
        ),
        (
            RULE.format("bleu: {min: 30%}"),
            (
                "m.yaml:3:47: checks.c.rules.bleu.min must be a number, not a percentage "
                "(write 30 where the metric counts points, or 0.3 "
                "where it is a ratio; a percentage of the baseline goes with max_drop or max_rise)"
            ),
        ),
        (
            RULE.format("bleu: {min: true}"),
            "m.yaml:3:47: checks.c.rules.bleu.min must be a number, but is true",
        ),
        (
            RULE.format("bleu: {min: 3, max: 2}"),
            "m.yaml:3:47: checks.c.rules.bleu.min is greater than max (2): nothing can pass (swap or mend them)",
        ),
        (
            RULE.format("bleu: {}"),
            "m.yaml:3:35: checks.c.rules.bleu has no bound (write one of min, max, max_drop and max_rise)",
        ),
        (
            RULE.format("bleu: {min: 1, max: }"),
            "m.yaml:3:55: checks.c.rules.bleu.max has no value (write one, or delete the key)",
        ),
        (
            RULE.format("bleu: {min: 1, confidence: 0.5}"),
            "m.yaml:3:62: checks.c.rules.bleu.confidence must be more than 0.5, but is the number 0.5 (write e.g. 0.6)",
        ),
        (
            RULE.format("rougel: {min: 0.3}"),
            (
                "m.yaml:3:35: checks.c.rules.rougel is no metric "
                "(did you mean `rougeL`? there are: bleu, chrf, chrf++, ter, "
                "rouge1, rouge2, rougeL, rougeLsum, exact_match, token_f1, accuracy, macro_f1, label_precision, "
                "label_recall, label_f1, wer, cer, contains, is_one_of, matches, max_length, json_valid, json_schema, "
                "error_rate)"
            ),
        ),
        (
            RULE.format("rougeL: {min: 30}"),
            "m.yaml:3:49: checks.c.rules.rougeL.min can never be reached: rougeL goes from 0 to 1 (write 0.3)",
        ),
        (
            RULE.format("bleu: {max_drop: 1}"),
            (
                "m.yaml:3:42: checks.c.rules.bleu.max_drop compares with a baseline, and the file has none "
                "(add a line: baseline: {from: file, path: baseline.jsonl.gz})"
            ),
        ),
        (
            "{data: x.csv, rules: {}}",
            ("m.yaml:3:10: checks.c has no rule: nothing could ever fail (write e.g. rules: {rougeL: {min: 0.3}})"),
        ),
        (
            "{data: x.csv, slices: [a]}",
            ("m.yaml:3:10: checks.c has no rule: nothing could ever fail (write e.g. rules: {rougeL: {min: 0.3}})"),
        ),
        (
            "{kind: recorded, tests: [t.py], examples: -40, metrics: {p: {better: higher}}, rules: {p: {min: 0}}}",
            "m.yaml:3:55: checks.c.examples must be at least 1, but is the number -40 (write 1 or more)",
        ),
        (
            "{data: x.csv, metrics: {bleu: {tokenise: zh}}, rules: {bleu: {min: 1}}}",
            (
                "m.yaml:3:44: checks.c.metrics.bleu.tokenise cannot be used: bleu has no option "
                "'tokenise', did you mean "
                "tokenize? there are tokenize, lowercase, smooth_method, smooth_value, max_ngram_order"
            ),
        ),
    ],
)
def test_t21_a_mistake_in_a_check_is_told_with_the_right_key(check: str, expected: str) -> None:
    assert told(check=check) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (
            "ter: {max_drop: 2%}",
            (
                "m.yaml:3:41: checks.c.rules.ter.max_drop is the wrong way round: lower is better for ter "
                "(write max_rise: 2%)"
            ),
        ),
        (
            "bleu: {max_rise: 0.5}",
            (
                "m.yaml:3:42: checks.c.rules.bleu.max_rise is the wrong way round: higher is better for bleu "
                "(write max_drop: 0.5)"
            ),
        ),
        (
            "error_rate: {max_drop: 0.1}",
            (
                "m.yaml:3:48: checks.c.rules.error_rate.max_drop is the wrong way round: lower is better "
                "for error_rate "
                "(write max_rise: 0.1)"
            ),
        ),
        (
            "bleu: {max_drop: -1}",
            (
                "m.yaml:3:52: checks.c.rules.bleu.max_drop must not be negative "
                "(write 1: how much worse is still good enough)"
            ),
        ),
        (
            "rougeL: {max_drop: 1}",
            (
                "m.yaml:3:54: checks.c.rules.rougeL.max_drop can never be broken: rougeL goes from 0 to 1 "
                "(write the drop that is still good enough: 0.01, or 2% of the baseline)"
            ),
        ),
        (
            "bleu: {max_drop: '-2%'}",
            ("m.yaml:3:52: checks.c.rules.bleu.max_drop must be a number or a percentage (write 2%)"),
        ),
    ],
)
def test_a_comparison_that_contradicts_the_metric_is_told(rule: str, expected: str) -> None:
    assert told(check=RULE.format(rule), rest=BASELINE) == expected
