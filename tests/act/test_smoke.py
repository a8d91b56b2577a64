"""The runner and the doubles, proved on a tiny product: what a real scenario may trust."""

from __future__ import annotations

import json
import os
import subprocess
from functools import partial
from pathlib import Path

import pytest
from tests.act import dialect, runner, staging
from tests.act.conftest import Act
from tests.act.consumer import Consumer
from tests.support.child_environment import child_environment
from tests.support.waiting import alive, until

pytestmark = pytest.mark.needs_act

CHECKOUT = "actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1"
UPLOAD = "actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a"
DOWNLOAD = "actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c"
ATTEST = "actions/attest@1e69f48acb82d1966a394da916b4c1698aa569d6"
CACHE = "actions/cache@55cc8345863c7cc4c66a329aec7e433d2d1c52a9"

GATE = f"""\
name: gate
on:
  workflow_call:
    inputs:
      shards: {{type: string, default: '[1, 2]'}}
    outputs:
      verdict: {{value: "${{{{ jobs.verdict.outputs.verdict }}}}"}}
permissions: {{}}
cache-mode: read
jobs:
  shard:
    name: shard
    runs-on: ubuntu-24.04
    strategy:
      fail-fast: false
      matrix:
        k: ${{{{ fromJSON(inputs.shards) }}}}
    steps:
      - name: Check out
        uses: {CHECKOUT}
      - name: Ask
        uses: $/action/ask
        with:
          k: ${{{{ matrix.k }}}}
      - name: Keep
        uses: {UPLOAD}
        with:
          name: shard-${{{{ matrix.k }}}}
          path: .out
          include-hidden-files: true
          if-no-files-found: error
  verdict:
    needs: shard
    if: ${{{{ always() }}}}
    runs-on: ubuntu-24.04
    outputs:
      verdict: ${{{{ steps.judge.outputs.verdict }}}}
    steps:
      - name: Fetch
        uses: {DOWNLOAD}
        with:
          pattern: shard-*
          path: shards
          merge-multiple: true
      - name: Judge
        id: judge
        env:
          SHARD: ${{{{ needs.shard.result }}}}
        run: |
          verdict=failed
          if [ "$SHARD" = success ] && [ "$(cat shards/* | grep -c good)" = 2 ]; then verdict=passed; fi
          echo "verdict=$verdict" >> "$GITHUB_OUTPUT"
          echo "### $verdict" >> "$GITHUB_STEP_SUMMARY"
          test "$verdict" = passed
"""
ASK = """\
name: ask
description: Asks the model one question
inputs:
  k: {description: Which shard, required: true}
runs:
  using: composite
  steps:
    - name: Ask
      shell: bash
      env:
        K: ${{ inputs.k }}
      run: exec "$GITHUB_ACTION_PATH/ask.sh"
"""
ASK_SH = """\
#!/usr/bin/env bash
mkdir .out
cp answer.txt ".out/answer-$K.txt"
echo "### shard $K" >> "$GITHUB_STEP_SUMMARY"
if grep -q bad answer.txt; then echo "::error file=answer.txt,line=1,title=worse::the answer is bad"; fi
if grep -q "dead $K" answer.txt; then kill -9 0; fi
env | sort > ".out/../environment-$K.txt"
"""
CALLER = """\
name: PR
on: [pull_request, merge_group, push, workflow_dispatch, schedule, workflow_run]
permissions: {}
jobs:
  mlgate:
    uses: org/mlgate/.github/workflows/gate.yml@0123456789012345678901234567890123456789 # v1.0.0
  facts:
    runs-on: ubuntu-24.04
    steps:
      - env:
          SECRET: ${{ secrets.DEPLOY_KEY }}
          BASE: ${{ github.event.pull_request.base.sha || github.event.merge_group.base_sha }}
          HEAD: ${{ github.event.pull_request.head.sha || github.event.workflow_run.head_sha }}
        run: |
          {
            echo "event=$GITHUB_EVENT_NAME"; echo "ref=$GITHUB_REF"; echo "sha=$GITHUB_SHA"
            echo "base=$BASE"; echo "head=$HEAD"
            if [ -n "$SECRET" ]; then echo "secret=yes"; else echo "secret=no"; fi
            echo "files=$(ls -A | wc -l)"; echo "names=$(compgen -e | tr '\\n' ' ')"; echo "mlgate=$(command -v mlgate)"
            echo "python=$(python3 -c 'import sys; print(sys.version_info >= (3, 11), sys.prefix == sys.base_prefix)')"
          } >> "$GITHUB_OUTPUT"
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Act:
    """act over a product with one reusable workflow and one action."""
    source = tmp_path / "source"
    for name, text in {
        ".github/workflows/gate.yml": GATE,
        "action/ask/action.yml": ASK,
        "action/ask/ask.sh": ASK_SH,
    }.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_text(text)
    (source / "action/ask/ask.sh").chmod(0o755)
    subprocess.run(["git", "init", "--quiet"], cwd=source, check=True, env=child_environment())
    product = staging.stage(source, tmp_path / "product")
    return partial(runner.run, product=product, home=tmp_path / "home")


@pytest.fixture
def team(consumer: Consumer) -> Consumer:
    """main with a good answer, and a branch `feature` that changes it."""
    consumer.write(".github/workflows/pr.yml", CALLER)
    consumer.write("answer.txt", "good\n")
    consumer.commit("base")
    consumer.branch("feature")
    consumer.write("answer.txt", "good and new\n")
    consumer.commit("head")
    return consumer


def workflow(consumer: Consumer, *steps: str, name: str = "pr.yml") -> None:
    """A workflow of one job with these steps, committed."""
    on = "on: [pull_request, push, schedule, workflow_run]"
    lines = "\n".join(
        f"      - {line}" if line[0] != " " else f"      {line}" for step in steps for line in step.splitlines()
    )
    job = f"jobs:\n  job:\n    runs-on: ubuntu-24.04\n    steps:\n{lines}\n"
    consumer.write(f".github/workflows/{name}", f"name: PR\n{on}\npermissions: {{}}\n{job}")
    consumer.commit("workflow")


def test_a_matrix_its_artifacts_and_the_verdict_pass_through_a_reusable_workflow(tiny: Act, team: Consumer) -> None:
    ran = tiny(team, team.pull_request())
    assert ran.code == 0, ran
    assert {ran.job("shard-1"), ran.job("shard-2"), ran.job("verdict")} == {"success"}, ran
    assert ran.output("verdict", "verdict") == "passed"
    assert sorted(ran.summary) == ["### passed\n", "### shard 1\n", "### shard 2\n"]
    assert ran.annotations == ()
    assert (ran.artifact("shard-1") / "answer-1.txt").read_text() == "good and new\n"
    assert ran.step("shard-1", "Ask") == "success"


def test_what_a_step_annotates_is_read_with_its_place(tiny: Act, team: Consumer) -> None:
    team.write("answer.txt", "bad\n")
    team.commit()
    ran = tiny(team, team.pull_request())
    assert ran.code == 1, ran
    assert ran.job("verdict") == "failure"
    assert {(a["level"], a["file"], a["line"], a["title"], a["message"]) for a in ran.annotations} == {
        ("error", "answer.txt", "1", "worse", "the answer is bad")
    }


def test_a_shard_that_is_killed_fails_alone_and_its_sibling_keeps_its_own_result(tiny: Act, team: Consumer) -> None:
    team.write("answer.txt", "good until dead 2\n")
    team.commit()
    ran = tiny(team, team.pull_request())
    assert (ran.job("shard-1"), ran.job("shard-2"), ran.job("verdict")) == ("success", "failure", "failure"), ran
    assert ran.code == 1
    assert not (ran.artifacts / "shard-2").exists()


def test_a_shard_whose_artifact_is_lost_is_seen_by_the_verdict_alone(tiny: Act, team: Consumer) -> None:
    ran = tiny(team, team.pull_request(), faults={"upload:shard-2": "lose"})
    assert (ran.job("shard-2"), ran.job("verdict")) == ("success", "failure"), ran


def test_a_step_dies_where_a_test_orders_it(tiny: Act, team: Consumer) -> None:
    ran = tiny(team, team.pull_request(), faults={"upload:shard-1": "kill"})
    assert (ran.job("shard-1"), ran.job("shard-2")) == ("failure", "success"), ran
    assert ran.step("shard-1", "Keep") == "failure"


def test_a_job_of_the_product_can_be_skipped_by_an_edit(tiny: Act, team: Consumer) -> None:
    ran = tiny(team, team.pull_request(), edit=lambda _, text: text.replace("    name: shard", "    if: ${{ false }}"))
    assert (ran.job("shard-1"), ran.job("verdict")) == ("skipped", "failure"), ran


def test_a_pull_request_runs_on_the_merge_of_base_and_head(tiny: Act, team: Consumer) -> None:
    ran = tiny(team, team.pull_request(), secrets={"DEPLOY_KEY": "a-long-odd-value-871"})
    merge = team.sha("refs/pull/7/merge")
    assert ran.output("facts", "ref") == "refs/pull/7/merge", ran
    assert ran.output("facts", "sha") == merge
    assert ran.output("facts", "base") == team.sha("main") == team.sha(f"{merge}^1")
    assert ran.output("facts", "head") == team.sha("feature") == team.sha(f"{merge}^2")
    assert ran.output("facts", "secret") == "yes"


def test_a_fork_gets_no_secret(tiny: Act, team: Consumer) -> None:
    ran = tiny(team, team.pull_request(fork=True), secrets={"DEPLOY_KEY": "a-long-odd-value-871"})
    assert ran.code == 0, ran
    assert ran.output("facts", "secret") == "no"


def test_every_event_brings_its_own_ref_and_commits(tiny: Act, team: Consumer) -> None:
    pull = team.pull_request()
    main = team.sha("main")
    queue = f"refs/heads/gh-readonly-queue/main/pr-7-{main}"
    for event, ref in (
        (team.merge_group, queue),
        (team.push, "refs/heads/main"),
        (team.dispatch, "refs/heads/main"),
        (team.schedule, "refs/heads/main"),
        (partial(team.workflow_run, pull, 101, "success"), "refs/heads/main"),
    ):
        happened = event()
        ran = tiny(team, happened)
        assert ran.job("facts") == "success", ran
        assert ran.output("facts", "event") == happened.name
        assert ran.output("facts", "ref") == ref, happened.name
        assert ran.output("facts", "sha") == team.sha("HEAD")
        if happened.name == "merge_group":
            assert ran.output("facts", "base") == main == team.sha("HEAD^1")
        if happened.name == "workflow_run":
            assert ran.output("facts", "head") == team.sha("feature")


def test_nothing_of_this_machine_leaks_into_a_run(tiny: Act, team: Consumer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_SHA", "MLGATE_CONFIG", "PYTHONPATH", "AWS_SECRET_ACCESS_KEY", "VIRTUAL_ENV"):
        monkeypatch.setenv(name, "leak")
    ran = tiny(team, team.pull_request())
    names = set((ran.output("facts", "names") or "").split())
    assert "GITHUB_SHA" in names
    assert ran.output("facts", "sha") == team.sha("HEAD")
    assert not names & {"MLGATE_CONFIG", "PYTHONPATH", "AWS_SECRET_ACCESS_KEY", "VIRTUAL_ENV", "PYTEST_CURRENT_TEST"}
    assert {n for n in names if n.startswith("MLGATE_")} == {"MLGATE_HOME"}
    assert ran.output("facts", "mlgate") == ""
    assert ran.output("facts", "python") == "True True"
    assert ran.output("facts", "files") == "0", "a job has no files before it checks out"


def test_a_checkout_is_shallow_unless_it_asks_for_more(tiny: Act, team: Consumer) -> None:
    base = f'git cat-file -e "{team.sha("main")}" && echo "known=yes" >> "$GITHUB_OUTPUT"'
    workflow(team, f"uses: {CHECKOUT}", f"run: {base}")
    assert tiny(team, team.pull_request()).output("job", "known") is None
    team.checkout("feature")
    workflow(team, f"uses: {CHECKOUT}\n  with: {{fetch-depth: 0}}", f"run: {base}")
    assert tiny(team, team.pull_request()).output("job", "known") == "yes"


def test_another_ref_is_checked_out_into_a_folder(tiny: Act, team: Consumer) -> None:
    both = f"uses: {CHECKOUT}\n  with: {{ref: main, path: base}}"
    workflow(
        team, f"uses: {CHECKOUT}", both, 'run: echo "both=$(paste -d+ answer.txt base/answer.txt)" >> "$GITHUB_OUTPUT"'
    )
    assert tiny(team, team.pull_request()).output("job", "both") == "good and new+good"


def test_an_artifact_leaves_out_dot_files_and_is_written_once(tiny: Act, team: Consumer) -> None:
    make = "run: mkdir -p out/.dot .hid && touch out/a out/.b out/.dot/c .hid/d"
    keep = f"uses: {UPLOAD}\n  with: {{name: one, path: out}}"
    folder = f"uses: {UPLOAD}\n  with: {{name: folder, path: .hid}}"
    file = f"uses: {UPLOAD}\n  with: {{name: file, path: .hid/d}}"
    workflow(team, make, keep, folder, file, keep)
    ran = tiny(team, team.pull_request())
    assert ran.job("job") == "failure"
    assert [p.name for p in ran.artifact("one").iterdir()] == ["a"]
    assert not (ran.artifacts / "folder").exists(), "a folder with a dot in front is left out as a whole"
    assert [p.name for p in ran.artifact("file").iterdir()] == ["d"], "a file that is named outright is kept"
    levels = [(a["level"], a["message"][:22]) for a in ran.annotations]
    assert levels == [("warning", "No files were found wi"), ("error", "Failed to CreateArtifa")]


def test_another_runs_artifact_needs_its_id_and_a_token(tiny: Act, team: Consumer) -> None:
    first = tiny(team, team.pull_request())
    event = team.workflow_run(team.pull_request(), first.run_id, "success")
    team.checkout("main")
    own = f"uses: {DOWNLOAD}\n  with: {{name: shard-1, run-id: '${{{{ github.event.workflow_run.id }}}}'}}"
    workflow(team, own)
    assert tiny(team, event).job("job") == "failure"
    workflow(team, own.replace("}}'}", "}}', github-token: '${{ github.token }}'}"), "run: test -f answer-1.txt")
    ran = tiny(team, event)
    assert ran.job("job") == "success", ran


def cache(part: str, key: str, more: str = "") -> str:
    return f"uses: {CACHE.replace('@', f'{part}@')}\n  id: cache\n  with: {{path: kept, key: {key}{more}}}"


OF = "${{ steps.cache.outputs.cache-%s }}"
SHOW = f'run: echo "seen=hit={OF % "hit"} key={OF % "matched-key"}" >> "$GITHUB_OUTPUT"'
MAKE = "run: mkdir -p kept && echo data > kept/file"


def test_a_pull_requests_cache_is_its_own_and_the_default_branchs_is_for_all(tiny: Act, team: Consumer) -> None:
    look = ", restore-keys: a-"
    workflow(team, cache("/restore", "a-9", look), SHOW, MAKE, cache("/save", "a-pr"))
    assert tiny(team, team.pull_request()).output("job", "seen") == "hit= key="
    assert tiny(team, team.pull_request()).output("job", "seen") == "hit=false key=a-pr", "its own, in its next run"
    team.checkout("main")
    workflow(team, cache("/restore", "a-9", look), SHOW, MAKE, cache("/save", "a-9"))
    assert tiny(team, team.push()).output("job", "seen") == "hit= key=", "main sees nothing of the pull request"
    team.branch("other")
    workflow(team, cache("/restore", "a-9", look), SHOW, "run: grep data kept/file")
    ran = tiny(team, team.push("other"))
    assert ran.output("job", "seen") == "hit=true key=a-9", ran


def test_the_whole_cache_action_saves_after_a_job_that_succeeds(tiny: Act, team: Consumer) -> None:
    workflow(team, cache("", "w-1"), SHOW, MAKE, "run: exit 1")
    assert tiny(team, team.pull_request()).job("job") == "failure"
    team.checkout("feature")
    workflow(team, cache("", "w-1"), SHOW, MAKE)
    assert tiny(team, team.pull_request()).output("job", "seen") == "hit= key=", "a failed job saves nothing"
    assert tiny(team, team.pull_request()).output("job", "seen") == "hit=true key=w-1"


def test_a_script_sees_the_runtimes_token_and_a_command_does_not(tiny: Act, team: Consumer) -> None:
    script = (
        "uses: actions/github-script@3a2844b7e9c422d3c10d287c895573f7108da1b3\n  id: token\n  with:\n    script: |\n"
    )
    script += "      core.setOutput('token', process.env.ACTIONS_RUNTIME_TOKEN)"
    show = 'env: {T: "${{ steps.token.outputs.token }}"}\n  run: |\n'
    show += '      echo "two=${ACTIONS_RUNTIME_TOKEN:-none} $T" >> "$GITHUB_OUTPUT"'
    workflow(team, script, show)
    assert tiny(team, team.pull_request()).output("job", "two") == "none double-runtime-token"


def test_an_attestation_needs_a_digest(tiny: Act, team: Consumer) -> None:
    attest = f"uses: {ATTEST}\n  with: {{subject-name: image, subject-digest: '%s'}}"
    for digest, result in (("", "failure"), ("sha256:" + "0" * 64, "success")):
        team.checkout("feature")
        workflow(team, attest % digest)
        assert tiny(team, team.pull_request()).job("job") == result
    kept = sorted(team.state.glob("attestations/*/*.json"))
    assert [json.loads(p.read_text())["subject-digest"] for p in kept] == ["sha256:" + "0" * 64]


JOBS = """\
name: PR
on: pull_request
permissions: {}
jobs:
  skipped:
    if: ${{ false }}
    runs-on: ubuntu-24.04
    outputs: {x: "${{ steps.a.outputs.x }}"}
    steps: [{id: a, run: echo x=1 >> "$GITHUB_OUTPUT"}]
  legs:
    runs-on: ubuntu-24.04
    strategy: {fail-fast: false, matrix: {k: [1, 2]}}
    outputs:
      one: ${{ matrix.k == 1 && steps.a.outputs.x || '' }}
      two: ${{ matrix.k == 2 && steps.a.outputs.x || '' }}
    steps: [{id: a, run: 'echo "x=of $K" >> "$GITHUB_OUTPUT"; test "$K" = 1', env: {K: "${{ matrix.k }}"}}]
  judge:
    needs: [skipped, legs]
    if: ${{ always() }}
    runs-on: ubuntu-24.04
    steps:
      - run: echo "all=$(tr -d ' \\n' <<< "$N")" >> "$GITHUB_OUTPUT"; echo "one=[$X]" >> "$GITHUB_OUTPUT"
        env: {N: "${{ toJSON(needs) }}", X: "${{ needs.skipped.outputs.x }}"}
"""


def test_the_outputs_of_legs_are_joined_and_a_skipped_job_has_none(tiny: Act, team: Consumer) -> None:
    """As on GitHub; act alone keeps the first leg's and gives a skipped job's as text. Staged workflows only."""
    team.write(".github/workflows/pr.yml", dialect.with_githubs_outputs(JOBS))
    team.commit()
    ran = tiny(team, team.pull_request())
    assert json.loads(ran.output("judge", "all") or "null") == {
        "skipped": {"result": "skipped", "outputs": {}},
        "legs": {"result": "failure", "outputs": {"one": "of1", "two": "of2"}},
    }, ran
    assert ran.output("judge", "one") == "[]"
    assert (ran.job("legs-1"), ran.job("legs-2"), ran.job("skipped")) == ("success", "failure", "skipped")


def test_a_run_that_hangs_is_ended_and_says_where(tiny: Act, team: Consumer, tmp_path: Path) -> None:
    workflow(team, f"run: echo $$ > {tmp_path}/pid; echo still $(echo here); exec tail -f /dev/null")
    with pytest.raises(AssertionError, match=r"(?s)did not end.*still here"):
        tiny(team, team.pull_request(), hangs_after="still here")
    pid = int((tmp_path / "pid").read_text())
    until(lambda: not alive(pid))
    assert os.getpid() != pid
