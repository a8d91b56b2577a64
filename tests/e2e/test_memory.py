"""Every verdict is remembered, the champion is the baseline, promotion happens with the verdict: by the real MLflow."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.e2e.desk import Desk, Done
from tests.e2e.repository import Job, Repository, pull
from tests.support import mlflow_server as mlflow
from tests.support.variants import variants

from mlgate.adapters.files.pending_folder import PendingFolder
from mlgate.adapters.mlflow.client import Server, StoreAddress

CONFIG = """\
version: 1
model:
  name: clerk
  python: model:{function}
checks:
  notes:
    data: data.jsonl
    rules:
      rougeL: {{min: 0.1, max_drop: 0.01}}
baseline: {{from: mlflow}}
tracking: {{mlflow: sqlite:///mlflow.db}}
"""


def check(desk: Desk, *arguments: str) -> Done:
    return desk.mlgate("check", "-n", "0", *arguments)


def edit(desk: Desk, old: str, new: str) -> None:
    path = desk.root / "mlgate.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def client_of(desk: Desk, uri: str = "") -> Any:
    """MLflow's own client, past mlgate."""
    return Server(StoreAddress(uri or f"sqlite:///{desk.root}/mlflow.db", desk.root / "mlartifacts")).client


def runs(desk: Desk, uri: str = "", experiment: str = "clerk") -> list[Any]:
    client = client_of(desk, uri)
    found = client.get_experiment_by_name(experiment)
    return list(client.search_runs([found.experiment_id], "tags.`mlgate.outcome` != ''")) if found else []


def tags(desk: Desk) -> list[str]:
    return sorted(run.data.tags["mlgate.outcome"] for run in runs(desk))


def flat(text: str) -> str:
    return " ".join(text.split())


def test_a_model_that_passed_becomes_champion_and_a_worse_one_is_held_against_it_and_blocked(desk: Desk) -> None:
    desk.project(CONFIG)
    first = check(desk, "--save-baseline")
    assert first.code == 0
    assert "version 1 of clerk in sqlite:///mlflow.db is champion" in first.out
    assert check(desk).code == 0
    edit(desk, "model:answer", "model:lazy")
    worse = check(desk, "--save-baseline")
    assert worse.code == 1
    assert "against MLflow clerk@champion" in worse.out
    assert "stays what it was" in worse.err
    assert tags(desk) == ["failed", "passed", "warned"]
    past = desk.mlgate("history")
    assert past.code == 0
    assert past.out.count("promoted") == 1


def test_a_run_holds_what_led_to_the_verdict(desk: Desk) -> None:
    desk.project(CONFIG)
    desk.write("data.jsonl.dvc", "outs:\n- md5: d41d8cd98f00b204e9800998ecf8427e\n  path: data.jsonl\n")
    check(desk, "--save-baseline")
    (run,) = runs(desk)
    assert run.data.params["rule/notes/rougeL min"] == "0.1"
    assert {"notes/rougeL", "notes/rougeL.low", "notes/rougeL.high", "notes/rougeL.n"} <= run.data.metrics.keys()
    (used,) = run.inputs.dataset_inputs
    source = json.loads(used.dataset.source)
    assert source["uri"] == "data.jsonl"
    assert source["version"] == "dvc md5:d41d8cd98f00b204e9800998ecf8427e, changed since"
    assert source["sha256"] == desk.report["provenance"]["data"][0]["digest"]
    kept = Path(run.info.artifact_uri.removeprefix("file://"), "mlgate")
    assert {one.name for one in kept.iterdir()} == {
        *("evidence.jsonl.gz", "report.json", "summary.md", "measurements.svg")
    }
    assert (kept / "report.json").read_bytes() == (desk.root / ".mlgate/report.json").read_bytes()


def test_the_same_evidence_again_is_the_same_run(desk: Desk) -> None:
    desk.project(CONFIG)
    check(desk)
    check(desk)
    desk.mlgate("merge", ".mlgate/evidence.jsonl.gz")
    assert len(runs(desk)) == 1


@pytest.mark.needs_mlflow
def test_a_server_that_is_down_leaves_the_verdict_and_sync_logs_it_later(desk: Desk, tmp_path: Path) -> None:
    with mlflow.server(tmp_path / "server") as server:
        desk.project(CONFIG.replace("baseline: {{from: mlflow}}\n", "").replace(", max_drop: 0.01", ""))
        edit(desk, "mlflow: sqlite:///mlflow.db", f"mlflow: {{uri: {server.uri}, timeout: 2s}}")
        assert check(desk).code == 0
        server.stop()
        edit(desk, "min: 0.1", "min: 0.11")
        down = check(desk)
        assert down.code == 0, "the verdict stands"
        assert "the verdict is not logged" in down.err
        assert "mlgate sync" in down.err
        assert "1 verdicts wait" in flat(desk.mlgate("doctor", "--no-ask").out)
        assert desk.mlgate("sync").code == 3
        edit(desk, "timeout: 2s", "timeout: 2s, required: true")
        done = check(desk)
        assert done.code == 3
        assert desk.verdict["outcome"] == "errored"
        assert "tracking is required" in desk.verdict["reason"]
        server.start()
        synced = desk.mlgate("sync")
        assert synced.code == 0
        assert f"1 of 1: clerk passed: {server.uri}/#/experiments/" in synced.out
        assert "nothing waits" in desk.mlgate("sync").out
        assert len(runs(desk, server.uri)) == 2


def test_a_waiting_verdict_is_logged_once_however_often(desk: Desk) -> None:
    desk.project(CONFIG)
    edit(desk, "sqlite:///mlflow.db", "sqlite:///model.py/none.db")
    assert check(desk).code == 3, "the baseline cannot be looked up"
    edit(desk, "baseline: {from: mlflow}\n", "")
    edit(desk, ", max_drop: 0.01", "")
    assert check(desk).code == 0
    assert check(desk).code == 0
    edit(desk, "sqlite:///model.py/none.db", "sqlite:///mlflow.db")
    assert desk.mlgate("sync").out.count("clerk passed") == 1
    assert tags(desk) == ["passed"]


def test_only_a_verdict_that_passes_is_promoted(desk: Desk) -> None:
    desk.project(CONFIG, function="lazy")
    edit(desk, "min: 0.1,", "min: 0.9,")
    check(desk, "--bootstrap")
    done = desk.mlgate("promote")
    assert done.code == 3
    assert "its verdict is failed" in done.err
    assert "nothing was ever champion" in desk.mlgate("history").out


def test_promotion_is_refused_when_a_file_is_not_the_one_that_was_judged(desk: Desk) -> None:
    desk.project(CONFIG)
    check(desk, "--bootstrap")
    report = desk.root / ".mlgate/report.json"
    whole = report.read_bytes()
    report.write_bytes(whole.replace(b'"value": 0.', b'"value": 1.'))
    done = desk.mlgate("promote")
    assert done.code == 5
    assert "the report is not the one" in done.err
    report.write_bytes(whole)
    assert desk.mlgate("promote").code == 0
    edit(desk, "min: 0.1,", "min: 0.99,")
    desk.mlgate("rollback")
    edit(desk, "name: clerk", "name: other")
    done = desk.mlgate("promote")
    assert done.code == 3, "by today's rules it does not pass"
    assert "by today's rules" in done.err


def test_what_was_held_against_an_older_champion_is_not_promoted(desk: Desk) -> None:
    desk.project(CONFIG)
    check(desk, "--save-baseline")
    check(desk, "-o", "late")
    desk.write("model.py", (desk.root / "model.py").read_text() + "\n# another\n")
    check(desk, "--save-baseline")
    done = desk.mlgate("promote", "-o", "late")
    assert done.code == 3
    assert "the baseline is another one by now" in done.err
    assert desk.mlgate("history").out.count("promoted") == 2


def test_a_version_waits_for_a_person_where_the_file_says_so(desk: Desk) -> None:
    desk.project(CONFIG)
    edit(desk, "mlflow: sqlite:///mlflow.db", "mlflow: {registry: {require: {tag: approved_by}}}")
    done = check(desk, "--save-baseline")
    assert done.code == 0, "approval is no part of the verdict"
    assert "version 1 of clerk in sqlite:///mlflow.db is not approved" in done.err
    waits = desk.mlgate("promote")
    assert waits.code == 5
    assert "set the tag approved_by on version 1" in waits.err
    assert "version 1 is candidate and was never champion" in flat(desk.mlgate("doctor", "--no-ask").out)
    client = client_of(desk)
    client.set_model_version_tag("clerk", "1", "approved_by", "ada")
    done = desk.mlgate("promote")
    assert done.code == 0
    assert "version 1 of clerk in sqlite:///mlflow.db is champion" in done.out


def test_a_version_that_waited_while_the_champion_changed_is_held_against_the_new_one_first(desk: Desk) -> None:
    desk.project(CONFIG)
    check(desk, "--save-baseline")
    edit(desk, "mlflow: sqlite:///mlflow.db", "mlflow: {registry: {require: {tag: approved_by}}}")
    desk.write("model.py", (desk.root / "model.py").read_text() + "\n# one\n")
    check(desk, "--save-baseline", "-o", "waits")
    desk.write("model.py", (desk.root / "model.py").read_text() + "\n# two\n")
    check(desk, "--save-baseline")
    client = client_of(desk)
    for number in ("2", "3"):
        client.set_model_version_tag("clerk", number, "approved_by", "ada")
    assert desk.mlgate("promote").code == 0
    late = desk.mlgate("promote", "-o", "waits")
    assert late.code == 3
    assert "the baseline is another one by now" in late.err
    assert "champion is version 3" in flat(desk.mlgate("doctor", "--no-ask").out)


def test_waiting_verdicts_that_came_with_the_tree_are_refused(repository: Repository) -> None:
    repository.project(CONFIG.replace("baseline: {{from: mlflow}}\n", "").replace(", max_drop: 0.01", ""))
    edit(repository, "sqlite:///mlflow.db", "sqlite:///model.py/none.db")
    assert check(repository).code == 0
    repository.git("add", "-f", ".mlgate/pending")
    edit(repository, "sqlite:///model.py/none.db", "sqlite:///mlflow.db")
    done = repository.mlgate("sync")
    assert done.code == 5
    assert "the waiting verdicts are committed" in done.err


def test_rollback_goes_back_and_history_tells_it(desk: Desk) -> None:
    desk.project(CONFIG)
    check(desk, "--save-baseline")
    assert desk.mlgate("rollback").code == 3, "nothing was live before"
    desk.write("model.py", (desk.root / "model.py").read_text() + "\n# another\n")
    check(desk, "--save-baseline")
    done = desk.mlgate("rollback")
    assert done.code == 0
    assert "champion of clerk in sqlite:///mlflow.db is version 1 again, after version 2" in done.out
    lines = desk.mlgate("history").out.splitlines()
    assert [line.split()[0] for line in lines[3:]] == ["1", "2", "1"]
    assert all(len(line) <= 80 for line in lines)
    never = desk.mlgate("rollback", "--to", "7")
    assert never.code == 5
    assert check(desk).code == 0, "held against version 1"


def test_evidence_that_was_changed_after_it_was_logged_is_refused(desk: Desk) -> None:
    desk.project(CONFIG)
    check(desk, "--save-baseline")
    (run,) = runs(desk)
    kept = Path(run.info.artifact_uri.removeprefix("file://"), "mlgate/evidence.jsonl.gz")
    edit(desk, "model:answer", "model:lazy")
    check(desk, "-o", "worse")
    kept.write_bytes((desk.root / "worse/evidence.jsonl.gz").read_bytes())
    done = check(desk)
    assert done.code == 5
    assert "was changed after it was logged" in done.err
    assert desk.verdict["outcome"] == "refused"
    kept.unlink()
    assert check(desk).code == 3


@pytest.mark.parametrize(
    ("baseline", "code"),
    variants(
        [
            ("{from: mlflow, version: 1}", 0),
            ("{from: mlflow, version: 9}", 3),
            ("{from: mlflow, latest: nobody}", 3),
            ("{from: mlflow, run: 0123456789abcdef0123456789abcdef}", 3),
            ("{from: mlflow, alias: staging}", 3),
            ("{from: mlflow, model: other}", 3),
        ],
        3,
    ),
)
def test_a_baseline_is_a_version_a_run_or_a_branchs_last_pass(desk: Desk, baseline: str, code: int) -> None:
    desk.project(CONFIG)
    check(desk, "--save-baseline")
    edit(desk, "{from: mlflow}", baseline)
    assert check(desk).code == code


def test_a_pinned_baseline_cannot_be_saved_to(desk: Desk) -> None:
    desk.project(CONFIG.replace("{{from: mlflow}}", "{{from: mlflow, version: 1}}"))
    done = check(desk, "--save-baseline")
    assert done.code == 2
    assert "follow an alias" in done.err


def test_a_clean_pass_of_a_branch_is_the_next_ones_baseline(repository: Repository) -> None:
    repository.git("checkout", "-q", "main")
    repository.project(CONFIG.replace("{{from: mlflow}}", "{{from: mlflow, latest: main}}"))
    repository.write(".gitignore", ".mlgate/\n__pycache__/\nmlflow.db\nmlartifacts/\n")
    repository.commit("memory")
    first = check(repository, "--save-baseline")
    assert first.code == 0
    edit(repository, "name: clerk", "name: other")
    assert check(repository).code == 3, "another model's pass is none of its own"
    repository.git("checkout", "-q", ".")
    done = check(repository)
    assert done.code == 0
    assert "against MLflow's last pass of main" in done.out


def test_two_models_of_one_experiment_have_a_last_pass_each(repository: Repository) -> None:
    repository.git("checkout", "-q", "main")
    text = CONFIG.replace("{{from: mlflow}}", "{{from: mlflow, latest: main}}").replace(
        "mlflow: sqlite:///mlflow.db", "mlflow: {{uri: sqlite:///mlflow.db, experiment: mono}}"
    )
    repository.project(text)
    other = text.format(function="lazy").replace("name: clerk", "name: other")
    repository.write("b.yaml", other)
    repository.write(".gitignore", ".mlgate/\n__pycache__/\nmlflow.db\nmlartifacts/\n")
    repository.commit("two")
    assert check(repository, "--save-baseline").code == 0
    assert check(repository, "-c", "b.yaml", "-o", "b", "--save-baseline").code == 0
    edit(repository, "model:answer", "model:lazy")
    assert check(repository).code == 1, "worse than its own past, whatever the other one's is"


def test_an_alias_that_was_taken_away_is_no_first_run(desk: Desk) -> None:
    desk.project(CONFIG)
    check(desk, "--save-baseline")
    client = client_of(desk)
    client.delete_registered_model_alias("clerk", "champion")
    edit(desk, "model:answer", "model:lazy")
    done = check(desk, "--save-baseline")
    assert done.code == 3
    assert "was version 1, and points nowhere now" in flat(done.out)
    assert "mlgate rollback --to 1" in flat(done.out)
    assert desk.mlgate("rollback", "--to", "1").code == 0
    assert check(desk).code == 1


def test_a_model_that_was_rolled_back_from_waits_for_a_person(desk: Desk) -> None:
    desk.project(CONFIG)
    check(desk, "--save-baseline")
    desk.write("model.py", (desk.root / "model.py").read_text() + "\n# another\n")
    check(desk, "--save-baseline")
    desk.mlgate("rollback")
    edit(desk, "min: 0.1,", "min: 0.11,")
    done = check(desk, "--save-baseline")
    assert done.code == 0
    assert "this very model was rolled back from" in done.err
    assert "champion is version 1" in flat(desk.mlgate("doctor", "--no-ask").out)
    assert desk.mlgate("promote").code == 0, "a person says so"


def test_what_is_here_must_be_what_was_judged(desk: Desk) -> None:
    desk.project(CONFIG)
    check(desk, "--bootstrap")
    edit(desk, "python: model:answer", "python: model:lazy")
    done = desk.mlgate("promote")
    assert done.code == 5
    assert "not the one that was judged" in done.err


def test_an_image_that_nobody_judged_is_no_versions_source(desk: Desk) -> None:
    desk.project(CONFIG)
    check(desk, "--bootstrap")
    edit(desk, "python: model:answer", "image: {ref: registry.example/app:v9, protocol: kserve-v1}")
    assert desk.mlgate("promote").code == 0, "the image is not here to be compared"
    (version,) = client_of(desk).search_model_versions("name='clerk'")
    assert version.source == f"runs:/{version.run_id}/mlgate"


def test_a_verdict_that_came_with_the_tree_is_not_promoted(repository: Repository) -> None:
    repository.project(CONFIG)
    check(repository, "--bootstrap")
    repository.git("add", "-f", ".mlgate/report.json")
    done = repository.mlgate("promote")
    assert done.code == 5
    assert "the last verdict is committed" in done.err


@pytest.mark.parametrize("name", ["mlflow.db-journal", "mlflow.db-wal"])
def test_a_store_whose_journal_is_committed_is_no_baseline(repository: Repository, name: str) -> None:
    repository.project(CONFIG)
    check(repository, "--save-baseline")
    repository.write(name, "what sqlite would replay")
    repository.git("add", "-f", name)
    assert check(repository).code == 5


def test_a_store_in_a_submodule_is_no_baseline(repository: Repository) -> None:
    repository.project(CONFIG.replace("sqlite:///mlflow.db", "sqlite:///store/mlflow.db"))
    inner = repository.root / "store"
    inner.mkdir()
    repository.git("init", "-q", at=inner)
    repository.git("commit", "-qm", "x", "--allow-empty", at=inner)
    repository.git("add", "store")
    assert check(repository, "--bootstrap").code == 5


def test_what_waits_is_held_against_its_own_report_and_evidence(desk: Desk) -> None:
    desk.project(CONFIG.replace("baseline: {{from: mlflow}}\n", "").replace(", max_drop: 0.01", ""))
    edit(desk, "sqlite:///mlflow.db", "sqlite:///model.py/none.db")
    check(desk)
    edit(desk, "sqlite:///model.py/none.db", "sqlite:///mlflow.db")
    pending = PendingFolder(desk.root / ".mlgate/pending")
    (key,) = pending.keys()
    real = pending.read(key)
    for edited in (
        replace(real, metrics={**real.metrics, "notes/rougeL": 0.99}),
        replace(real, tags={**real.tags, "mlgate.outcome": "failed"}),
        replace(real, evidence="0" * 64),
        replace(real, files={**real.files, "evidence.jsonl.gz": b"nothing"}),
        replace(real, tags={**real.tags, "mlgate.name": "other"}),
    ):
        pending.add(edited)
        assert desk.mlgate("sync").code == 3
    assert runs(desk) == []
    pending.add(real)
    assert desk.mlgate("sync").code == 0
    assert tags(desk) == ["passed"]


def test_a_promotion_that_cannot_be_is_told(desk: Desk) -> None:
    desk.project(CONFIG.replace("{{from: mlflow}}", "{{from: file, path: b.gz}}"))
    check(desk, "--save-baseline")
    desk.project(CONFIG)
    edit(desk, "sqlite:///mlflow.db", "sqlite:///mlflow.db")
    shutil.rmtree(desk.root / "mlartifacts")
    (desk.root / "mlartifacts").write_text("no folder")
    done = check(desk, "--save-baseline")
    assert "the verdict is not logged" in done.err
    assert "the model is not promoted: mlgate sync, then mlgate promote" in done.err


def test_accept_makes_the_last_verdict_the_baseline_in_a_file_too(desk: Desk) -> None:
    desk.project(CONFIG.replace("{{from: mlflow}}", "{{from: file, path: baseline.jsonl.gz}}"))
    check(desk, "--bootstrap")
    done = desk.mlgate("baseline", "accept")
    assert done.code == 0
    assert "baseline saved: file baseline.jsonl.gz" in done.out
    assert (desk.root / "baseline.jsonl.gz").read_bytes() == (desk.root / ".mlgate/evidence.jsonl.gz").read_bytes()
    edit(desk, "model:answer", "model:lazy")
    assert check(desk).code == 1
    assert desk.mlgate("baseline", "accept").code == 3


def test_accept_promotes_where_the_baseline_is_the_champion(desk: Desk) -> None:
    desk.project(CONFIG)
    check(desk, "--bootstrap")
    assert "version 1 of clerk in sqlite:///mlflow.db is champion" in desk.mlgate("baseline", "accept").out


def test_a_change_cannot_send_the_keys_elsewhere(repository: Repository) -> None:
    repository.git("checkout", "-q", "main")
    with (repository.root / "mlgate.yaml").open("a") as file:
        file.write("tracking: {mlflow: sqlite:///base.db}\n")
    repository.commit("memory")
    repository.git("checkout", "-qB", "change")
    edit(repository, "base.db", "theirs.db")
    repository.commit("elsewhere")
    done = check(repository, "--base", "main")
    assert done.code == 0
    assert "the tracking is another one: the base's is used" in flat(done.out)
    edit(repository, "name: clerk", "name: other")
    assert check(repository, "--base", "main").code == 0
    assert len(runs(repository, f"sqlite:///{repository.root}/base.db")) == 2, "a new name is no other experiment"
    assert not (repository.root / "theirs.db").exists()


def test_the_change_that_brings_tracking_and_its_baseline_is_judged(repository: Repository) -> None:
    repository.project(CONFIG)
    repository.commit("memory")
    done = check(repository, "--base", "main")
    assert done.code == 0, done.err
    assert "the base has no `tracking:` yet" in flat(done.out)
    assert not (repository.root / "mlflow.db").exists(), "the base remembers nothing"


def test_a_store_that_is_committed_is_no_baseline(repository: Repository) -> None:
    repository.project(CONFIG)
    check(repository, "--save-baseline")
    assert check(repository).code == 0
    repository.commit("with the store")
    done = check(repository)
    assert done.code == 5
    assert "a change could bring its own baseline" in done.err


def test_a_pull_request_is_logged_with_its_number_and_no_actor(repository: Repository, job: Job) -> None:
    repository.git("checkout", "-q", "main")
    with (repository.root / "mlgate.yaml").open("a") as file:
        file.write("tracking: {mlflow: sqlite:///mlflow.db}\n")
    repository.commit("memory")
    repository.git("checkout", "-qB", "change")
    repository.write("model.py", (repository.root / "model.py").read_text() + "\n# another\n")
    repository.commit("change")
    base = repository.git("rev-parse", "main")
    sha = repository.merge("change")
    job.begin("pull_request", pull(base), sha, GITHUB_REF="refs/pull/12/merge", GITHUB_ACTOR="somebody")
    assert check(repository, "--base", "auto").code == 0
    (run,) = runs(repository)
    assert run.data.tags["mlgate.pull_request"] == "12"
    assert "mlgate.branch" not in run.data.tags, "it is no pass of a branch"
    assert "somebody" not in json.dumps(run.data.tags)


def test_without_tracking_nothing_of_mlflow_is_loaded(desk: Desk) -> None:
    desk.project()
    done = desk.shell("check", "-n", "0", stdout=-1, stderr=-1, env={"PYTHONPROFILEIMPORTTIME": "1"})
    assert done.code == 0
    assert "mlgate.adapters.mlflow.client" in done.err
    assert "| mlflow\n" not in done.err.replace("  ", "")


@pytest.mark.parametrize("uri", ["./mlruns", "file:///srv/mlruns", "foo://secret@x"])
def test_an_address_in_the_environment_that_is_none_is_told_without_repeating_it(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, uri: str
) -> None:
    desk.project(CONFIG.replace("mlflow: sqlite:///mlflow.db", "mlflow: "))
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    done = check(desk)
    assert done.code == 2
    assert "MLFLOW_TRACKING_URI names no place" in done.err
    assert uri not in done.err


def test_a_file_without_tracking_cannot_promote(desk: Desk) -> None:
    desk.project()
    for verb in ("promote", "rollback", "history", "sync"):
        done = desk.mlgate(verb)
        assert done.code in (2, 3), verb
        assert "tracking" in done.err or "no run has concluded" in done.err
