"""What only the evidence shows of the question: it is told, and the base's ratchet refuses what the change named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.unit.wiring.test_base_sections import OLD, image

from mlgate.adapters.git.base_commit import BaseCommit
from mlgate.core.check import Suite
from mlgate.core.errors import Refused
from mlgate.core.evidence import Evidence, Provenance
from mlgate.core.rule_change import Policy
from mlgate.wiring.base_rules import Binding
from mlgate.wiring.project import Project


def project(
    tag: str = "built", *, names_its_model: bool = False, is_given_its_image: bool = False, ratchet: bool = False
) -> Project:
    return Project(
        image(rest=OLD, tag=tag),
        Suite.of(()),
        Binding(Policy("base"), base=BaseCommit(Path(), "b" * 40), names_its_model=names_its_model, ratchet=ratchet),
        is_given_its_image=is_given_its_image,
    )


def ratcheted(one: Project) -> Project:
    return replace(one, binding=replace(one.binding, ratchet=True))


def said(one: Project, model: str) -> list[str]:
    policy = one._policy_over(Evidence.of(Provenance("c", "s", model, (), "the baseline"), [], []))
    assert policy
    return [change.what for change in policy.questions]


def test_an_image_that_the_caller_names_and_that_is_the_baseline_is_told() -> None:
    (what,) = said(project(is_given_its_image=True), "the baseline")
    assert "compared with itself" in what
    assert not said(project(is_given_its_image=True), "another")


def test_the_ratchet_refuses_it_where_the_change_or_the_caller_named_the_baseline() -> None:
    for one in (project(names_its_model=True), project("latest", is_given_its_image=True)):
        with pytest.raises(Refused, match="compared with itself"):
            said(ratcheted(one), "the baseline")
        assert said(one, "the baseline"), "without a ratchet, or approved, it is a warning"
        assert not said(ratcheted(one), "another")


def test_a_build_that_came_out_like_the_baseline_is_told_and_not_refused() -> None:
    assert said(project(is_given_its_image=True, ratchet=True), "the baseline")
