"""The comment in a pull request: from a fork's run, by its artifact, to GitHub's API; written once, then updated."""

from __future__ import annotations

import pytest
from tests.act.conftest import Act
from tests.act.consumer import FULL_NAME, NUMBER, Consumer, Event
from tests.act.judged import held
from tests.act.project import BAD, EXAMPLES, GOOD, model, project, write
from tests.act.ran import Ran
from tests.support import fake_github
from tests.support.fake_github import FakeGithub, Pull

pytestmark = [pytest.mark.needs_act, pytest.mark.needs_openapi]


def commented(act: Act, consumer: Consumer, github: FakeGithub, of: Event, run_id: int, conclusion: str) -> Ran:
    """Run fork-comment.yml as it is on main, after the run *run_id* of the pull request *of*."""
    event = consumer.workflow_run(of, run_id, conclusion, name="gate")
    return act(
        consumer,
        event,
        workflow=".github/workflows/fork-comment.yml",
        env={"GITHUB_API_URL": github.url},
        secrets={"GITHUB_TOKEN": fake_github.TOKEN},
    )


def test_a_forks_pull_request_gets_one_comment_that_later_runs_update(act: Act, consumer: Consumer) -> None:
    assert fake_github.REPOSITORY == FULL_NAME
    example = (EXAMPLES / "fork-comment.yml").read_text()
    project(consumer, **{".github/workflows/fork-comment.yml": example})
    with fake_github.serving() as github:
        for kept, verdict, code in ((BAD, "failed", 1), (GOOD, "passed", 0)):
            consumer.checkout("feature")
            write(consumer, {"model.py": model(kept)})
            event = consumer.pull_request(fork=True)
            ran = act(consumer, event)
            held(ran, verdict, code)
            head = event.payload["pull_request"]["head"]
            github.pulls = [Pull(NUMBER, head["sha"], head["ref"], "stranger/model")]
            done = commented(act, consumer, github, event, ran.run_id, "failure" if code else "success")
            assert (done.code, done.job("comment")) == (0, "success"), done
            (comment,) = github.comments
            assert (comment.issue, verdict.upper() in comment.body) == (NUMBER, True), comment.body
            assert f"/actions/runs/{ran.run_id}" in comment.body
    assert [call.split()[0] for call in github.writes] == ["POST", "PATCH"]


def test_a_run_that_left_no_report_is_told_of(act: Act, consumer: Consumer) -> None:
    project(consumer, **{".github/workflows/fork-comment.yml": (EXAMPLES / "fork-comment.yml").read_text()})
    consumer.commit()
    event = consumer.pull_request()
    with fake_github.serving() as github:
        github.pulls = [Pull(NUMBER, event.payload["pull_request"]["head"]["sha"])]
        done = commented(act, consumer, github, event, 99, "cancelled")
        assert done.code == 0, done
        (comment,) = github.comments
    assert "report.json is missing" in comment.body
