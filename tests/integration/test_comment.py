"""`mlgate comment` against a GitHub that holds every call against GitHub's own OpenAPI description."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.fake_github import TOKEN, FakeGithub, Fault, Pull, invalid, serving
from tests.support.github_events import RUN, SHA, URL, environ, event
from tests.support.samples import ALL, EVIL, failing, hostile, passing, warned

from mlgate.adapters.github.retries import Retries
from mlgate.commands.comment import LARGEST_REPORT, comment
from mlgate.core.errors import AdapterError, ConfigError
from mlgate.core.report import Report
from mlgate.reports.json_v1 import document as json_v1

pytestmark = pytest.mark.needs_openapi

MARKER = "<!-- mlgate:mlgate -->"
COMMENTS = r"/issues/7/comments"


@dataclass
class Desk:
    """A step of a workflow: what it got, and a clock that only its own waits move."""

    github: FakeGithub
    folder: Path
    happened: Any = field(default_factory=event)
    waits: list[float] = field(default_factory=list)
    said: io.StringIO = field(default_factory=io.StringIO)

    @property
    def artifact(self) -> Path:
        return self.folder / "artifact"

    def leaves(self, report: Report | str | bytes) -> None:
        """The run leaves a report, or what it says is one."""
        self.artifact.mkdir(exist_ok=True)
        text = json_v1.render(report) if isinstance(report, Report) else report
        (self.artifact / "report.json").write_bytes(text.encode() if isinstance(text, str) else text)

    def comments(self, name: str = "mlgate", *, status: bool = False, **more: str) -> int:
        now = environ(self.folder, self.github.url, self.happened) | more
        patience = Retries(sleep=self.waits.append, clock=lambda: 0.0, now=lambda: 1_700_000_000.0)
        return comment(self.artifact, name, status=status, environ=now, patience=patience, out=self.said)

    @property
    def body(self) -> str:
        (one,) = self.github.comments
        assert one.issue == 7
        return one.body


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with serving() as github:
        github.pulls.append(Pull(7, SHA))
        desk = Desk(github, tmp_path)
        desk.leaves(passing())
        yield desk


# One comment, whatever happens


def test_the_comment_is_the_report_with_the_marker_before_it_and_the_run_after_it(desk: Desk) -> None:
    assert desk.comments() == 0
    lines = desk.body.rstrip().splitlines()
    assert lines[0] == MARKER
    assert lines[1].startswith("### ✓ PASSED")
    assert lines[-1] == f"[run {RUN}]({URL}) ended with <code>success</code>."


def test_it_is_written_once_changed_later_and_left_alone_when_nothing_changed(desk: Desk) -> None:
    desk.comments()
    first = desk.body
    desk.leaves(failing())
    desk.comments()
    assert "FAILED" in desk.body
    assert desk.body != first
    written = len(desk.github.writes)
    desk.comments()
    assert len(desk.github.writes) == written == 2
    assert desk.said.getvalue().splitlines() == [
        "mlgate: the comment on pull request #7 is written",
        "mlgate: the comment on pull request #7 is updated",
        "mlgate: the comment on pull request #7 is as it was",
    ]


def test_other_line_ends_on_github_are_no_change(desk: Desk) -> None:
    desk.comments()
    desk.github.comments[0].body = desk.body.rstrip().replace("\n", "\r\n")
    desk.comments()
    assert len(desk.github.writes) == 1


def test_the_comment_is_found_on_the_third_page(desk: Desk) -> None:
    for _ in range(250):
        desk.github.say(7, "looks good", user="octocat", type="User")
    mine = desk.github.say(7, f"{MARKER}\nyesterday's")
    desk.comments()
    assert mine.body.startswith(f"{MARKER}\n### ✓ PASSED")
    assert len(desk.github.writes) == 1
    assert sum(call.startswith("GET") and "comments" in call for call in desk.github.calls) == 3


def test_a_persons_comment_with_the_marker_is_not_ours(desk: Desk) -> None:
    theirs = desk.github.say(7, f"{MARKER}\nall is well, merge it", user="mallory", type="User")
    desk.comments()
    assert theirs.body == f"{MARKER}\nall is well, merge it"
    assert len(desk.github.comments) == 2


def test_a_bots_comment_that_only_quotes_the_marker_is_not_ours(desk: Desk) -> None:
    desk.github.say(7, f"> {MARKER}\n> all is well", user="echo[bot]")
    desk.comments()
    assert len(desk.github.comments) == 2


def test_two_gates_have_two_comments(desk: Desk) -> None:
    desk.comments(name="small")
    desk.comments(name="large")
    desk.comments(name="small")
    assert [one.body.splitlines()[0] for one in desk.github.comments] == [
        "<!-- mlgate:small -->",
        "<!-- mlgate:large -->",
    ]
    assert len(desk.github.writes) == 2


@pytest.mark.parametrize("name", ALL)
def test_every_sample_of_a_report_is_a_comment_that_github_takes(desk: Desk, name: str) -> None:
    desk.leaves(ALL[name]())
    assert desk.comments(status=True) == 0
    assert len(desk.body) <= 60_000


# Which pull request


@pytest.mark.parametrize("happens", ["push", "merge_group", "schedule", "pull_request_target", "workflow_dispatch"])
def test_only_runs_of_pull_requests_are_commented(desk: Desk, happens: str) -> None:
    desk.happened = event(event=happens)
    assert desk.comments(MLGATE_GITHUB_TOKEN="") == 0
    assert desk.github.calls == []
    assert desk.said.getvalue().startswith("::notice title=mlgate::")
    assert f"is of {happens}" in desk.said.getvalue()


def test_a_newer_commit_keeps_the_comment_for_its_own_run(desk: Desk) -> None:
    desk.github.pulls = [Pull(7, "0" * 40)]
    assert desk.comments(status=True) == 0
    assert desk.github.writes == []
    assert "a newer commit than 3f9c2d1b7a is there" in desk.said.getvalue()


def test_without_an_open_pull_request_nothing_is_written(desk: Desk) -> None:
    desk.github.pulls = []
    assert desk.comments(status=True) == 0
    assert desk.github.writes == []
    assert "no open pull request has the branch feature of acme/model" in desk.said.getvalue()


def test_a_fork_gets_its_comment_and_the_comment_says_whose_word_it_is(desk: Desk) -> None:
    desk.happened = event(head="stranger/model")
    desk.github.pulls = [Pull(7, SHA, head="stranger/model")]
    desk.comments()
    assert "reported by the pull request's own run, from a fork. The required check is the verdict." in desk.body
    assert "head=stranger%3Afeature" in desk.github.calls[0]


def test_the_same_branch_name_in_two_forks_is_told_apart(desk: Desk) -> None:
    desk.happened = event(head="stranger/model")
    desk.github.pulls = [
        Pull(5, SHA, head="acme/model"),
        Pull(6, SHA, head="other/model"),
        Pull(8, SHA, head="stranger/another-fork-of-theirs"),
        Pull(9, SHA, head=None),
        Pull(7, SHA, head="stranger/model"),
    ]
    desk.comments()
    assert [one.issue for one in desk.github.comments] == [7]


def test_a_commit_that_heads_two_pull_requests_is_commented_on_neither(desk: Desk) -> None:
    desk.github.pulls = [Pull(7, SHA), Pull(8, SHA)]
    assert desk.comments(status=True) == 0
    assert desk.github.writes == []
    assert "is the head of #7, #8" in desk.said.getvalue()


def test_a_deleted_fork_has_no_pull_request_to_comment(desk: Desk) -> None:
    desk.happened = event(head=None)
    assert desk.comments() == 0
    assert desk.github.calls == []


def test_a_branchs_name_is_data(desk: Desk) -> None:
    branch = "a&state=closed#$(id);`id`/%2e%2e/ünï\u202e"
    desk.happened = event(head_branch=branch)
    desk.github.pulls = [Pull(7, SHA, branch=branch)]
    desk.comments()
    assert len(desk.github.comments) == 1
    desk.github.pulls = []
    desk.comments()
    assert "\\u202e" in desk.said.getvalue()


# What the run left


def no_report(desk: Desk) -> None:
    (desk.artifact / "report.json").unlink()


def no_folder(desk: Desk) -> None:
    no_report(desk)
    desk.artifact.rmdir()


def a_link(desk: Desk) -> None:
    no_report(desk)
    (desk.folder / "secret.json").write_text(json_v1.render(passing()))
    (desk.artifact / "report.json").symlink_to(desk.folder / "secret.json")


def a_pipe(desk: Desk) -> None:
    no_report(desk)
    os.mkfifo(desk.artifact / "report.json")


def a_folder(desk: Desk) -> None:
    no_report(desk)
    (desk.artifact / "report.json").mkdir()


def too_large(desk: Desk) -> None:
    desk.leaves(b" " * (20 << 20))


def truncated(desk: Desk) -> None:
    desk.leaves(json_v1.render(failing())[:5000])


def not_utf8(desk: Desk) -> None:
    desk.leaves(b"\xff\xfe{}")


def changed(**more: Any) -> Any:
    def change(desk: Desk) -> None:
        desk.leaves(json.dumps({**json.loads(json_v1.render(failing())), **more}))

    return change


def not_a_number(desk: Desk) -> None:
    desk.leaves(json_v1.render(passing()).replace('"value": 0.33871', '"value": NaN'))


def deep(desk: Desk) -> None:
    desk.leaves("[" * (10 << 20))


def of_another_run(desk: Desk) -> None:
    desk.leaves(replace(passing(), provenance=replace(passing().provenance, run="github-1")))


@pytest.mark.parametrize(
    ("leaves", "why"),
    [
        (no_report, "is missing"),
        (no_folder, "is missing"),
        (a_link, "no regular file"),
        (a_pipe, "no regular file"),
        (a_folder, "no regular file"),
        (too_large, "is too large: more than 16 MB"),
        (truncated, "is not a report: report: not valid JSON"),
        (not_utf8, "not UTF-8"),
        (not_a_number, "NaN is not a JSON value"),
        (deep, "not valid JSON"),
        (of_another_run, "is of another run: github-1"),
        (changed(version=2), "is not a report: report.version: expected version 1"),
        (changed(schema="https://example.com"), "is not a report: report.schema: expected version 1"),
        (changed(outcome="passed", exit_code=0), "is not a report: report.outcome"),
        (changed(findings=[]), "is not a report"),
        (changed(more=EVIL), "is not a report"),
        (changed(**{f"<img src=x> @org/team {EVIL}": 1}), "is not a report"),
    ],
)
def test_a_run_without_a_readable_report_gets_a_comment_that_says_why(desk: Desk, leaves: Any, why: str) -> None:
    leaves(desk)
    desk.happened = event(conclusion="failure")
    assert desk.comments(status=True) == 0
    told = re.sub(r"&#(\d+);", lambda found: chr(int(found[1])), desk.body)
    assert " The gate left no report" in told
    assert why in told
    assert f"[run {RUN}]({URL}) ended with <code>failure</code>." in told
    assert "<img" not in desk.body
    assert "@org" not in desk.body
    assert desk.github.statuses[0]["state"] == "error"
    assert desk.github.statuses[0]["description"].startswith("the gate left no report: ")


def test_text_of_a_model_is_shown_and_does_nothing(desk: Desk) -> None:
    desk.leaves(hostile())
    desk.comments(status=True)
    for word in ("<img", "@org/team", "@octocat", "](javascript", "](http://evil", "\u202e", "\x1b", "<!-- :tada"):
        assert word not in desk.body.removeprefix(MARKER)
    (status,) = desk.github.statuses
    assert "\x1b" not in status["description"]


def test_markdown_that_lies_in_the_artifact_is_never_used(desk: Desk) -> None:
    (desk.artifact / "summary.md").write_text("### all is well @org/team")
    desk.comments()
    assert "all is well" not in desk.body


def test_a_report_that_no_gate_writes_is_no_crash(desk: Desk) -> None:
    text = json_v1.render(failing())
    desk.leaves(re.sub(r'"(planned|answered|n|requests|failed)": \d+', rf'"\1": {"9" * 4000}', text))
    desk.comments(status=True)
    assert desk.body.startswith(MARKER)
    assert desk.github.statuses[0]["state"] != "success"


def test_the_longest_report_is_read_and_its_comment_is_short(desk: Desk) -> None:
    document = json.loads(json_v1.render(failing()))
    document["notices"] = ["@org/team | `x` " * 100] * 9_000
    text = json.dumps(document)
    desk.leaves(text + " " * (LARGEST_REPORT - len(text)))
    desk.comments()
    assert "FAILED" in desk.body
    assert len(desk.body) <= 60_000


def test_a_comment_that_is_full_has_room_for_what_the_gate_adds(desk: Desk) -> None:
    finding = replace(passing().findings[0], why="|" * 600)
    desk.leaves(replace(passing(), findings=(finding,) * 200))
    desk.happened = event(head="stranger/model", conclusion="failure")
    desk.github.pulls = [Pull(7, SHA, head="stranger/model")]
    desk.comments()
    assert 50_000 < len(desk.body.encode()) <= 60_000
    assert "disagree" in desk.body
    assert "from a fork" in desk.body
    assert desk.body.rstrip().endswith("<code>failure</code>.")


# The status


@pytest.mark.parametrize(
    ("sample", "conclusion", "state"),
    [
        ("passing", "success", "success"),
        ("warned", "success", "success"),
        ("failing", "failure", "failure"),
        ("errored", "failure", "error"),
        ("inconclusive", "failure", "error"),
        ("failing", "success", "failure"),
        ("passing", "failure", "error"),
        ("warned", "cancelled", "error"),
        ("passing", "skipped", "error"),
        ("passing", "timed_out", "error"),
    ],
)
def test_the_status_is_the_worse_of_the_report_and_the_run(
    desk: Desk, sample: str, conclusion: str, state: str
) -> None:
    desk.leaves(ALL[sample]())
    desk.happened = event(conclusion=conclusion)
    desk.comments(status=True, name="small")
    (status,) = desk.github.statuses
    assert (status["sha"], status["context"], status["state"]) == (SHA, "mlgate/small", state)
    assert status["target_url"] == URL
    assert 0 < len(status["description"]) <= 140


def test_a_forged_report_is_shown_as_one_that_the_run_contradicts(desk: Desk) -> None:
    desk.happened = event(conclusion="failure")
    desk.comments(status=True)
    assert "**The report and the run disagree.** The report says PASSED, but the run ended with" in desk.body
    assert desk.github.statuses[0]["description"] == "the report says PASSED, the run ended with failure"


def test_a_report_that_blocks_in_a_run_that_passed_says_so(desk: Desk) -> None:
    desk.leaves(failing())
    desk.comments()
    assert "The report blocks this change, and the run let it pass" in desk.body


def test_no_status_is_set_unless_it_was_asked_for(desk: Desk) -> None:
    desk.comments()
    assert desk.github.statuses == []


def test_a_status_that_may_not_be_set_leaves_the_comment(desk: Desk) -> None:
    desk.github.faults = [Fault("POST", "/statuses/", 403)]
    with pytest.raises(AdapterError, match="may not set the commit's status") as caught:
        desk.comments(status=True)
    assert "{statuses: write}" in caught.value.hint
    assert len(desk.github.comments) == 1


def test_a_comment_that_may_not_be_written_leaves_the_status(desk: Desk) -> None:
    desk.github.faults = [Fault("POST", COMMENTS, 403)]
    with pytest.raises(AdapterError, match="may not write a comment: GitHub answers 403") as caught:
        desk.comments(status=True)
    assert "{pull-requests: write}" in caught.value.hint
    assert len(desk.github.statuses) == 1


def test_a_second_attempt_is_named(desk: Desk) -> None:
    desk.happened = event(run_attempt=2)
    desk.leaves(warned())
    desk.comments()
    assert f"[run {RUN}, attempt 2]({URL})" in desk.body


# GitHub's bad days


@pytest.mark.parametrize(
    ("status", "headers", "waited"),
    [
        (429, {"Retry-After": "7"}, [7]),
        (403, {"Retry-After": "7"}, [7]),
        (403, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1700000040"}, [40]),
        (429, {"X-RateLimit-Remaining": "0", "X-RateLimit-Reset": "1600000000"}, [1]),
    ],
)
def test_a_rate_limit_is_waited_for_as_github_says(desk: Desk, status: int, headers: Any, waited: list[float]) -> None:
    desk.github.faults = [Fault("POST", COMMENTS, status, headers)]
    assert desk.comments() == 0
    assert desk.waits == waited
    assert len(desk.github.comments) == 1


@pytest.mark.parametrize("seconds", ["61", "3600", "999999999999"])
def test_a_limit_that_lasts_is_not_waited_for(desk: Desk, seconds: str) -> None:
    desk.github.faults = [Fault("GET", COMMENTS, 429, {"Retry-After": seconds})]
    with pytest.raises(AdapterError, match="GitHub answers 429") as caught:
        desk.comments()
    assert desk.waits == []
    assert f"run this job again in {int(seconds):,} s" in caught.value.hint


def test_limits_one_after_the_other_end_within_a_minute(desk: Desk) -> None:
    desk.github.faults = [
        Fault("GET", "/pulls", 429, {"Retry-After": "25"}),
        Fault("GET", COMMENTS, 429, {"Retry-After": "25"}),
        Fault("POST", COMMENTS, 429, {"Retry-After": "25"}),
    ]
    with pytest.raises(AdapterError, match="write a comment"):
        desk.comments()
    assert desk.waits == [25, 25]


@pytest.mark.parametrize(("status", "path"), [(401, "/pulls"), (403, "/pulls"), (403, COMMENTS)])
def test_what_the_token_may_not_do_is_said_at_once(desk: Desk, status: int, path: str) -> None:
    desk.github.faults = [Fault("GET", path, status)]
    with pytest.raises(AdapterError, match="the token may not list") as caught:
        desk.comments()
    assert "permissions: {pull-requests: write}" in caught.value.hint
    assert (desk.waits, desk.github.writes) == ([], [])
    assert caught.value.exit_code == 3


def test_a_wrong_token_is_told_and_never_shown(desk: Desk) -> None:
    with pytest.raises(AdapterError, match="Bad credentials") as caught:
        desk.comments(MLGATE_GITHUB_TOKEN=TOKEN.replace("Tests", "Others"))
    assert TOKEN[:20] not in str(caught.value)


def test_what_is_not_there_is_told_with_what_may_be_missing(desk: Desk) -> None:
    desk.github.faults = [Fault("POST", COMMENTS, 404)]
    with pytest.raises(AdapterError, match="GitHub finds nothing") as caught:
        desk.comments()
    assert "pull-requests: write" in caught.value.hint


def test_githubs_own_words_of_what_is_invalid_are_passed_on(desk: Desk) -> None:
    desk.github.faults = [Fault("POST", COMMENTS, 422, body=invalid("body", f"Body is odd \x1b[2J {TOKEN}"))]
    with pytest.raises(AdapterError, match=r"GitHub answers 422: Validation Failed, Body is odd") as caught:
        desk.comments()
    assert TOKEN not in str(caught.value)
    assert len(desk.github.writes) == 1


def test_three_faults_of_githubs_are_outlasted(desk: Desk) -> None:
    desk.github.faults = [Fault("GET", "/pulls", status) for status in (500, 502, 503)]
    assert desk.comments() == 0
    assert desk.waits == [1, 3, 9]


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_github_that_stays_broken_is_given_up_after_four_tries(desk: Desk, status: int) -> None:
    desk.github.faults = [Fault("GET", "/pulls", status, times=99)]
    with pytest.raises(AdapterError, match=f"GitHub answers {status}"):
        desk.comments()
    assert len(desk.github.calls) == 4
    assert desk.github.faults[0].times == 95


@pytest.mark.parametrize("status", [0, 502, 504])
def test_a_comment_that_was_written_before_the_line_broke_is_not_written_twice(desk: Desk, status: int) -> None:
    desk.github.faults = [Fault("POST", COMMENTS, status, after=True)]
    assert desk.comments() == 0
    assert len(desk.github.comments) == len(desk.github.writes) == 1


@pytest.mark.parametrize("status", [0, 500])
def test_a_comment_that_was_not_written_before_the_line_broke_is_written(desk: Desk, status: int) -> None:
    desk.github.faults = [Fault("POST", COMMENTS, status)]
    assert desk.comments() == 0
    assert (len(desk.github.comments), len(desk.github.writes)) == (1, 2)


def test_a_comment_whose_last_try_was_carried_out_is_a_success(desk: Desk) -> None:
    desk.github.faults = [Fault("POST", COMMENTS, 500, times=3), Fault("POST", COMMENTS, 0, after=True)]
    assert desk.comments() == 0
    assert (len(desk.github.comments), len(desk.github.writes)) == (1, 4)


@pytest.mark.parametrize("path", ["/pulls", COMMENTS])
def test_a_line_that_breaks_while_reading_is_taken_up_again(desk: Desk, path: str) -> None:
    desk.github.faults = [Fault("GET", path)]
    assert desk.comments() == 0
    assert len(desk.github.comments) == 1


@pytest.mark.parametrize(
    "raw", [b"", b"<html>", b"{}", b"null", b"[1]", b"[[[[", b'[{"number": true}]', b'[{"number": 7}]']
)
def test_an_answer_of_another_form_is_an_error(desk: Desk, raw: bytes) -> None:
    desk.github.faults = [Fault("GET", "/pulls", 200, raw=raw)]
    with pytest.raises(AdapterError, match="could not list the pull requests"):
        desk.comments()
    assert desk.github.writes == []


def test_a_github_that_is_not_there_is_an_error(desk: Desk) -> None:
    with pytest.raises(AdapterError, match="cannot be reached"):
        desk.comments(GITHUB_API_URL="http://127.0.0.1:9")
    assert len(desk.waits) == 3


# The event


def without(*path: str) -> Callable[[], object]:
    def make() -> object:
        whole = event()
        inner = whole
        for key in path[:-1]:
            inner = inner[key]
        del inner[path[-1]]
        return whole

    return make


def wrong(key: str, value: Any) -> Callable[[], object]:
    def make() -> object:
        whole = event()
        whole["workflow_run"][key] = value
        return whole

    return make


ODD: dict[str, Callable[[], object]] = {
    "no run": without("workflow_run"),
    "no id": without("workflow_run", "id"),
    "no attempt": without("workflow_run", "run_attempt"),
    "no event": without("workflow_run", "event"),
    "no head": without("workflow_run", "head_sha"),
    "no page": without("workflow_run", "html_url"),
    "no conclusion": without("workflow_run", "conclusion"),
    "no repository": without("repository"),
    "no name of the repository": without("repository", "full_name"),
    "no name of the head": without("workflow_run", "head_repository", "full_name"),
    "id of text": wrong("id", "17"),
    "id of a flag": wrong("id", value=True),
    "id below one": wrong("id", -1),
    "id beyond all": wrong("id", 10**300),
    "attempt of none": wrong("run_attempt", 0),
    "not ended": wrong("conclusion", None),
    "conclusion that commands": wrong("conclusion", "success\n::error::"),
    "event of a list": wrong("event", ["pull_request"]),
    "head of a ref": wrong("head_sha", "HEAD"),
    "head that climbs": wrong("head_sha", f"{SHA}/../../../user"),
    "head in capitals": wrong("head_sha", SHA.upper()),
    "branch with a blank": wrong("head_branch", "a b"),
    "branch of a surrogate": wrong("head_branch", "\ud800"),
    "branch of a number": wrong("head_branch", 7),
    "repository that climbs": wrong("head_repository", {"full_name": "../.."}),
    "repository that climbs once": wrong("head_repository", {"full_name": "stranger/.."}),
    "repository of text": wrong("head_repository", "acme/model"),
    "page that runs": wrong("html_url", "javascript:alert(1)"),
    "page that goes on": wrong("html_url", f"{URL})[x](http://evil.example"),
    "page elsewhere": wrong("html_url", f"https://evil.example/x?{URL}"),
    "a list": list,
    "nothing": lambda: "",
    "cut off": lambda: "{",
    "null": lambda: "null",
    "deep": lambda: "[" * 100_000,
    "30 MB": lambda: " " * (30 << 20),
}


@pytest.mark.parametrize("odd", ODD)
def test_an_event_of_another_form_is_an_error_and_nothing_is_asked(desk: Desk, odd: str) -> None:
    desk.happened = ODD[odd]()
    with pytest.raises(AdapterError, match="the event"):
        desk.comments()
    assert desk.github.calls == []


@pytest.mark.parametrize(
    ("more", "names"),
    [
        ({"MLGATE_GITHUB_TOKEN": ""}, "MLGATE_GITHUB_TOKEN"),
        ({"MLGATE_GITHUB_TOKEN": "two words"}, "the token has characters"),
        ({"MLGATE_GITHUB_TOKEN": "tok\r\nx: y"}, "the token has characters"),
        ({"GITHUB_EVENT_NAME": "pull_request"}, "workflow_run"),
        ({"GITHUB_EVENT_PATH": ""}, "workflow_run"),
        ({"GITHUB_API_URL": "http://github.example/api/v3"}, "https"),
        ({"GITHUB_API_URL": "https://user:pass@github.example"}, "GITHUB_API_URL"),
        ({"GITHUB_API_URL": "file:///etc/passwd"}, "GITHUB_API_URL"),
    ],
)
def test_a_step_that_is_set_up_wrong_says_what_to_write(desk: Desk, more: dict[str, str], names: str) -> None:
    with pytest.raises(ConfigError) as caught:
        desk.comments(**dict[str, Any](more))
    assert names in str(caught.value)
    assert "words" not in str(caught.value)
    assert desk.github.calls == []


def test_the_usual_token_serves_too(desk: Desk) -> None:
    assert desk.comments(MLGATE_GITHUB_TOKEN="", GITHUB_TOKEN=f"{TOKEN}\n") == 0


# The verb


def verb(desk: Desk, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = {**environ(desk.folder, desk.github.url, desk.happened), "PATH": os.environ["PATH"], **more}
    env = {"MLGATE_REPORT": str(desk.artifact), **env}
    command = [sys.executable, "-c", "from mlgate.cli import main; main()", "comment", *options]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=desk.folder)


def test_the_verb_writes_the_comment_and_exits_0(desk: Desk) -> None:
    done = verb(desk, MLGATE_NAME="small", MLGATE_STATUS="true")
    assert (done.returncode, done.stderr) == (0, "")
    assert verb(desk, str(desk.artifact), "--name", "small", "--no-status", MLGATE_REPORT="/nowhere").returncode == 0
    assert desk.body.startswith("<!-- mlgate:small -->")
    assert desk.github.statuses[0]["context"] == "mlgate/small"


def test_the_verb_exits_3_when_github_says_no_and_never_shows_the_token(desk: Desk) -> None:
    desk.github.faults = [Fault("GET", "/pulls", 403, body={"message": f"not with {TOKEN}"})]
    done = verb(desk)
    assert done.returncode == 3
    assert "the token may not list the pull requests" in done.stderr
    assert TOKEN not in done.stdout + done.stderr


@pytest.mark.parametrize("name", ["", "A", "a b", "-->", "x" * 41, "../x"])
def test_a_name_that_could_break_the_marker_is_refused(desk: Desk, name: str) -> None:
    assert verb(desk, "--name", name).returncode == 2
    assert desk.github.calls == []
