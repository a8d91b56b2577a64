"""Where verdicts are remembered: what the file may say, and which model is registered."""

from __future__ import annotations

from datetime import timedelta

import pytest
from tests.unit.config.small import EVERY_KEY, config, told, tracked

from mlgate.config.load import parse
from mlgate.config.sections.document import registered_name


def test_a_file_may_say_all_of_it() -> None:
    tracking = parse(EVERY_KEY, "m.yaml").tracking
    assert tracking is not None
    assert (tracking.uri, tracking.experiment, tracking.artifacts) == (
        "sqlite:///mlflow.db",
        "summarizer",
        "mlartifacts",
    )
    assert (tracking.required, tracking.timeout) == (True, timedelta(seconds=5))
    registry = tracking.registry
    assert (registry.name, registry.source) == ("summarizer", "s3://models/summarizer")
    assert registry.require is not None
    assert registry.require.tag == "approved_by"
    assert registry.stages == {"candidate": "Staging", "champion": "Production", "old": "None"}


def test_without_a_word_nothing_is_remembered() -> None:
    assert config().tracking is None


@pytest.mark.parametrize("written", ["", "{}", "{registry: {}}"])
def test_nothing_but_mlflow_leaves_the_address_to_the_environment(written: str) -> None:
    tracking = tracked(written)
    assert (tracking.uri, tracking.experiment, tracking.artifacts) == (None, None, "mlartifacts")
    assert (tracking.required, tracking.timeout) == (False, timedelta(seconds=10))
    assert (tracking.registry.name, tracking.registry.source, tracking.registry.require) == (None, None, None)
    assert tracking.registry.stages == {}


@pytest.mark.parametrize(
    ("rest", "expected"),
    [
        (
            "tracking:",
            "m.yaml:4:10: tracking has no value (write one, or delete the key)",
        ),
        (
            "tracking: {}",
            (
                "m.yaml:4:1: tracking.mlflow is missing "
                "(write `mlflow:`, the address of MLflow, a mapping, or nothing: then the environment says where it is)"
            ),
        ),
        (
            "tracking: mlflow",
            "m.yaml:4:11: tracking must be a mapping, but is the text 'mlflow' (write tracking: {mlflow: sqlite:///mlflow.db})",
        ),
        (
            "tracking: {wandb: x, mlflow: }",
            "m.yaml:4:12: tracking.wandb is unknown (tracking has: mlflow)",
        ),
        (
            "tracking: {mlflow: 5}",
            "m.yaml:4:20: tracking.mlflow must be an address or a mapping, but is the number 5",
        ),
        (
            "tracking: {mlflow: {uri: }}",
            "m.yaml:4:26: tracking.mlflow.uri has no value (write one, or delete the key)",
        ),
        (
            'tracking: {mlflow: {experiment: ""}}',
            "m.yaml:4:33: tracking.mlflow.experiment is empty",
        ),
        (
            'tracking: {mlflow: {experiment: " a"}}',
            "m.yaml:4:33: tracking.mlflow.experiment must be one line of at most 500 characters, no blank at its ends",
        ),
        (
            "tracking: {mlflow: {uri: http://h, artifacts: a}}",
            (
                "m.yaml:4:47: tracking.mlflow.artifacts is not for a server: it decides itself where artifacts go "
                "(delete it; the server's own option is --artifacts-destination)"
            ),
        ),
        (
            "tracking: {mlflow: {uri: databricks, artifacts: a}}",
            (
                "m.yaml:4:49: tracking.mlflow.artifacts is not for a server: it decides itself where artifacts go "
                "(delete it; the server's own option is --artifacts-destination)"
            ),
        ),
        (
            "tracking: {mlflow: {artifacts: s3://models}}",
            (
                "m.yaml:4:32: tracking.mlflow.artifacts must be a folder of this machine "
                "(relative to the configuration's folder, e.g. mlartifacts)"
            ),
        ),
        (
            "tracking: {mlflow: {required: 1}}",
            "m.yaml:4:31: tracking.mlflow.required must be true or false, but is the number 1 (write true)",
        ),
        (
            "tracking: {mlflow: {timeout: 10}}",
            "m.yaml:4:30: tracking.mlflow.timeout must have a unit (write 10s, 10ms or 10m)",
        ),
        (
            "tracking: {mlflow: {registry: }}",
            "m.yaml:4:31: tracking.mlflow.registry has no value (write a mapping)",
        ),
        (
            "tracking: {mlflow: {registry: {require: approved_by}}}",
            "m.yaml:4:41: tracking.mlflow.registry.require must be a mapping, but is the text 'approved_by'",
        ),
        (
            "tracking: {mlflow: {registry: {require: {}}}}",
            (
                "m.yaml:4:32: tracking.mlflow.registry.require.tag is missing "
                "(write `tag:`, the version's tag that must not be empty: `approved_by`)"
            ),
        ),
        (
            "tracking: {mlflow: {registry: {stages: {champion: Live}}}}",
            (
                "m.yaml:4:51: tracking.mlflow.registry.stages.champion must be one of Staging, Production, Archived, "
                "None, but is the text 'Live' (write e.g. Staging)"
            ),
        ),
    ],
)
def test_a_mistake_in_tracking_is_told_with_the_right_key(rest: str, expected: str) -> None:
    assert told(rest=rest) == expected


@pytest.mark.parametrize(
    ("model", "rest", "expected"),
    [
        ("{name: summarizer, python: a:b}", "", "summarizer"),
        ("{python: a:b}", "", "model"),
        ("{name: org/m, python: a:b}", "", None),
        ("{name: org/m, python: a:b}", "tracking: {mlflow: }", None),
        ("{name: org/m, python: a:b}", "tracking: {mlflow: {registry: {name: m}}}", "m"),
        ("{name: summarizer, python: a:b}", "tracking: {mlflow: {registry: {name: m}}}", "m"),
    ],
)
def test_a_model_is_registered_by_the_registrys_name_else_its_own(model: str, rest: str, expected: str | None) -> None:
    assert registered_name(config(model=model, rest=rest).document) == expected
