"""Many write into one MLflow, and some are killed while they do: nothing is lost, nothing is there twice."""

from __future__ import annotations

import multiprocessing
import sqlite3
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from tests.support.mlflow_records import candidate, record, registry_of
from tests.support.mlflow_server import Server as RealServer
from tests.support.mlflow_writers import at_once, kill_at_every_step, promote, promote_beside, remember, sync, write
from tests.support.variants import WIDE
from tests.support.waiting import PATIENCE

from mlgate.adapters.files.pending_folder import PendingFolder
from mlgate.adapters.mlflow.client import Server, StoreAddress
from mlgate.adapters.mlflow.registry import MlflowRegistry
from mlgate.adapters.mlflow.runs import MlflowRuns
from mlgate.core.errors import GateError
from mlgate.flow import promotion

WRITERS = 4


@pytest.fixture(
    params=[
        pytest.param("sqlite", marks=WIDE),
        pytest.param("server", marks=pytest.mark.needs_mlflow),
        pytest.param("postgres", marks=[pytest.mark.needs_mlflow, pytest.mark.needs_postgres]),
    ]
)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> StoreAddress:
    if request.param == "sqlite":
        return local(tmp_path)
    server: RealServer = request.getfixturevalue("mlflow_server" if request.param == "server" else "mlflow_on_postgres")
    return StoreAddress(server.uri, tmp_path, PATIENCE)


def local(folder: Path) -> StoreAddress:
    return StoreAddress(f"sqlite:///{folder}/store/mlflow.db", folder / "artifacts", PATIENCE)


def whole(place: StoreAddress, experiment: str, numbers: Sequence[int]) -> None:
    """Hold the store against what was written: every verdict once, with everything in it, and nothing else."""
    server = Server(place)
    runs = MlflowRuns(server, experiment)
    found = server.client.search_runs([runs.experiment_id], max_results=1_000)
    assert sorted(run.data.tags["mlgate.key"] for run in found) == sorted(record(number).key for number in numbers)
    by_key = {run.data.tags["mlgate.key"]: run for run in found}
    for number in numbers:
        one = record(number)
        run = by_key[one.key]
        assert run.info.status == "FINISHED"
        assert (run.data.metrics, run.data.params) == (one.metrics, one.params)
        assert one.tags.items() <= run.data.tags.items()
        assert len(run.inputs.dataset_inputs) == 1


def files_are_whole(place: StoreAddress, experiment: str, numbers: Sequence[int]) -> None:
    server = Server(place)
    for number in numbers:
        one = record(number)
        (run,) = server.client.search_runs(
            [MlflowRuns(server, experiment).experiment_id], f"tags.`mlgate.key` = '{one.key}'"
        )
        listed = server.repository(run.info.artifact_uri).list_artifacts("mlgate")
        assert {part.path: part.file_size for part in listed} == {
            f"mlgate/{name}": len(content) for name, content in one.files.items()
        }


def pairs(count: int) -> list[list[int]]:
    """Give each verdict to two writers, which come to it at about the same time."""
    return [[n for n in range(count) if n % WRITERS in (one, (one + 1) % WRITERS)] for one in range(WRITERS)]


def agrees(place: StoreAddress, model: str, run: str, live: int) -> None:
    """Hold the registry together: alias, ledger and versions say the same."""
    registry = registry_of(place, model)
    moves = registry.ledger().moves
    versions = registry.versions()
    assert all(move.done for move in moves)
    assert "moved by hand" not in {move.kind for move in moves}
    assert registry.ledger().live("champion") == registry.live("champion")
    assert len({version.verdict for version in versions}) == len(versions), "a verdict has two versions"
    assert len({version.tags["mlgate.ledger"] for version in versions}) == 1
    (champion,) = [version for version in versions if version.number == registry.live("champion")]
    assert champion.is_of(candidate(run, live))


# Many writers


@pytest.mark.parametrize(
    ("kind", "count"),
    [
        ("sqlite", 80),
        pytest.param("server", 80, marks=pytest.mark.needs_mlflow),
        pytest.param("postgres", 40, marks=[pytest.mark.needs_mlflow, pytest.mark.needs_postgres]),
    ],
)
def test_of_many_verdicts_written_twice_by_four_processes_each_is_there_once(
    kind: str, count: int, request: pytest.FixtureRequest, tmp_path: Path, own_name: str
) -> None:
    if kind == "sqlite":
        place = local(tmp_path)
    else:
        name = "mlflow_server" if kind == "server" else "mlflow_on_postgres"
        place = StoreAddress(request.getfixturevalue(name).uri, tmp_path, PATIENCE)
    said = at_once(write, [(place, own_name, numbers) for numbers in pairs(count)])
    assert all(isinstance(runs, list) for runs in said), said
    whole(place, own_name, range(count))
    files_are_whole(place, own_name, range(0, count, 10))


def test_a_new_local_store_is_opened_by_four_at_once(tmp_path: Path, own_name: str) -> None:
    place = local(tmp_path)
    said = at_once(write, [(place, own_name, [number % 2]) for number in range(WRITERS)])
    assert all(isinstance(runs, list) for runs in said), said
    whole(place, own_name, [0, 1])
    assert [path.name for path in (tmp_path / "store").iterdir()] == ["mlflow.db"]


def test_a_local_store_whose_making_was_killed_is_made_anew(tmp_path: Path, own_name: str) -> None:
    place = local(tmp_path)
    (tmp_path / "store").mkdir()
    left = tmp_path / "store/.mlgate-left"
    left.mkdir()
    with sqlite3.connect(left / "mlflow.db") as half:
        half.execute("create table _alembic_tmp_experiments (id)")
    half.close()
    MlflowRuns(Server(place), own_name).log(record())
    whole(place, own_name, [0])


# Killed


def test_a_writer_killed_at_any_step_leaves_a_verdict_that_sync_makes_whole(
    place: StoreAddress, tmp_path: Path, own_name: str
) -> None:
    names = kill_at_every_step(partial(_killed_writing, place, tmp_path / "pending", own_name))
    assert len(names) > 5
    for number, name in enumerate(names):
        assert not PendingFolder(tmp_path / "pending" / name).keys()
        whole(place, name, [number])
        files_are_whole(place, name, [number])


def _killed_writing(place: StoreAddress, folder: Path, name: str, step: int) -> tuple[Any, Any, Any, str]:
    experiment = f"{name}-{step}"
    pending = folder / experiment
    doomed = (remember, place, experiment, pending, step)
    return (bool,), doomed, (sync, place, experiment, pending), experiment


@pytest.mark.parametrize("mender", [2, 3], ids=["the same verdict again", "the next verdict"])
def test_a_promotion_killed_at_any_step_is_completed_by_the_next_one(
    place: StoreAddress, own_name: str, mender: int
) -> None:
    run = MlflowRuns(Server(place), own_name).log(record()).run
    names = kill_at_every_step(partial(_killed_promoting, place, own_name, run, mender))
    assert len(names) > 5
    for name in names:
        agrees(place, name, run, mender)


def _killed_promoting(place: StoreAddress, name: str, run: str, mender: int, step: int) -> tuple[Any, Any, Any, str]:
    model = f"{name}-{step}"
    before = (promote, place, model, run, 1) if step % 2 else (bool,)  # also the very first one of a model
    return before, (promote, place, model, run, 2), (promote, place, model, run, mender), model


# Promoted at the same time


@pytest.mark.parametrize("movers", [2, 4])
def test_of_several_promotions_at_once_one_wins_and_the_others_name_it(
    place: StoreAddress, own_name: str, movers: int
) -> None:
    run = MlflowRuns(Server(place), own_name).log(record()).run
    promote(place, own_name, run, 0)
    barrier = multiprocessing.get_context("spawn").Barrier(movers)
    said = at_once(promote_beside, [(place, own_name, run, number, barrier) for number in range(1, movers + 1)])
    (winner,) = [number for number, one in enumerate(said, 1) if not isinstance(one, str)]
    agrees(place, own_name, run, winner)
    moves = registry_of(place, own_name).ledger().moves
    version = said[winner - 1][0]
    assert [move.version for move in moves][1:] == [version]
    for one in said:
        if isinstance(one, str):
            assert one.startswith(f"GateError: another promotion was first: version {version} was promoted")


def test_a_model_that_is_new_is_promoted_by_several_at_once(place: StoreAddress, own_name: str) -> None:
    run = MlflowRuns(Server(place), own_name).log(record()).run
    said = at_once(promote, [(place, own_name, run, number % 2) for number in range(WRITERS)])
    won = [one for one in said if not isinstance(one, str)]
    assert won
    assert all(isinstance(one, tuple) or "another promotion was first" in one for one in said), said
    registry = registry_of(place, own_name)
    live = next(one for one in registry.versions() if one.number == registry.live("champion"))
    agrees(place, own_name, run, 0 if live.verdict == record(0).verdict else 1)
    assert len(registry.versions()) == 2


def test_who_is_refused_because_another_was_the_first_at_once_asks_again(place: StoreAddress, own_name: str) -> None:
    """MLflow looks for an alias and then makes it: the store refuses the second of two, in its own words."""
    run = MlflowRuns(Server(place), own_name).log(record()).run
    server = Server(place)
    mine = MlflowRegistry(MlflowRuns(server, own_name), server, own_name)
    asked = server.client.set_registered_model_alias
    refused: list[str] = []

    def first_at_once(name: str, alias: str, version: str) -> None:
        if not refused:
            from mlflow.exceptions import MlflowException
            from mlflow.protos.databricks_pb2 import BAD_REQUEST

            refused.append(alias)
            raise MlflowException("UNIQUE constraint failed: registered_model_aliases.alias", BAD_REQUEST)
        asked(name, alias, version)

    vars(server.client)["set_registered_model_alias"] = first_at_once
    promotion.promote(mine, candidate(run, 1), alias="champion", now="2026-11-23T05:00:01Z")
    assert refused
    agrees(place, own_name, run, 1)


def test_who_stood_still_before_the_alias_moved_does_not_take_it_back(place: StoreAddress, own_name: str) -> None:
    run = MlflowRuns(Server(place), own_name).log(record()).run
    slow, quick = registry_of(place, own_name), registry_of(place, own_name)
    point = slow.point

    def stand_still(alias: str, version: int) -> None:
        if alias == "champion":
            vars(slow)["point"] = point
            promotion.promote(quick, candidate(run, 2), alias="champion", now="2026-11-23T05:00:02Z")
        point(alias, version)

    vars(slow)["point"] = stand_still
    promotion.promote(slow, candidate(run, 1), alias="champion", now="2026-11-23T05:00:01Z")
    agrees(place, own_name, run, 2)
    assert [move.version for move in quick.ledger().moves] == [1, 2]


def test_a_rollback_and_a_promotion_at_once_have_one_winner(place: StoreAddress, own_name: str) -> None:
    run = MlflowRuns(Server(place), own_name).log(record()).run
    first, second = registry_of(place, own_name), registry_of(place, own_name)
    for number in (1, 2):
        promotion.promote(first, candidate(run, number), alias="champion", now="2026-11-23T05:00:00Z")
    append = first.append

    def late(move: Any) -> bool:
        vars(first)["append"] = append
        promotion.rollback(second, alias="champion", now="2026-11-23T05:00:03Z")
        return append(move)

    vars(first)["append"] = late
    with pytest.raises(GateError, match="another promotion was first: version 1 was rolled back"):
        promotion.promote(first, candidate(run, 3), alias="champion", now="2026-11-23T05:00:04Z")
    agrees(place, own_name, run, 1)
