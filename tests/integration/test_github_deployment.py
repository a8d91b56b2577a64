"""A rollout is shown as a deployment on a GitHub that holds every call against GitHub's own OpenAPI description."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from tests.support.fake_github import REPOSITORY, TOKEN, FakeGithub, Fault, serving, states

from mlgate.adapters.github.client import GithubClient
from mlgate.adapters.github.deployments import GithubDeployments
from mlgate.adapters.github.retries import Retries
from mlgate.adapters.github.rollout_progress import DeploymentProgress
from mlgate.core.deploy.release import Deployed, Release, ServiceRecord
from mlgate.core.deploy.rollout import Health, Plan, Reading, Rollout
from mlgate.core.outcome import Outcome

pytestmark = pytest.mark.needs_openapi

SHA = "1" * 40
URL = "https://github.com/acme/model/actions/runs/4"
PLAN = Plan((50, 100), 0.0, 60.0, 5000.0)


def rollout(began: float, name: str = "summarizer-1", commit: str = SHA) -> ServiceRecord:
    """Return the record of a rollout that begins."""
    candidate = Deployed(Release(commit=commit), (), name)
    return ServiceRecord().begin(candidate, Rollout(PLAN, began), mode="route", owner="somebody")


def story(record: ServiceRecord, *, is_good: bool) -> Sequence[ServiceRecord]:
    """Return a record after each reading until its rollout is over."""
    found = [record]
    while record.is_under_way:
        assert record.rollout is not None
        at = record.rollout.began + len(found)
        seen = Reading(at, Health.READY, Health.ABSENT, record.rollout.weight, is_settled=True, judged=Outcome.PASSED)
        worse = replace(seen, judged=Outcome.FAILED, why=f"p95_ms 400 is above {'the maximum ' * 20}300")
        record = record.after(seen if is_good or record.rollout.weight == 0 else worse)
        found.append(record)
    return found


class Desk:
    """One GitHub, and what is told beside it."""

    def __init__(self, github: FakeGithub, client: GithubClient) -> None:
        self.github, self.client = github, client
        self.notices: list[str] = []

    def progress(self) -> DeploymentProgress:
        own = GithubDeployments(self.client, REPOSITORY)
        return DeploymentProgress(own, "production", URL, lambda _: f"it ended {'so ' * 90}", self.notices.append)

    def shown(self, records: Sequence[ServiceRecord]) -> None:
        progress = self.progress()
        for record in records:
            progress.show(record, Reading(0.0))


@pytest.fixture
def desk() -> Iterator[Desk]:
    with serving() as github:
        patience = Retries(10.0, sleep=lambda _: None, clock=lambda: 0.0, now=lambda: 0.0)
        with GithubClient(github.url, TOKEN, patience) as client:
            yield Desk(github, client)


@pytest.mark.parametrize(("is_good", "ends"), [(True, "success"), (False, "failure")])
def test_a_rollout_is_in_progress_and_then_a_success_or_a_failure(desk: Desk, is_good: bool, ends: str) -> None:
    desk.shown(story(rollout(1000.0), is_good=is_good))
    (one,) = desk.github.deployments
    assert states(one) == ["in_progress", ends]
    assert (one["sha"], one["environment"], one["required_contexts"]) == (SHA, "production", [])
    assert {status["log_url"] for status in one["statuses"]} == {URL}
    assert not desk.notices


def test_who_goes_on_with_a_rollout_goes_on_with_its_deployment(desk: Desk) -> None:
    records = story(rollout(1000.5), is_good=True)
    desk.shown(records[:3])
    desk.shown(records[3:])
    (one,) = desk.github.deployments
    assert states(one) == ["in_progress", "in_progress", "success"]


def test_the_same_model_deployed_again_is_another_deployment(desk: Desk) -> None:
    desk.shown(story(rollout(1000.0), is_good=False))
    desk.shown(story(rollout(2000.0), is_good=True))
    assert [states(one) for one in desk.github.deployments] == [["in_progress", "failure"], ["in_progress", "success"]]


def test_a_model_that_follows_makes_the_one_before_inactive(desk: Desk) -> None:
    desk.shown(story(rollout(1000.0), is_good=True))
    desk.shown(story(rollout(2000.0, "summarizer-2"), is_good=True))
    assert [states(one)[-1] for one in desk.github.deployments] == ["inactive", "success"]


def test_a_deployment_of_which_nobody_knows_whether_it_was_made_is_made_once(desk: Desk) -> None:
    desk.github.faults = [Fault("POST", "/deployments$", 502, after=True)]
    desk.shown(story(rollout(1000.0), is_good=True))
    (one,) = desk.github.deployments
    assert states(one) == ["in_progress", "success"]


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/deployments$"), ("POST", "/deployments$"), ("POST", "statuses")]
)
@pytest.mark.parametrize("status", [0, 403, 500, 503])
def test_what_github_does_not_take_is_told_and_changes_nothing(desk: Desk, method: str, path: str, status: int) -> None:
    desk.github.faults = [Fault(method, path, status, times=99)]
    desk.shown(story(rollout(1000.0), is_good=True))
    assert len(desk.notices) == 2
    assert all(said.startswith("GitHub is not told of the rollout: ") for said in desk.notices)
    assert status != 403 or "deployments: write" in desk.notices[0]


def test_a_commit_that_github_does_not_have_is_told(desk: Desk) -> None:
    desk.github.commits = {"2" * 40: ()}
    desk.shown(story(rollout(1000.0), is_good=True)[:1])
    assert "No ref found" in desk.notices[0]


def test_a_model_of_no_known_commit_is_told_once_and_not_shown(desk: Desk) -> None:
    desk.shown(story(rollout(1000.0, commit=""), is_good=True)[:2])
    assert desk.notices == ["summarizer-1 is of no known commit: GitHub is not told of it"]
    assert not desk.github.calls
