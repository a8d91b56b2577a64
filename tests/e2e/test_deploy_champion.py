"""The champion of a real MLflow server follows a real cluster, also where the process between them is killed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.support.deploy_project import image
from tests.support.fake_mlflow import API, FakeMlflow
from tests.support.mlflow_faults import silent
from tests.support.rollout_cluster import Place, await_text, place

from mlgate.adapters.mlflow.client import Server, StoreAddress

pytestmark = [pytest.mark.needs_cluster, pytest.mark.needs_mlflow]

OLD, NEW, BROKEN = image("1"), image("2"), image("3")


@pytest.fixture
def somewhere(tmp_path: Path) -> Iterator[Place]:
    with place("route", tmp_path) as found:
        yield found


def track(somewhere: Place, uri: str, name: str) -> None:
    written = yaml.safe_load(somewhere.project.config.read_text())
    written["baseline"] = {"from": "mlflow"}
    written["tracking"] = {"mlflow": {"uri": uri, "experiment": name, "registry": {"name": name}}}
    somewhere.project.config.write_text(yaml.safe_dump(written))


def champion(uri: str, name: str) -> int:
    client: Any = Server(StoreAddress(uri, Path("nowhere"))).client
    return int(client.get_registered_model(name).aliases["champion"])


def test_a_process_that_is_killed_between_cluster_and_mlflow_is_explained_and_completed(
    somewhere: Place, fake_mlflow: FakeMlflow, own_name: str
) -> None:
    track(somewhere, fake_mlflow.uri, own_name)
    somewhere.deployed(OLD, MODEL_VERSION="one")
    assert champion(fake_mlflow.uri, own_name) == 1
    somewhere.manifest(MODEL_VERSION="two")
    somewhere.project.judged(NEW)
    fake_mlflow["POST", f"{API}/runs/log-parameter"] = silent  # the ledger
    process = somewhere.start("deploy")
    await_text(process, "^promoted: summarizer is ")
    process.kill()
    process.communicate()
    fake_mlflow.mend()
    assert champion(fake_mlflow.uri, own_name) == 1
    assert somewhere.is_at_rest(NEW) == ""
    doctor = " ".join(somewhere.run("doctor", "--no-ask")[1].split())
    assert "So the cluster had confirmed the promotion, and the process ended before the alias moved" in doctor
    code, said = somewhere.run("promote")
    assert code == 0, said
    assert re.search("^version 2 of .* is champion, after version 1$", said, flags=re.MULTILINE)
    code, said = somewhere.run("rollback")
    assert code == 0, said
    assert re.search("^champion of .* is version 1 again, after version 2$", said, flags=re.MULTILINE)
    somewhere.manifest(MODEL_FAIL_LOAD="no weights")
    somewhere.project.judged(BROKEN)
    code, said = somewhere.run("deploy")
    assert code == 4, said
    assert champion(fake_mlflow.uri, own_name) == 1
