"""A real MLflow server that is lost at any request after the cluster's promotion: the next look completes the alias."""

from __future__ import annotations

import itertools
from contextlib import suppress
from pathlib import Path

import pytest
from tests.support.fake_mlflow import FakeMlflow
from tests.support.mlflow_records import NOW, candidate, digest, record, registry_of

from mlgate.adapters.mlflow.client import Server, StoreAddress
from mlgate.adapters.mlflow.runs import MlflowRuns
from mlgate.core.deploy.release import Deployed, Release, ServiceRecord
from mlgate.core.errors import AdapterError
from mlgate.flow.deploy.alias import AliasTools, follow
from mlgate.flow.promotion import CHAMPION, promote, register

FEWEST = 20
"""Requests that a promotion takes at least, its verdict's run among them."""


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask each thing once."""
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")


@pytest.mark.needs_mlflow
@pytest.mark.parametrize("lost", [False, True], ids=["before", "after"])
def test_a_server_that_is_lost_at_any_request_leaves_an_alias_that_was_confirmed_and_is_completed(
    fake_mlflow: FakeMlflow, own_name: str, tmp_path: Path, lost: bool
) -> None:
    place = StoreAddress(fake_mlflow.uri, tmp_path, 10.0)
    release = Release("m@sha256:2", digest("model 2"), record(2).verdict)
    served = ServiceRecord("route", accepted=Deployed(release, (), "summarizer-2"))
    for cut in itertools.count():
        name = f"{own_name}-{cut}"
        runs, registry = MlflowRuns(Server(place), name), registry_of(place, name)
        promote(registry, candidate(runs.log(record(1)).run, 1), alias=CHAMPION, now=NOW)

        def registered(_: Release, runs: MlflowRuns = runs, name: str = name) -> None:
            register(registry_of(place, name), candidate(runs.log(record(2)).run, 2))

        tools = AliasTools(CHAMPION, registry, lambda: served, lambda: NOW, registered)
        fake_mlflow.cut_after(cut, lost=lost)
        done = None
        with suppress(AdapterError):
            done = follow(tools)
        fake_mlflow.mend()
        assert registry.live(CHAMPION) in (1, 2)
        follow(tools)
        assert (registry.live(CHAMPION), len(registry.versions())) == (2, 2)
        assert [(move.version, move.done) for move in registry.ledger().moves] == [(1, True), (2, True)]
        if done is not None:
            break
    assert cut > FEWEST
