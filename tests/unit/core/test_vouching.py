"""What vouches for a baseline, and everything that a change could put in its place."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlgate.core.vouching import VOUCHING_EVENTS, KeptEvidence, Repository, Run, RunOrigin, flaw, nearest, vouches

OURS = Repository(1, "main")
A, B, C, D = (letter * 40 for letter in "abcd")
ORIGIN = RunOrigin(run=100, repository=1, head_repository=1, branch="main", sha=B)
KEPT = KeptEvidence(9, ORIGIN, expired=False, created="2026-11-02T09:12:00Z")

OTHERS = {
    "a pull request's own run": (replace(ORIGIN, branch="feature"), "of another branch than main"),
    "a fork's branch of the same name": (replace(ORIGIN, head_repository=2), "of a fork"),
    "a fork that was deleted": (replace(ORIGIN, head_repository=0), "of a fork"),
    "another repository": (replace(ORIGIN, repository=2, head_repository=2), "of a fork"),
    "a branch called as another repository's default": (replace(ORIGIN, branch="master"), "of another branch"),
    "a branch that only begins so": (replace(ORIGIN, branch="main/2"), "of another branch"),
    "a branch in other letters": (replace(ORIGIN, branch="Main"), "of another branch"),
    "the merge queue's branch": (replace(ORIGIN, branch="gh-readonly-queue/main/pr-7-b"), "of another branch"),
    "no branch": (replace(ORIGIN, branch=""), "of another branch"),
    "the run that judges": (replace(ORIGIN, run=7), "of this run itself"),
}


@pytest.mark.parametrize("what", OTHERS)
def test_what_a_change_can_upload_is_no_baseline(what: str) -> None:
    origin, why = OTHERS[what]
    assert why in flaw(replace(KEPT, origin=origin), OURS, "7")


def test_what_the_default_branch_kept_is_one_until_it_expires() -> None:
    assert flaw(KEPT, OURS, "7") == ""
    assert flaw(replace(KEPT, expired=True), OURS, "7") == "expired"


@pytest.mark.parametrize(
    "event",
    [
        "pull_request",
        "pull_request_target",
        "workflow_run",
        "merge_group",
        "issue_comment",
        "release",
        "deployment",
        "",
    ],
)
def test_a_run_that_a_change_or_a_stranger_starts_vouches_for_nothing(event: str) -> None:
    """A pull request *from* main, into another branch, has main's name and main's repository."""
    assert not vouches(Run(ORIGIN, event), KEPT)


@pytest.mark.parametrize("event", sorted(VOUCHING_EVENTS))
def test_a_run_of_the_branch_s_own_code_vouches(event: str) -> None:
    assert vouches(Run(ORIGIN, event), KEPT)


@pytest.mark.parametrize(
    "other", [{"sha": C}, {"branch": "feature"}, {"head_repository": 2}, {"run": 101}, {"repository": 2}]
)
def test_a_run_that_is_told_of_in_two_ways_vouches_for_nothing(other: dict[str, object]) -> None:
    assert not vouches(Run(replace(ORIGIN, **other), "push"), KEPT)  # type: ignore[arg-type]


def kept(sha: str, run: int, number: int = 1) -> KeptEvidence:
    return replace(KEPT, id=number, origin=replace(ORIGIN, sha=sha, run=run))


def test_a_tag_with_the_branch_s_name_at_a_commit_of_its_own_is_not_in_the_history() -> None:
    assert nearest([kept(D, 900)], [A, B, C]) == []


def test_an_old_run_that_is_started_again_stays_old() -> None:
    """Its upload is the newest, and so is its attempt; its number and its commit are not."""
    old, new = kept(C, 50, number=99), kept(B, 60, number=10)
    assert nearest([old, new], [A, B, C]) == [(new, 1), (old, 2)]


def test_a_new_run_of_an_old_commit_is_behind_the_newer_commit() -> None:
    assert [one.origin.run for one, _ in nearest([kept(C, 900), kept(B, 60)], [A, B, C])] == [60, 900]


def test_of_one_commit_the_newest_run_counts_and_of_that_its_last_upload() -> None:
    several = [kept(B, 60, 1), kept(B, 61, 2), kept(B, 61, 3)]
    assert [one.id for one, _ in nearest(several, [A, B])] == [3, 2, 1]


def test_a_baseline_of_a_later_commit_is_not_in_the_history_of_an_older_base() -> None:
    assert nearest([kept(A, 100)], [B, C]) == []


@given(st.permutations([kept(sha, run, number) for sha in (A, B, D) for run in (5, 6) for number in (1, 2)]))
def test_the_order_in_which_github_lists_them_does_not_matter(listed: list[KeptEvidence]) -> None:
    assert nearest(listed, [A, B, C]) == nearest(sorted(listed, key=lambda one: one.id), [A, B, C])
    assert {one.origin.sha for one, _ in nearest(listed, [A, B, C])} == {A, B}
