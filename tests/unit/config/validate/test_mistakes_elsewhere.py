"""Threat T21: mistakes in the model, the baseline and the reports, and the words that each is told in."""

from __future__ import annotations

import pytest
from tests.unit.config.small import ENDPOINT, faults, told


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("{}", "m.yaml:2:1: model needs one of endpoint, image, python and answers (e.g. python: pkg.mod:fn)"),
        (
            "{python: a:b, answers: x}",
            "m.yaml:2:1: model has python and answers: a run asks one model (keep one of them)",
        ),
        ("{python: a.b}", "m.yaml:2:17: model.python.target must be a function like pkg.mod:fn (write a:b)"),
        (
            "{python: 5}",
            "m.yaml:2:17: model.python must be a function like pkg.mod:fn, or a mapping, but is the number 5",
        ),
        ("{answers: ''}", "m.yaml:2:18: model.answers.path is empty"),
        (
            "{endpoint: {url: http://h}}",
            (
                "m.yaml:2:9: model.endpoint.protocol is missing (write `protocol:`, how the server wants to be asked: "
                "kserve-v1, kserve-v2, kserve-v2-grpc, openai-chat, openai-completions or json)"
            ),
        ),
        (
            "{endpoint: {url: ftp://h, protocol: kserve-v1}}",
            "m.yaml:2:25: model.endpoint.url must begin with http:// or https:// (write it like http://127.0.0.1:8080)",
        ),
        (
            "{endpoint: {url: 'http://a:b@h', protocol: kserve-v1}}",
            (
                "m.yaml:2:25: model.endpoint.url must not hold a user or a password "
                "(send them as a header: {Authorization: {env: TOKEN}})"
            ),
        ),
        (
            "{endpoint: {url: 'http://h:99999', protocol: kserve-v1}}",
            "m.yaml:2:25: model.endpoint.url is no address (write it like http://127.0.0.1:8080)",
        ),
        (
            ENDPOINT.format("kserve-v1, headers: {Authorization: Bearer abc}"),
            (
                "m.yaml:2:81: model.endpoint.headers.Authorization must come from an environment variable "
                '(write {env: NAME} or {env: NAME, prefix: "Bearer "})'
            ),
        ),
        (
            ENDPOINT.format("kserve-v1, headers: {Connection: {env: A}}"),
            "m.yaml:2:66: model.endpoint.headers.Connection is written by the gate itself (delete it)",
        ),
        (
            ENDPOINT.format("json"),
            'm.yaml:2:9: model.endpoint needs `request` with protocol json (write request: {text: "{input}"})',
        ),
        (
            ENDPOINT.format("json, request: {'{input}': 1}, answer: a"),
            (
                'm.yaml:2:51: model.endpoint.request must contain "{input}" '
                '(write where the input goes: {text: "{input}"})'
            ),
        ),
        (
            ENDPOINT.format('json, request: "{input}", answer: a, params: {n: 1}'),
            "m.yaml:2:82: model.endpoint.params is not for protocol json (write it into `request`)",
        ),
        (
            ENDPOINT.format("openai-chat, batch: 2"),
            "m.yaml:2:65: model.endpoint.batch must be 1 with protocol openai-chat (use `concurrency` instead)",
        ),
        (
            ENDPOINT.format("kserve-v1, prompt: hello"),
            (
                "m.yaml:2:64: model.endpoint.prompt must contain {input} "
                '(write where the input goes: "Summarise: {input}")'
            ),
        ),
        (
            ENDPOINT.format("kserve-v1, timeout: 30"),
            "m.yaml:2:65: model.endpoint.timeout must have a unit (write 30s, 30ms or 30m)",
        ),
        (
            ENDPOINT.format("kserve-v1, timeout: 0s"),
            (
                "m.yaml:2:65: model.endpoint.timeout must be more than 0 and at most a day "
                "(write it like 30s, 500ms or 2m)"
            ),
        ),
        (
            ENDPOINT.format("kserve-v1, retries: 1.5"),
            "m.yaml:2:65: model.endpoint.retries must be a whole number, but is the number 1.5 (write 2)",
        ),
    ],
)
def test_a_mistake_in_the_model_is_told_with_the_right_key(model: str, expected: str) -> None:
    assert told(model=model) == expected


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        ("report: [github, github]", "m.yaml:4:18: report[2] is listed twice (delete one of them)"),
        (
            "report: github",
            "m.yaml:4:9: report must be a list, but is the text 'github' (put it in brackets: [github])",
        ),
        ("report: []", "m.yaml:4:1: report is empty (write at least one entry)"),
        (
            "baseline: {from: gti, path: a}",
            (
                "m.yaml:4:18: baseline.from must be where the baseline is kept, but is the text 'gti' "
                "(did you mean `git`? there are: file, git, ci, mlflow, image, endpoint)"
            ),
        ),
        (
            "baseline: {from: git, ref: --upload-pack=x, path: a}",
            "m.yaml:4:28: baseline.ref is no git ref (e.g. refs/remotes/origin/main)",
        ),
        (
            "baseline: {from: git, ref: main, path: ../a}",
            (
                "m.yaml:4:40: baseline.path must be a path inside the repository "
                "(relative to the configuration's folder, without ..)"
            ),
        ),
        (
            "baseline: {path: a}",
            (
                "m.yaml:4:1: baseline.from is missing "
                "(write `from:`, where the baseline is kept: file, git, ci, mlflow, image or endpoint)"
            ),
        ),
        (
            "deplyo: {}",
            (
                "m.yaml:4:1: deplyo is unknown (did you mean `deploy`? "
                "the file has: version, model, checks, baseline, ratchet, report, tracking, trust, deploy)"
            ),
        ),
    ],
)
def test_a_mistake_in_the_rest_is_told_with_the_right_key(rest: str, expected: str) -> None:
    assert told(rest=rest) == expected


@pytest.mark.parametrize("text", ["[]", "5", "just text", "null", "~"])
def test_a_file_that_is_no_mapping_is_refused(text: str) -> None:
    (fault,) = faults(text)
    assert fault.where == "m.yaml:1:1"
    assert fault.message in {
        "the file must be a mapping, but is a list",
        "the file must be a mapping, but is the number 5",
        "the file must be a mapping, but is the text 'just text'",
        "the file has no value",
    }


@pytest.mark.parametrize("version", ["2", "true", "1.0", '"1"', "[1]", ""])
def test_only_version_1_is_read(version: str) -> None:
    (fault,) = faults(
        f"version: {version}\nmodel: {{python: a:b}}\nchecks: {{c: {{data: a.csv, rules: {{ter: {{max: 9}}}}}}}}"
    )
    assert (fault.message, fault.hint) == ("version must be 1", "this mlgate reads version 1 of the file")
