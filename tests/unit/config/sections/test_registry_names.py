"""Names of models, aliases and tags: MLflow takes each that is taken here."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mlflow.utils import validation
from pydantic import TypeAdapter, ValidationError
from tests.unit.config.small import tracked, untracked

from mlgate.config.sections.registry_names import TagName, alias, is_model_name
from mlgate.core.errors import ConfigError

MLFLOW: Any = validation  # its functions have no types

NAME = (
    "tracking.mlflow.registry.name is no registered model's name: at most 250 characters, without / : \\ and .., "
    "no blank at its ends (e.g. summarizer)"
)


@pytest.mark.parametrize(
    "name", ["org/m", "a:b", "a\\\\b", ".", "..", "a..b", "...", " a", "a ", "\\x85", "a\\nb", "a" * 251]
)
def test_a_name_that_no_model_can_be_registered_by_is_refused(name: str) -> None:
    assert untracked(f'{{registry: {{name: "{name}"}}}}') == NAME


@pytest.mark.parametrize("name", ["summarizer", "catalog.schema.model", "Résumé 模型", "a-b_c.d@e", "a" * 250])
def test_a_model_is_registered_by_its_own_name(name: str) -> None:
    assert tracked(f'{{registry: {{name: "{name}"}}}}').registry.name == name


TAG = (
    "tracking.mlflow.registry.require.tag is no tag that a person sets: letters, digits, _ . - : and inner blanks and "
    "/, at most 250; `mlgate.…` and `mlflow.…` are set by programs (e.g. approved_by)"
)


@pytest.mark.parametrize(
    "tag", ["mlgate.verdict", "mlflow.user", "a/../b", "a//b", "/a", "a/", " a", "a ", "é", "a" * 251]
)
def test_only_a_tag_that_people_set_can_be_waited_for(tag: str) -> None:
    assert untracked(f'{{registry: {{require: {{tag: "{tag}"}}}}}}') == TAG


@pytest.mark.parametrize("tag", ["approved_by", "mlgate", "team/approved by:whom", "a" * 250])
def test_a_tag_has_any_other_name(tag: str) -> None:
    require = tracked(f'{{registry: {{require: {{tag: "{tag}"}}}}}}').registry.require
    assert require is not None
    assert require.tag == tag


RESERVED = ["latest", "Latest", "v1", "V12", "a.b", "é", "a b", "a" * 256]


@pytest.mark.parametrize("name", RESERVED)
def test_an_alias_that_mlflow_keeps_for_itself_has_no_stage(name: str) -> None:
    said = untracked(f'{{registry: {{stages: {{"{name}": Production}}}}}}')
    assert "is no alias: letters, digits, _ and -, at most 255; `latest` and `v1`, `v2` … are MLflow's own" in said
    assert said.endswith("(e.g. champion)")


@pytest.mark.parametrize("name", [*RESERVED, "", "a\n", "champion\x1b[31m"])
def test_a_command_is_not_given_such_an_alias_either(name: str) -> None:
    with pytest.raises(ConfigError) as caught:
        alias(name, "--alias")
    assert str(caught.value).startswith("--alias ")
    assert str(caught.value).isprintable()
    assert caught.value.hint == "e.g. champion"


@pytest.mark.parametrize("name", ["champion", "latest-eu", "v1a", "v", "_", "-", "7", "a" * 255])
def test_any_other_alias_is_one(name: str) -> None:
    assert alias(name, "--alias") == name
    assert tracked(f'{{registry: {{stages: {{"{name}": Archived}}}}}}').registry.stages == {name: "Archived"}


@given(st.text(st.sampled_from("aé模 .:/\\@\n\t\x00\u2028-_%?#"), max_size=8) | st.text(max_size=260))
def test_mlflow_takes_every_model_name_that_is_taken_here(name: str) -> None:
    if is_model_name(name):
        MLFLOW._validate_model_name(name)
        assert name.strip() == name


@given(st.text(st.sampled_from("latesLATESTvV12-_."), max_size=8) | st.text(max_size=260))
def test_mlflow_takes_every_alias_that_is_taken_here(name: str) -> None:
    try:
        alias(name, "--alias")
    except ConfigError:
        return
    MLFLOW._validate_model_alias_name(name)
    MLFLOW._validate_model_alias_name_reserved(name)


@given(st.text(st.sampled_from("aml.gatef low_-:/ \n"), max_size=9) | st.text(max_size=260))
def test_mlflow_takes_every_tag_that_is_taken_here(name: str) -> None:
    try:
        TypeAdapter(TagName).validate_python(name)
    except ValidationError:
        return
    MLFLOW._validate_tag_name(name)
    assert not name.startswith("mlgate.")
