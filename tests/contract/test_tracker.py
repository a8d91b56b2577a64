"""Every tracker: a verdict is one run, whoever writes it and however often, and all of it is in there."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.support.mlflow_records import BEGAN, digest, record

from mlgate.adapters.mlflow.client import Server, StoreAddress
from mlgate.adapters.mlflow.runs import ARTIFACT_FOLDER, MlflowRuns
from mlgate.core.errors import AdapterError
from mlgate.core.ports import Tracker
from mlgate.core.tracking.record import DataUsed, TrackingRecord

HOSTILE = (
    "c/größe:très grand/bleu",
    'c/it\'s "quoted"',
    "c/../../etc/passwd",
    "/c//x/",
    "c/a:..",
    "c/" + "long" * 100,
    "c/" + "long" * 99 + "lung",
    "c/\x00\n::set-output",
    ".",
    "",
    "c/日本語",
    "c/😀",
)


@pytest.fixture
def tracker(server: Server, own_name: str) -> MlflowRuns:
    return MlflowRuns(server, own_name)


def all_runs(tracker: MlflowRuns, server: Server) -> list[Any]:
    return list(server.client.search_runs([tracker.experiment_id]))


def only_run(tracker: MlflowRuns, server: Server) -> Any:
    (run,) = all_runs(tracker, server)
    return run


def files_of(run: Any, server: Server, folder: Path) -> dict[str, bytes]:
    repository = server.repository(run.info.artifact_uri)
    path = Path(repository.download_artifacts(ARTIFACT_FOLDER, str(folder)))
    repository.thread_pool.shutdown()
    return {one.name: one.read_bytes() for one in path.iterdir()}


def again(place: StoreAddress, own_name: str) -> Tracker:
    """Return the tracker as another process would open it."""
    return MlflowRuns(Server(place), own_name)


def test_a_verdict_is_one_run_with_everything_in_it(tracker: MlflowRuns, server: Server, tmp_path: Path) -> None:
    one = record(3)
    done = tracker.log(one)
    run = only_run(tracker, server)
    assert run.info.run_id == done.run
    assert run.info.status == "FINISHED"
    assert run.info.run_name == one.name
    assert run.info.start_time == one.began
    assert run.data.params == one.params
    assert run.data.metrics == one.metrics
    assert one.tags.items() <= run.data.tags.items()
    assert run.data.tags["mlgate.key"] == one.key
    assert files_of(run, server, tmp_path) == one.files
    (used,) = run.inputs.dataset_inputs
    assert used.dataset.name == "c"
    assert used.dataset.digest == digest("data")[:36]
    source = {"uri": "data/test.jsonl", "sha256": digest("data"), "version": "dvc md5:d41d8"}
    assert json.loads(used.dataset.source) == source
    assert json.loads(used.dataset.profile) == {"num_rows": 12}
    assert [(tag.key, tag.value) for tag in used.tags] == [("mlflow.data.context", "eval")]


def test_where_it_went_can_be_followed(tracker: MlflowRuns, place: StoreAddress) -> None:
    done = tracker.log(record())
    assert done.run in done.where
    assert done.folder == f"runs:/{done.run}/{ARTIFACT_FOLDER}"
    assert place.shown in tracker.source


@pytest.mark.parametrize(
    ("outcome", "status"),
    [("passed", "FINISHED"), ("warned", "FINISHED"), ("inconclusive", "FAILED"), ("errored", "FAILED"), ("", "FAILED")],
)
def test_a_run_is_failed_where_the_gate_is_shut(tracker: MlflowRuns, server: Server, outcome: str, status: str) -> None:
    tracker.log(record(tags={"mlgate.outcome": outcome} if outcome else {}))
    assert only_run(tracker, server).info.status == status


def test_logged_again_it_is_the_same_run_and_no_number_is_doubled(
    tracker: MlflowRuns, server: Server, place: StoreAddress, own_name: str
) -> None:
    first = tracker.log(record(1))
    assert tracker.log(record(1)) == first
    assert again(place, own_name).log(record(1, began=BEGAN + 999)) == first
    run = only_run(tracker, server)
    for name in record(1).metrics:
        assert len(server.client.get_metric_history(run.info.run_id, name)) == 1, name
    assert len(run.inputs.dataset_inputs) == 1


def test_logged_anew_it_is_updated_and_its_new_numbers_are_those_that_are_shown(
    tracker: MlflowRuns, server: Server, tmp_path: Path
) -> None:
    one = record(2)
    first = tracker.log(one)
    new = replace(
        one,
        name="summarizer failed 2",
        verdict=digest("another"),
        began=one.began + 60_000,
        params={**one.params, "model": "cannot change", "added": "1"},
        metrics={**one.metrics, "c/rougeL": -1.0, "c/added": 2.0},
        tags={**one.tags, "mlgate.outcome": "failed", "mlgate.verdict": digest("another"), "mlgate.link": "https://x"},
        files={**one.files, "report.json": b"{}", "added.svg": b"<svg/>"},
    )
    assert tracker.log(new).run == first.run
    run = only_run(tracker, server)
    assert run.info.status == "FAILED"
    assert run.info.run_name == new.name
    assert run.data.metrics == new.metrics
    assert run.data.params == {**one.params, "added": "1"}
    assert new.tags.items() <= run.data.tags.items()
    assert files_of(run, server, tmp_path) == new.files
    assert len(server.client.get_metric_history(run.info.run_id, "c/rougeL")) == 2
    assert len(server.client.get_metric_history(run.info.run_id, "c/examples")) == 1


def test_two_verdicts_are_two_runs_and_two_experiments_know_nothing_of_each_other(
    tracker: MlflowRuns, server: Server, own_name: str
) -> None:
    other = MlflowRuns(server, f"{own_name}-2")
    assert len({tracker.log(record(0)).run, tracker.log(record(1)).run, other.log(record(0)).run}) == 3
    assert len(all_runs(tracker, server)) == 2
    assert len(all_runs(other, server)) == 1


def test_a_deleted_experiment_is_an_error_that_says_how_to_restore_it(
    tracker: MlflowRuns, server: Server, place: StoreAddress, own_name: str
) -> None:
    tracker.log(record())
    server.client.delete_experiment(tracker.experiment_id)
    with pytest.raises(AdapterError, match="was deleted") as raised:
        again(place, own_name).log(record())
    assert raised.value.hint == f"restore it: mlflow experiments restore -x {tracker.experiment_id}"


def test_a_deleted_run_is_not_used_again(tracker: MlflowRuns, server: Server) -> None:
    first = tracker.log(record())
    server.client.delete_run(first.run)
    second = tracker.log(record())
    assert second.run != first.run
    assert only_run(tracker, server).data.metrics == record().metrics


def test_a_run_that_was_cut_off_is_completed(tracker: MlflowRuns, server: Server, tmp_path: Path) -> None:
    one = record(1)
    begun = server.client.create_run(tracker.experiment_id, start_time=one.began, tags={"mlgate.key": one.key})
    assert tracker.log(one).run == begun.info.run_id
    run = only_run(tracker, server)
    assert run.info.status == "FINISHED"
    assert run.data.metrics == one.metrics
    assert files_of(run, server, tmp_path) == one.files


def test_of_several_runs_with_one_key_one_stays_and_is_whole(tracker: MlflowRuns, server: Server) -> None:
    one = record(1)
    for _ in range(3):
        server.client.create_run(tracker.experiment_id, start_time=one.began, tags={"mlgate.key": one.key})
    done = tracker.log(one)
    assert only_run(tracker, server).info.run_id == done.run
    assert only_run(tracker, server).data.metrics == one.metrics


def test_a_tag_that_somebody_edited_is_written_anew(tracker: MlflowRuns, server: Server) -> None:
    done = tracker.log(record(1))
    server.client.set_tag(done.run, "mlgate.outcome", "failed")
    assert tracker.log(record(1)).run == done.run
    assert only_run(tracker, server).data.tags["mlgate.outcome"] == "passed"


def test_hostile_names_are_kept_apart(tracker: MlflowRuns, server: Server) -> None:
    metrics = {name: float(number) for number, name in enumerate(HOSTILE)}
    params = {name: str(number) for number, name in enumerate(HOSTILE)}
    data = tuple(DataUsed(f"check {number}", digest(number), name, 1) for number, name in enumerate(HOSTILE))
    tracker.log(record(metrics=metrics, params=params, data=data))
    run = only_run(tracker, server)
    assert sorted(run.data.metrics.values()) == sorted(metrics.values())
    assert sorted(run.data.params.values()) == sorted(params.values())
    assert len(run.inputs.dataset_inputs) == len(HOSTILE)


@pytest.mark.parametrize("name", ["größe", 'it\'s "quoted"', "a/b", "..", "x" * 250, "%s'; --", "日本語 😀"])
def test_an_experiment_has_any_name(server: Server, own_name: str, name: str) -> None:
    tracker = MlflowRuns(server, f"{own_name[-8:]}{name}"[:250])
    done = tracker.log(record())
    assert MlflowRuns(server, f"{own_name[-8:]}{name}"[:250]).log(record()).run == done.run


def test_long_texts_are_cut_and_stay_apart(tracker: MlflowRuns, server: Server) -> None:
    params = {f"p{number}": "x" * 5_000 + str(number) for number in range(150)}
    tracker.log(record(name="n" * 2_000, params=params, tags={**record().tags, "mlgate.reason": "y" * 20_000}))
    run = only_run(tracker, server)
    assert run.data.params.keys() == params.keys()
    assert len(set(run.data.params.values())) == 150
    assert run.data.tags["mlgate.reason"].startswith("yyyy")
    assert tracker.log(record(name="n" * 2_000, params=params)).run == run.info.run_id


def test_thousands_of_numbers_go_through(tracker: MlflowRuns, server: Server) -> None:
    metrics = {f"c/slice:{number}/bleu": number / 7 for number in range(2_345)}
    tracker.log(record(metrics=metrics))
    assert only_run(tracker, server).data.metrics == metrics


def test_a_number_that_is_none_is_not_drawn_as_one(tracker: MlflowRuns, server: Server) -> None:
    tracker.log(record(metrics={"nan": math.nan, "inf": math.inf, "minus": -math.inf, "n": 1.0}))
    assert only_run(tracker, server).data.metrics == {"n": 1.0}


def test_the_smallest_record_is_a_run(tracker: MlflowRuns, server: Server) -> None:
    tracker.log(TrackingRecord(key=digest(""), name="m", verdict="v", evidence="e", began=BEGAN))
    assert only_run(tracker, server).info.status == "FAILED"


def test_an_empty_file_is_a_file(tracker: MlflowRuns, server: Server, tmp_path: Path) -> None:
    tracker.log(record(files={"empty.svg": b"", "large.bin": b"\x00" * 3_000_000}))
    assert files_of(only_run(tracker, server), server, tmp_path) == {"empty.svg": b"", "large.bin": b"\x00" * 3_000_000}


@pytest.mark.parametrize("branch", ["main", "feature/größe", "it's", 'say "hi"'])
def test_the_last_pass_of_a_branch_is_found(tracker: MlflowRuns, branch: str) -> None:
    assert tracker.last_passed(branch, also={}) == ""
    tags = {**record().tags, "mlgate.branch": branch, "mlgate.acceptable": "true", "mlgate.name": "clerk"}
    tracker.log(record(1, tags=tags))
    last = tracker.log(record(2, tags=tags))
    tracker.log(record(3, tags={**tags, "mlgate.outcome": "failed", "mlgate.acceptable": ""}))
    tracker.log(record(5, tags={**tags, "mlgate.name": "other"}))
    tracker.log(record(4))
    if branch != "main":
        assert tracker.last_passed(branch, also={"mlgate.name": "clerk"}) == last.run
    else:
        assert tracker.last_passed(branch, also={}) != last.run
