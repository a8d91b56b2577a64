"""The schema and the reference page are the code's, and say what the code says."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from tests.support.config_reference import BEGIN, END, tables

from mlgate.config.load import parse
from mlgate.config.schema import json_schema, sections
from mlgate.config.sections.duration import show
from mlgate.config.sections.model import Endpoint
from mlgate.config.yaml import parse as strict_yaml
from mlgate.core.errors import ConfigError

REFERENCE = Path(__file__).parents[3] / "docs/reference"
FOLDER = Path(__file__).parent
SCHEMA = jsonschema.Draft202012Validator(json_schema())


def committed(name: str, text: str) -> str:
    """Return the committed file's text; MLGATE_UPDATE_GOLDEN=1 writes *text* first."""
    path = REFERENCE / name
    if os.environ.get("MLGATE_UPDATE_GOLDEN") == "1":
        path.write_text(text, encoding="utf-8")
    return path.read_text(encoding="utf-8")


def test_the_committed_schema_is_the_codes() -> None:
    text = json.dumps(json_schema(), indent=2, ensure_ascii=True) + "\n"
    assert committed("mlgate.schema.json", text) == text


def test_the_committed_reference_page_lists_the_codes_keys() -> None:
    page = (REFERENCE / "config.md").read_text(encoding="utf-8")
    before, _, rest = page.partition(BEGIN)
    _, _, after = rest.partition(END)
    whole = f"{before}{BEGIN}\n\n{tables()}\n{END}{after}"
    assert committed("config.md", whole) == whole


def test_the_example_of_the_reference_page_is_read() -> None:
    page = (REFERENCE / "config.md").read_text(encoding="utf-8")
    blocks = [block.partition("```")[0] for block in page.split("```yaml\n")[1:]]
    assert blocks
    for block in blocks:
        parse(block, "config.md")
        SCHEMA.validate(strict_yaml.parse(block, "config.md").value)


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


def test_every_key_is_described() -> None:
    for section in sections():
        assert section.__doc__
        for name, field in section.model_fields.items():
            assert field.description, f"{section.__name__}.{name}"


@pytest.mark.parametrize("name", ["every_key.yaml", "every_key_timed.yaml"])
def test_a_sound_file_is_valid(name: str) -> None:
    text = (FOLDER / name).read_text()
    parse(text, name)
    SCHEMA.validate(strict_yaml.parse(text, name).value)


def test_the_sound_files_have_every_key() -> None:
    written = set[str]()
    for name in ("every_key.yaml", "every_key_timed.yaml"):
        written |= keys(strict_yaml.parse((FOLDER / name).read_text(), name).value)
    there = {field.alias or name for section in sections() for name, field in section.model_fields.items()}
    assert there - written <= ELSEWHERE


ELSEWHERE = {"python", "answers", "target", "path", "url", "request", "answer", "alias", "run", "latest"} | {
    "match",
    "audience",
    "header",
    "cookie",
    "value",
}
"""Keys that exclude others: of models and of baselines (`test_load.py`, `test_mlflow_baseline.py`), and of what comes
before a rollout's last step (`test_deploy.py`)."""


def keys(value: object) -> set[str]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return {*(value if isinstance(value, dict) else ()), *(key for one in inner for key in keys(one))}


def test_every_project_in_the_examples_is_valid_and_read() -> None:
    for path in FOLDER.parents[2].glob("examples/*/mlgate*.yaml"):
        SCHEMA.validate(strict_yaml.parse(path.read_text(encoding="utf-8"), path.name).value)


TIMED = "version: 1\nmodel: {{endpoint: {{url: http://h, protocol: json}}}}\nchecks: {{c: {}}}"
GOOD = "{c: {data: a.csv, rules: {ter: {max: 9}}}}"
RUNNING = "version: 1\nmodel: {{image: {}}}\nchecks: {{c: {{data: a.csv, rules: {{ter: {{max: 9}}}}}}}}"
TRACKED = (
    "version: 1\nmodel: {{python: a:b}}\nchecks: {{c: {{data: a.csv, rules: {{ter: {{max: 9}}}}}}}}\n"
    "baseline: {{from: mlflow{}}}\ntracking: {}"
)
MISSHAPEN = [
    "version: 2\nmodel: {python: a:b}\nchecks: {c: {data: a.csv, rules: {ter: {max: 9}}}}",
    "version: 1\nmodel: {}\nchecks: {c: {data: a.csv, rules: {ter: {max: 9}}}}",
    "version: 1\nmodel: {python: a:b, answers: x}\nchecks: {c: {data: a.csv, rules: {ter: {max: 9}}}}",
    "version: 1\nmodel: {python: a:b}\nchecks: {}",
    "version: 1\nmodel: {python: a:b}\nchecks: {C: {data: a.csv, rules: {ter: {max: 9}}}}",
    "version: 1\nmodel: {python: a:b}\nchecks: {c: {data: a.csv}}",
    "version: 1\nmodel: {python: a:b}\nchecks: {c: {data: a.csv, rules: {ter: {}}}}",
    "version: 1\nmodel: {python: a:b}\nchecks: {c: {data: a.csv, rules: {ter: {max: }}}}",
    "version: 1\nmodel: {python: a:b}\nchecks: {c: {data: a.csv, rules: {ter: {max: '9'}}}}",
    "version: 1\nmodel: {python: a:b}\nchecks: {c: {data: a.csv, rules: {ter: {max_rise: -1}}}}",
    "version: 1\nmodel: {python: a:b}\nchecks: {c: {data: a.csv, rules: {ter: {max_rise: 1 percent}}}}",
    "version: 1\nmodel: {python: a:b}\nchecks: {c: {data: {source: a}, rules: {ter: {max: 9}}}}",
    "version: 1\nmodel: {python: a:b}\nchecks: {c: {data: {path: a.csv, source: a}, rules: {ter: {max: 9}}}}",
    "version: 1\nmodel: {python: a.b}\nchecks: {c: {data: a.csv, rules: {ter: {max: 9}}}}",
    f"version: 1\nmodel: {{endpoint: {{url: http://h, protocol: x}}}}\nchecks: {GOOD}",
    f"version: 1\nmodel: {{python: a:b}}\nchecks: {GOOD}\nreport: [github, github]",
    f"version: 1\nmodel: {{python: a:b}}\nchecks: {GOOD}\nbaseline: {{from: x, path: y}}",
    "version: 1\nmodel: {python: a:b}\nchecks: {c: {data: a.csv, rules: {ter: {max: 9}}}}\nbaseline:",
    TIMED.format("{kind: latency, data: a.csv, load: {}, rules: {p95_ms: {max: 9}}}"),
    TIMED.format("{kind: latency, data: a.csv, load: {rate: 0}, rules: {p95_ms: {max: 9}}}"),
    TIMED.format("{kind: latency, data: a.csv, load: {rate: 9, concurrency: 9}, rules: {p95_ms: {max: 9}}}"),
    TIMED.format("{kind: latency, data: a.csv, load: {rate: 9}, rules: {}}"),
    TIMED.format("{kind: latency, data: a.csv, load: {rate: 9}, rules: {p95_ms: {max: 9}}, slices: [a]}"),
    TIMED.format("{kind: latency, data: a.csv, load: {rate: 9, warmup: 2}, rules: {p95_ms: {max: 9}}}"),
    TIMED.format("{kind: latency, data: a.csv, load: {stages: []}, rules: {p95_ms: {max: 9}}}"),
    RUNNING.format("{protocol: kserve-v1}"),
    RUNNING.format("{ref: a, build: ., protocol: kserve-v1}"),
    RUNNING.format("{ref: a b, protocol: kserve-v1}"),
    RUNNING.format("{ref: a, protocol: kserve-v1, memory: 2}"),
    RUNNING.format("{ref: a, protocol: kserve-v1, gpus: some}"),
    RUNNING.format("{ref: a, protocol: kserve-v1, ready: health}"),
    TRACKED.format("", "{}"),
    TRACKED.format("", "{mlflow: mlruns}"),
    TRACKED.format("", "{mlflow: {timeout: 5}}"),
    TRACKED.format("", "{mlflow: {artifacts: s3://models}}"),
    TRACKED.format("", "{mlflow: {registry: {name: org/model}}}"),
    TRACKED.format("", "{mlflow: {registry: {source: file:/m}}}"),
    TRACKED.format("", "{mlflow: {registry: {require: approved_by}}}"),
    TRACKED.format("", "{mlflow: {registry: {stages: {champion: Live}}}}"),
    TRACKED.format("", "{mlflow: {registry: {stages: {latest: Production}}}}"),
    TRACKED.format(", alias: v1", "{mlflow: }"),
    TRACKED.format(", version: 0", "{mlflow: }"),
    TRACKED.format(", version: 1, run: a", "{mlflow: }"),
]


@pytest.mark.parametrize("text", MISSHAPEN)
def test_what_the_schema_refuses_is_refused_by_the_code_too(text: str) -> None:
    with pytest.raises(ConfigError):
        parse(text, "m.yaml")
    assert not SCHEMA.is_valid(strict_yaml.parse(text, "m.yaml").value)


RULED = "version: 1\nmodel: {{endpoint: {{url: http://h, protocol: kserve-v1}}}}\nchecks: {{c: {{data: a.csv, {}}}}}"
LOADED = "kind: latency, load: {rate: 9}, "


def is_marked(check: str, schema: jsonschema.Draft202012Validator = SCHEMA) -> bool:
    return not schema.is_valid(strict_yaml.parse(RULED.format(check), "m.yaml").value)


@pytest.mark.parametrize(
    "check",
    [
        "rules: {rougel: {min: 0.3}}",
        "rules: {bleu: {min: 3}, f1: {min: 0.3}}",
        "slices: {lang: {rougel: {min: 0.3}}}",
        f"{LOADED}rules: {{p95: {{max: 9}}}}",
    ],
)
def test_an_editor_marks_a_metric_that_there_is_not(check: str) -> None:
    assert is_marked(check)


@pytest.mark.parametrize(
    "check",
    [
        "rules: {rougeL: {min: 0.3}, error_rate: {max: 0.1}}",
        "slices: {lang: {bleu: {min: 3}}}",
        "slices: [lang], rules: {bleu: {min: 3}}",
        "metrics: [theirs], rules: {theirs: {min: 0.3}}",
        "metrics: {bleu_zh: {metric: bleu, tokenize: zh}}, rules: {bleu_zh: {min: 3}}",
        f"{LOADED}rules: {{p95_ms: {{max: 9}}, p97.5_ms: {{max: 9}}, ttft_p50_ms: {{max: 9}}, bleu: {{min: 9}}}}",
        "kind: recorded, tests: [t.py], metrics: {mine: {better: higher}}, rules: {mine: {min: 3}}",
    ],
)
def test_an_editor_lets_every_metric_be_that_can_be(check: str) -> None:
    assert not is_marked(check)


def test_a_third_partys_metric_that_is_installed_is_in_the_schema_of_this_machine() -> None:
    here = jsonschema.Draft202012Validator(json_schema(["theirs"]))
    assert is_marked("rules: {theirs: {min: 0.3}}")
    assert not is_marked("rules: {theirs: {min: 0.3}}", here)


def test_an_editor_completes_metrics_wherever_they_are_named() -> None:
    schema: Any = json_schema()
    keys = schema["$defs"]["accuracy-check"]["properties"]
    assert {"bleu", "rougeL", "wer", "error_rate"} <= set(keys["rules"]["properties"])
    listed, mapped = keys["metrics"]["anyOf"]
    assert "rougeL" in listed["items"]["anyOf"][0]["enum"]
    assert "rougeL" in mapped["properties"]


def test_no_class_of_pythons_is_shown_to_people() -> None:
    text = json.dumps(json_schema())
    assert not [section.__name__ for section in sections() if re.search(rf"\b{section.__name__}\b(?!`| )", text)]
    titles = set(re.findall(r'"title": "([^"]*)"', text))
    assert titles >= {"rule", "file data", "model", "mlgate.yaml"}
    assert all(title == title.lower() for title in titles)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("30s", "30s"), ("500ms", "500ms"), ("2m", "2m"), ("90s", "90s"), ("60s", "1m"), ("1.5s", "1500ms")],
)
def test_a_span_of_time_is_shown_as_people_write_it(text: str, shown: str) -> None:
    endpoint = Endpoint.model_validate({"url": "http://h", "protocol": "kserve-v1", "timeout": text})
    assert show(endpoint.timeout) == shown
    assert Endpoint.model_validate({"url": "http://h", "protocol": "kserve-v1", "timeout": shown}) == endpoint
