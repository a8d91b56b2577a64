"""Single mistakes that people make in mlgate.yaml, each in a file of its own, and the sentence that tells of it."""

from __future__ import annotations

import re
from itertools import chain

import pytest
from tests.conftest import Golden
from tests.unit.config.small import JARGON, faults

RULES = "rules: {rougeL: {min: 0.3}}"


def rules(written: str) -> str:
    """Return a file with these rules: a mapping's inside."""
    return f"version: 1\nmodel: {{python: a:b}}\nchecks:\n  notes:\n    data: test.jsonl\n    rules: {{{written}}}\n"


def model(written: str) -> str:
    """Return a file with this model: a mapping's inside, or a text."""
    return f"version: 1\nmodel: {written}\nchecks:\n  notes:\n    data: test.jsonl\n    {RULES}\n"


def server(written: str, protocol: str = "openai-chat") -> str:
    """Return a file with an endpoint that has further keys."""
    return model(f"{{endpoint: {{url: http://h, protocol: {protocol}, {written}}}}}")


def rest(written: str) -> str:
    """Return a file with a further line at its end."""
    return model("{python: a:b}") + written + "\n"


def check(written: str) -> str:
    """Return a file with this check: a mapping's inside."""
    return f"version: 1\nmodel: {{python: a:b}}\nchecks:\n  notes: {{{written}}}\n"


NUMBERS = {
    "a number in place of a rule": rules("chrf: 40"),
    "a ratio in place of a rule": rules("rougeL: 0.5"),
    "a number where lower is better": rules("wer: 0.15"),
    "a decimal comma": rules("rougeL: {min: 0,5}"),
    "a decimal comma in quotes": rules('rougeL: {min: "0,5"}'),
    "a number without its zero": rules("rougeL: {min: .5}"),
    "a number in quotes": rules('bleu: {min: "30"}'),
    "a percentage as a limit": rules("bleu: {min: 30%}"),
    "a margin in words": rules("rougeL: {min: 0.3, max_drop: 2 percent}"),
    "a ratio's limit in percent": rules("rougeL: {min: 30}"),
    "an error rate's limit in percent": rules("wer: {max: 15}"),
    "points as a ratio": rules("ter: {max: 0.6}"),
    "a limit that everything keeps": rules("rougeL: {min: 0}"),
    "a negative limit": rules("rougeL: {min: -0.1}"),
    "min where lower is better": rules("wer: {min: 0.2}"),
    "max where higher is better": rules("rougeL: {max: 0.5}"),
    "max_drop where lower is better": rules("wer: {max_drop: 2%}"),
    "two metrics of another library": rules("f1: {min: 0.8}"),
    "a metric that mlgate does not compute": rules("meteor: {min: 0.3}"),
    "a metric's name as papers write it": rules("ROUGE-L: {min: 0.3}"),
    "a metric's name with a typo": rules("chfr: {min: 40}"),
    "a metric of load in a check of answers": rules("p95_ms: {max: 200}"),
    "a bound without its metric": rules("min: 0.3"),
    "slices under rules": rules("rougeL: {min: 0.3}, slices: [lang]"),
    "a rule without a bound": rules("rougeL: {}"),
    "a comparison without a baseline": rules("rougeL: {max_drop: 2%}"),
    "a list of rules": check("data: test.jsonl, rules: [rougeL]"),
}
PLACES = {
    "an address in place of an endpoint": model("{endpoint: 'http://h:8080'}"),
    "an address in place of a model": model("http://h:8080"),
    "a function in place of a model": model("pkg.mod:fn"),
    "a file in place of a baseline": rest("baseline: baseline.jsonl.gz"),
    "a baseline without `from`": rest("baseline: {path: baseline.jsonl.gz}"),
    "an endpoint beside the model": "version: 1\nendpoint: http://h\nchecks:\n  notes: {data: a.csv, " + RULES + "}\n",
    "data beside the checks": "version: 1\nmodel: {python: a:b}\ndata: a.csv\n",
    "a database in place of tracking": rest("tracking: sqlite:///mlflow.db"),
    "a key with a typo": rest("bseline: {from: ci}"),
    "checks with a typo": "version: 1\nmodel: {python: a:b}\nchek:\n  notes: {data: a.csv, " + RULES + "}\n",
    "a list of checks": "version: 1\nmodel: {python: a:b}\nchecks:\n  - data: a.csv\n",
    "two ways to ask": model("{python: a:b, answers: a.jsonl}"),
    "a dot in place of a colon": model("{python: pkg.mod.fn}"),
    "a kind with a typo": check("kind: acuracy, data: a.csv, " + RULES),
    "a field in place of a list": check("data: a.csv, slices: lang, " + RULES),
    "a report that there is not": rest("report: [html]"),
    "a share in percent": rules("rougeL: {min: 0.3, confidence: 95}"),
    "a number that is too small": server("concurrency: 0"),
    "half a thing": server("retries: 1.5"),
    "a number in place of true": check(
        "kind: latency, data: a.csv, load: {rate: 5, stream: 1}, rules: {p95_ms: {max: 5}}"
    ),
    "a time without a unit": server("timeout: 30"),
    "a protocol with a typo": model("{endpoint: {url: http://h, protocol: openai}}"),
    "an endpoint without a protocol": model("{endpoint: {url: http://h}}"),
    "a secret in the file": server("headers: {Authorization: Bearer abc}"),
    "a field that nothing fills": server('prompt: "{question} {input}"'),
    "a prompt without its input": server('prompt: "Summarise: {text}"'),
    "two pairs of braces": server('prompt: "Summarise: {{input}}"'),
    "a parameter that mlgate itself sends": server("params: {messages: []}"),
    "tabs": "version: 1\nmodel:\n\tpython: a:b\n",
    "yes in place of true": check(
        "kind: latency, data: a.csv, load: {rate: 5, stream: yes}, rules: {p95_ms: {max: 5}}"
    ),
    "a load of a number": check("kind: latency, data: a.csv, load: 50, rules: {p95_ms: {max: 200}}"),
    "nothing": "",
}
MISTAKES = NUMBERS | PLACES


def test_each_common_mistake_is_told_in_a_sentence_with_place_and_next_step(golden: Golden) -> None:
    told = (f"{name}\n{''.join(f'  {one}{chr(10)}' for one in faults(text))}" for name, text in MISTAKES.items())
    golden("config/common_mistakes.txt", "".join(chain(told)))


@pytest.mark.parametrize("name", MISTAKES)
def test_no_common_mistake_leaves_a_person_without_a_way_on(name: str) -> None:
    for fault in faults(MISTAKES[name]):
        assert re.fullmatch(r"m\.yaml:\d+:\d+", fault.where)
        assert fault.hint, str(fault)
        assert not [word for word in JARGON if word in str(fault)], str(fault)
