"""A model's digest in the form before is told where it is known, and nothing is pulled or built to know it."""

from __future__ import annotations

import pytest
from tests.unit.config.small import ENDPOINT, config

from mlgate.core.check import Suite
from mlgate.core.identity import FIRST_FORM
from mlgate.wiring.project import Project

IMAGES = ["image: {ref: nowhere.example/clerk, protocol: kserve-v1}", "image: {build: ., protocol: kserve-v1}"]


def project(model: str) -> Project:
    return Project(config(model=model), Suite.of(()))


@pytest.mark.parametrize("image", IMAGES)
def test_an_image_that_this_run_only_heard_of_is_neither_pulled_nor_built(image: str) -> None:
    assert project(f"{{{image}}}").model_before("a" * 64) == ""


def test_an_endpoint_is_told_by_how_it_is_asked() -> None:
    one = project(ENDPOINT.format("kserve-v1"))
    assert one.model_before("a" * 64) == one.model(FIRST_FORM) != one.model()


@pytest.mark.parametrize("model", ["{python: m:f}", "{answers: answers.jsonl}"])
def test_code_and_answers_have_one_digest_in_every_form(model: str) -> None:
    assert project(model).model_before("a" * 64) == "a" * 64
