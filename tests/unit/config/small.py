"""Small configurations, sound but for one part, and what is told about it."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlgate.config.config import Config
from mlgate.config.load import parse
from mlgate.config.sections.tracking import MlflowTracking
from mlgate.core.errors import ConfigError

FOLDER = Path(__file__).parent
EVERY_KEY = (FOLDER / "every_key.yaml").read_text()
EVERY_TIMED_KEY = (FOLDER / "every_key_timed.yaml").read_text()
BASELINE = "baseline: {from: file, path: b}\n"
BESIDE = 'baseline: {from: endpoint, url: "http://b"}\n'
RULE = "{{data: x.csv, rules: {{{}}}}}"
TIMED = "{{kind: latency, data: x.csv, load: {}, rules: {{{}}}}}"
ENDPOINT = "{{endpoint: {{url: http://h, protocol: {}}}}}"
IMAGE = "{{image: {{{}, protocol: kserve-v1}}}}"
SERVED = ENDPOINT.format("kserve-v1")
JARGON = (
    "Input should",
    "extra_forbidden",
    "Extra inputs",
    "Field required",
    "_type",
    "valid dictionary",
    "pydantic",
    "cannot be used (see docs",
    "Traceback",
    "NoneType",
    "AccuracyCheck",
    "FileData",
    "LatencyCheck",
    "RateLoad",
    "ImageBaseline",
    "MlflowBaseline",
    "MlflowTracking",
)


def faults(text: str) -> list[ConfigError]:
    with pytest.raises(ConfigError) as caught:
        parse(text, "m.yaml")
    assert caught.value.exit_code == 2
    return [caught.value, *caught.value.more]


def config(
    check: str = "{data: x.csv, rules: {bleu: {min: 1}}}", model: str = "{python: a:b}", rest: str = ""
) -> Config:
    return parse(f"version: 1\nmodel: {model}\nchecks: {{c: {check}}}\n{rest}", "m.yaml")


def told(**parts: str) -> str:
    """Return the one fault of a file that is sound but for *parts*."""
    with pytest.raises(ConfigError) as caught:
        config(**parts)
    assert not caught.value.more, caught.value.more
    return str(caught.value)


def tracked(written: str) -> MlflowTracking:
    """Return what `tracking: {mlflow: …}` means."""
    tracking = config(rest=f"tracking: {{mlflow: {written}}}").tracking
    assert tracking is not None
    return tracking


def untracked(written: str) -> str:
    """Return what is told of the one fault under `tracking.mlflow`, without its place."""
    (found,) = faults(
        "version: 1\nmodel: {python: a:b}\nchecks: {c: {data: x.csv, rules: {bleu: {min: 1}}}}\n"
        f"tracking: {{mlflow: {written}}}"
    )
    assert found.where.startswith("m.yaml:4:")
    return f"{found.message} ({found.hint})" if found.hint else found.message
