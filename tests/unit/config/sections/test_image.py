"""A model from an image, and a baseline that runs beside the candidate."""

from __future__ import annotations

import json

import pytest
from tests.unit.config.small import BESIDE, ENDPOINT, EVERY_TIMED_KEY, IMAGE, SERVED, TIMED, config, told

from mlgate.config.load import parse
from mlgate.config.sections.image import Build, Image
from mlgate.config.sections.memory_size import show
from mlgate.config.sections.model import ModelSection


def image_of(keys: str) -> Image:
    image = config(model=IMAGE.format(keys)).model.image
    assert image is not None
    return image


def test_an_image_has_the_documented_defaults() -> None:
    image = image_of("ref: 'm:pr'")
    assert (image.ref, image.port, image.sandbox, image.memory, image.cpus, image.gpus, image.tmp_exec) == (
        "m:pr",
        8080,
        "strict",
        2048,
        1,
        0,
        False,
    )
    assert (image.timeout.total_seconds(), image.ready_within.total_seconds()) == (30, 60)


def test_a_folder_stands_for_how_it_is_built() -> None:
    assert image_of("build: .").build == Build(context=".")


def test_a_command_may_repeat_itself() -> None:
    assert image_of("ref: m, command: [serve, --a, '1', --b, '1']").command == ("serve", "--a", "1", "--b", "1")


@pytest.mark.parametrize(
    ("keys", "path"),
    [
        ("protocol: kserve-v1", "/v1/models/my%20model"),
        ("protocol: kserve-v1, model: a/b", "/v1/models/a%2Fb"),
        ("protocol: kserve-v2", "/v2/models/my%20model/ready"),
        ("protocol: openai-chat", "/v1/models"),
        ("protocol: openai-completions, ready: '/health?deep=1'", "/health?deep=1"),
        ("protocol: json, request: '{input}', answer: a", ""),
    ],
)
def test_an_image_is_ready_when_its_protocol_says_so(keys: str, path: str) -> None:
    assert config(model=f"{{name: my model, image: {{ref: m, {keys}}}}}").model.ready_path == path


@pytest.mark.parametrize(
    ("text", "megabytes", "shown"), [("2GB", 2048, "2GB"), ("512MB", 512, "512MB"), ("1.5 GB", 1536, "1536MB")]
)
def test_memory_is_counted_in_mb(text: str, megabytes: int, shown: str) -> None:
    assert image_of(f"ref: m, memory: {text}").memory == megabytes
    assert show(megabytes) == shown


def test_a_model_from_an_image_comes_back_from_its_json() -> None:
    section = parse(EVERY_TIMED_KEY, "m.yaml").model
    written = json.loads(json.dumps(section.model_dump(mode="json", exclude_unset=True)))
    assert ModelSection.model_validate(written) == section


def test_a_baselines_image_runs_as_the_candidates_does() -> None:
    whole = parse(EVERY_TIMED_KEY, "m.yaml")
    candidate, baseline = whole.model.image, whole.baseline_model
    assert candidate is not None
    assert baseline is not None
    assert baseline.image is not None
    assert (baseline.image.ref, baseline.image.build, baseline.name) == ("summarizer:main", None, whole.model.name)
    same = {"ref", "build"}
    assert baseline.image.model_dump(exclude=same) == candidate.model_dump(exclude=same)


def test_a_baselines_server_is_asked_as_the_candidates_is() -> None:
    model = "{endpoint: {url: http://h, protocol: kserve-v2, headers: {A: {env: TOKEN}}, timeout: 3s}}"
    sound = config(model=model, rest=BESIDE)
    assert sound.baseline_model is not None
    assert sound.model.endpoint is not None
    assert sound.baseline_model.endpoint == sound.model.endpoint.model_copy(update={"url": "http://b"})


@pytest.mark.parametrize("rest", ["", "baseline: {from: file, path: b}", "baseline: {from: git, ref: m, path: b}"])
def test_kept_evidence_is_no_model_that_runs(rest: str) -> None:
    assert config(rest=rest).baseline_model is None


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        (
            "port: 80",
            "m.yaml:2:9: model.image needs one of ref and build (e.g. ref: summarizer:pr, or build: .)",
        ),
        (
            "ref: a, build: .",
            "m.yaml:2:9: model.image has ref and build: an image is there, or is built (keep one of them)",
        ),
        ("ref: -v", "m.yaml:2:22: model.image.ref is no image's name (e.g. ref: summarizer:pr)"),
        ("ref: a, port: 0", "m.yaml:2:31: model.image.port must be at least 1, but is the number 0 (write 1 or more)"),
        ("ref: a, ready: health", "m.yaml:2:32: model.image.ready must be a path like /healthz (begin with /)"),
        ("ref: a, ready: //evil", "m.yaml:2:32: model.image.ready must be a path like /healthz (begin with /)"),
        (
            "ref: a, command: serve",
            "m.yaml:2:34: model.image.command must be a list, but is the text 'serve' (put it in brackets: [serve])",
        ),
        ("ref: a, command: []", "m.yaml:2:25: model.image.command is empty (write at least one entry)"),
        (
            "ref: a, env: {LD_PRELOAD: /x.so}",
            "m.yaml:2:43: model.image.env.LD_PRELOAD is emptied by the sandbox (delete it)",
        ),
        (
            "ref: a, env: {THREADS: 1}",
            'm.yaml:2:40: model.image.env.THREADS must be text, but is the number 1 (quote it: "1")',
        ),
        (
            "ref: a, sandbox: none",
            (
                "m.yaml:2:34: model.image.sandbox must be one of strict, internal, open, but is the text 'none' "
                "(write e.g. strict)"
            ),
        ),
        ("ref: a, memory: 2", "m.yaml:2:33: model.image.memory must have a unit (write 2GB or 2MB)"),
        (
            "ref: a, memory: 2TB",
            "m.yaml:2:33: model.image.memory must be an amount of memory (write it like 2GB or 512MB)",
        ),
        (
            "ref: a, memory: 1MB",
            "m.yaml:2:33: model.image.memory must be at least 16MB and at most 4096GB (write it like 2GB or 512MB)",
        ),
        ("ref: a, cpus: 0.5", "m.yaml:2:31: model.image.cpus must be a whole number, but is the number 0.5 (write 1)"),
        (
            "ref: a, gpus: true",
            "m.yaml:2:31: model.image.gpus must be all or a number of GPUs, but is true (0 to 64, or all)",
        ),
        (
            "build: https://evil/x.git",
            (
                "m.yaml:2:24: model.image.build.context must be a path, and not begin with - "
                "(relative to the configuration's folder)"
            ),
        ),
        (
            "build: {context: ., target: --x}",
            "m.yaml:2:45: model.image.build.target is no build stage's name",
        ),
    ],
)
def test_a_mistake_in_an_image_is_told_with_the_right_key(keys: str, expected: str) -> None:
    assert told(model=IMAGE.format(keys)) == expected


@pytest.mark.parametrize(
    ("model", "rest", "expected"),
    [
        (
            SERVED,
            "baseline: {from: image, ref: m}",
            (
                "m.yaml:4:18: baseline.from takes all else from model.image, and the model has none "
                "(write model: {image: …}, or keep evidence: baseline: {from: file, path: baseline.jsonl.gz})"
            ),
        ),
        (
            IMAGE.format("ref: m"),
            BESIDE,
            (
                "m.yaml:4:18: baseline.from takes all else from model.endpoint, and the model has none "
                "(write model: {endpoint: …}, or keep evidence: baseline: {from: file, path: baseline.jsonl.gz})"
            ),
        ),
        (
            IMAGE.format("ref: m"),
            "baseline: {from: image}",
            "m.yaml:4:1: baseline needs one of ref and build (e.g. ref: summarizer:pr, or build: .)",
        ),
        (
            SERVED,
            "baseline: {from: endpoint, url: 'http://a:b@h'}",
            (
                "m.yaml:4:33: baseline.url must not hold a user or a password "
                "(send them as a header: {Authorization: {env: TOKEN}})"
            ),
        ),
    ],
)
def test_a_mistake_in_a_baseline_that_runs_is_told(model: str, rest: str, expected: str) -> None:
    assert told(model=model, rest=rest) == expected


def test_grpc_is_for_endpoints_and_closed_loops() -> None:
    loaded = TIMED.format("{rate: 50}", "p95_ms: {max: 9}")
    assert "needs `concurrency`" in told(model=ENDPOINT.format("kserve-v2-grpc"), check=loaded)
    image = IMAGE.format("ref: a").replace("kserve-v1", "kserve-v2-grpc")
    assert "a sandbox is asked over HTTP" in told(model=image)
