"""The baseline that CI keeps: what the default branch's runs uploaded judges a change, and nothing that it brings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from tests.e2e.desk import Done
from tests.e2e.repository import Job, Repository, errors, pull, pushed
from tests.support.fake_github import TOKEN, FakeGithub, Fault, serving
from tests.support.kept_baselines import archive, learn

from mlgate.wiring.github.client import TOKENS

pytestmark = pytest.mark.needs_openapi

KEPT = """\
version: 1
model: {{name: clerk, python: "model:{function}"}}
checks:
  notes: {{data: data.jsonl, rules: {{rougeL: {{max_drop: 0.1}}}}}}
baseline: {{from: ci}}
"""


@dataclass
class Ci:
    """A repository on GitHub, its runs, and what they upload."""

    repository: Repository
    job: Job
    github: FakeGithub
    here: Path
    """Where a run leaves what it keeps, and where a cache would restore it to."""

    def on_main(self, run: int, *options: str) -> Done:
        """A run of main: what it keeps is uploaded."""
        self.repository.git("checkout", "-q", "main")
        sha = self.repository.git("rev-parse", "HEAD")
        learn(self.github, self.repository.top)
        self.job.begin("push", pushed(), sha, GITHUB_REF="refs/heads/main", GITHUB_RUN_ID=str(run))
        done = self.repository.mlgate("check", "-n", "0", "--keep-baseline", "--base", "auto", *options)
        if self.job.outputs.get("baseline-kept") == "true":
            self.github.upload(run, sha, archive(self.here.read_bytes()))
        self.here.unlink(missing_ok=True)
        return done

    def changed(self, function: str = "lazy") -> None:
        """A branch with another model, which a pull request is for."""
        base = self.repository.git("rev-parse", "main")
        self.repository.git("checkout", "-qB", "change", "main")
        self.repository.project(KEPT, function=function)
        self.repository.commit()
        learn(self.github, self.repository.top)
        self.job.begin("pull_request", pull(base))

    def judged(self, *options: str) -> Done:
        return self.repository.mlgate("check", "-n", "0", "--base", "auto", *options)

    def forge(self, monkeypatch: pytest.MonkeyPatch) -> bytes:
        """What an entry in the change's own cache restores: evidence of its own model, as a run of main's would be."""
        with monkeypatch.context() as desk:
            for name in ("GITHUB_ACTIONS", *TOKENS):
                desk.delenv(name, raising=False)
            made = self.repository.mlgate("check", "-n", "0", "--save-baseline", "-o", str(self.here.parent / "out"))
        assert made.code == 0, made.err
        return self.here.read_bytes()


@pytest.fixture
def ci(repository: Repository, job: Job, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Ci]:
    here = tmp_path / "kept/evidence.jsonl.gz"
    monkeypatch.setenv("MLGATE_BASELINE", str(here))
    monkeypatch.setenv(TOKENS[0], TOKEN)
    repository.git("checkout", "-q", "main")
    repository.project(KEPT)
    repository.commit()
    with serving() as github:
        monkeypatch.setenv("GITHUB_API_URL", github.url)
        yield Ci(repository, job, github, here)


def test_ci_keeps_what_passes_and_never_a_worse_one(ci: Ci) -> None:
    assert ci.on_main(100).code == 0, "a first run has nothing to compare with: it warns"
    assert ci.repository.verdict["outcome"] == "warned"
    ci.repository.commit("the same model again")
    assert ci.on_main(101).code == 0
    assert ci.repository.verdict["outcome"] == "passed"
    ci.repository.project(KEPT, function="lazy")
    ci.repository.commit()
    assert ci.on_main(102).code == 1
    assert [one.run for one in ci.github.uploads] == [100, 101]


def test_a_change_is_held_against_what_main_kept(ci: Ci) -> None:
    ci.on_main(100)
    ci.changed()
    ci.repository.edit("mlgate.yaml", "baseline: {from: ci}", "baseline: {from: file, path: mine.jsonl.gz}")
    ci.repository.commit()
    done = ci.judged()
    assert done.code == 1, done.err
    assert "run 100 of main, 2026-01-02, of the base" in done.out
    assert ci.repository.report["baseline"]["commit"] == ci.repository.git("rev-parse", "main")


def test_a_change_that_forges_a_cache_entry_is_held_against_what_main_kept(
    ci: Ci, monkeypatch: pytest.MonkeyPatch
) -> None:
    ci.on_main(100)
    ci.changed()
    forged = ci.forge(monkeypatch)
    assert ci.judged().code == 1
    assert ci.here.read_bytes() == forged, "it is there, and nobody has asked it"


def test_a_change_that_forges_a_cache_entry_where_main_kept_none_is_refused(
    ci: Ci, monkeypatch: pytest.MonkeyPatch
) -> None:
    ci.changed()
    forged = ci.forge(monkeypatch)
    ci.github.upload(7, ci.repository.git("rev-parse", "main"), archive(forged), branch="change", event="pull_request")
    done = ci.judged()
    assert (done.code, ci.repository.verdict["outcome"]) == (5, "refused")
    (said,) = errors(done)
    assert "no run of the default branch vouches for this baseline: a change could have brought it" in said
    assert "others of that name do not count: 1 of another branch than main" in done.err


def test_a_change_without_a_baseline_is_not_known_until_bootstrap_is_said(ci: Ci) -> None:
    ci.changed()
    done = ci.judged()
    assert done.code == 3
    assert "there is no baseline yet" in done.out
    assert ci.judged("--bootstrap").code == 0


def test_the_change_that_brings_the_first_comparison_warns(ci: Ci) -> None:
    ci.repository.project()
    ci.repository.commit("main compares nothing")
    ci.changed("answer")
    done = ci.judged()
    assert done.code == 0, done.out
    assert "WARNED" in done.out
    assert ci.repository.mlgate("check", "-n", "0", "--base", "none").code == 3, "merged, it has to have one"


def test_a_merge_queue_is_held_against_what_main_kept(ci: Ci) -> None:
    ci.on_main(100)
    ci.changed()
    group = {"merge_group": {"base_sha": ci.repository.git("rev-parse", "main"), "base_ref": "refs/heads/main"}}
    ci.job.begin("merge_group", group)
    assert ci.judged().code == 1


def test_a_run_of_another_ref_is_held_against_what_main_kept(ci: Ci) -> None:
    ci.on_main(100)
    ci.changed()
    ci.repository.git("remote", "add", "origin", ci.job.host(ci.repository.top))
    ci.job.begin("push", pushed(), ci.repository.git("rev-parse", "HEAD"), GITHUB_REF="refs/heads/change")
    assert ci.judged().code == 1


def test_whatever_says_that_no_rules_of_the_base_bind_its_baseline_does(
    ci: Ci, monkeypatch: pytest.MonkeyPatch
) -> None:
    ci.on_main(100)
    ci.changed()
    ci.forge(monkeypatch)
    assert ci.repository.mlgate("check", "-n", "0", "--base", "none").code == 1


def test_parts_ask_nobody_and_the_judge_asks(ci: Ci, monkeypatch: pytest.MonkeyPatch) -> None:
    ci.on_main(100)
    ci.changed()
    asked = len(ci.github.calls)
    monkeypatch.delenv(TOKENS[0])
    part = ci.repository.top.parent / "part"
    assert ci.judged("--part", "accuracy", "--shard", "1/1", "-o", str(part)).code == 0
    assert len(ci.github.calls) == asked
    monkeypatch.setenv(TOKENS[0], TOKEN)
    assert ci.repository.mlgate("merge", str(part), "--base", "auto").code == 1


def test_several_gates_of_one_repository_keep_their_own(ci: Ci, monkeypatch: pytest.MonkeyPatch) -> None:
    ci.on_main(100)
    monkeypatch.setenv("MLGATE_NAME", "translator")
    ci.changed()
    assert ci.judged().code == 3
    monkeypatch.setenv("MLGATE_NAME", "a name/../x")
    assert ci.judged().code == 2


def test_no_token_and_one_that_may_not_ask_say_what_to_write(ci: Ci, monkeypatch: pytest.MonkeyPatch) -> None:
    ci.on_main(100)
    ci.changed()
    ci.github.faults.append(Fault("GET", "/actions/artifacts$", 403))
    done = ci.judged()
    assert done.code == 3
    assert "give the job `permissions: {contents: read, actions: read}`" in done.err
    monkeypatch.delenv(TOKENS[0])
    done = ci.judged()
    assert done.code == 2
    assert "`github-token: ${{ github.token }}`" in done.err


def test_tests_that_record_rows_do_not_see_the_token(ci: Ci) -> None:
    ci.repository.write(
        "test_tone.py",
        "import os\n\ndef test_tone(gate):\n"
        f"    gate.record('tone', 1, seen=float({TOKEN!r} in os.environ.values()))\n",
    )
    ci.repository.write(
        "mlgate.yaml",
        "version: 1\nmodel: {python: model:answer}\nchecks:\n  tone:\n    kind: recorded\n    tests: [test_tone.py]\n"
        "    examples: 1\n    metrics: {seen: {better: lower}}\n    rules: {seen: {max: 0}}\nbaseline: {from: ci}\n",
    )
    ci.repository.commit()
    done = ci.on_main(100)
    assert done.code == 0, done.out + done.err


def test_at_a_desk_it_is_a_file(ci: Ci) -> None:
    assert ci.repository.mlgate("check", "-n", "0", "--keep-baseline").code == 0
    assert ci.here.is_file()
    ci.repository.project(KEPT, function="lazy")
    assert ci.repository.mlgate("check", "-n", "0").code == 1
    assert ci.github.calls == []
