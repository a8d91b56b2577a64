"""A gate that remembers: main's champion, pull requests held against it, and the keys of a real MLflow server."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.act.conftest import Act
from tests.act.consumer import Consumer
from tests.act.judged import held, one_error, report
from tests.act.project import WORSE, config, example, model, project, write
from tests.support import mlflow_server as mlflow

pytestmark = [pytest.mark.needs_act, pytest.mark.needs_mlflow]

USER, PASSWORD = "writer-8c21", "password-77e0b1d5aa"
SECRETS = {"MLFLOW_TRACKING_USERNAME": USER, "MLFLOW_TRACKING_PASSWORD": PASSWORD}
NOSY = f"""\
import os

def answer(text):
    found = [name for name, value in os.environ.items() if {USER!r} in value or {PASSWORD!r} in value]
    return " ".join(found or text.split()[:7])
"""
"""A model that answers with the names of the keys that it finds."""

LATER = """\
  promote:
    name: promote
    needs: gate
    runs-on: ubuntu-24.04
    permissions: {contents: read}
    steps:
      - uses: actions/checkout@3d3c42e5aac5ba805825da76410c181273ba90b1 # v7.0.1
        with: {persist-credentials: false}
      - uses: actions/setup-python@5fda3b95a4ea91299a34e894583c3862153e4b97 # v7.0.0
        with: {python-version: '3.11'}
      - uses: actions/download-artifact@3e5f45b2cfb9172054b4087a40e8e0b5a5461e7c # v8.0.1
        with: {name: mlgate-whole, path: verdict}
      - uses: org/mlgate/action/promote@0123456789abcdef0123456789abcdef01234567 # v0.1.0
        with: {output: verdict}
        env:
          MLFLOW_TRACKING_USERNAME: ${{ secrets.MLFLOW_TRACKING_USERNAME }}
          MLFLOW_TRACKING_PASSWORD: ${{ secrets.MLFLOW_TRACKING_PASSWORD }}
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[mlflow.Server]:
    """One that asks who is there. A test that stops it starts it again."""
    with mlflow.server(tmp_path_factory.mktemp("mlflow"), auth=True) as one:
        one.add_user(USER, PASSWORD)
        yield one


def remembering(server: mlflow.Server, name: str, *, rules: str = "{min: 0.3, max_drop: 0.01}", more: str = "") -> str:
    about = f"tracking: {{mlflow: {{uri: '{server.uri}', experiment: {name}, registry: {{name: {name}}}}}}}\n"
    return config(rules, about + more)


def test_what_main_passed_is_the_champion_that_a_pull_request_is_held_against(
    act: Act, consumer: Consumer, server: mlflow.Server
) -> None:
    gate = remembering(server, "champions", more="baseline: {from: mlflow}\n")
    project(consumer, gate=gate, workflow=example("mlflow.yml"), **{"model.py": NOSY})
    first = act(consumer, consumer.push(), secrets=SECRETS)
    held(first, "warned", 0, "rougeL 1.0000 is above the minimum 0.3")
    assert f"version 1 of champions in {server.uri} is champion" in first.log
    consumer.checkout("feature")
    write(consumer, {"model.py": model(WORSE)})
    event = consumer.pull_request()
    worse = act(consumer, event, secrets=SECRETS)
    held(worse, "failed", 1, "rougeL 1.0000 became 0.9231", "worse, and more than max_drop 0.01")
    assert report(worse)["baseline"]["commit"] == consumer.sha("main")
    runs = server.call("POST", "/api/2.0/mlflow/runs/search", {"experiment_ids": ["1"], "max_results": 10})["runs"]
    outcomes = [{one["key"]: one["value"] for one in run["data"]["tags"]}.get("mlgate.outcome") for run in runs]
    assert sorted(filter(None, outcomes)) == ["failed", "warned"]
    consumer.checkout("feature")
    stranger = act(consumer, consumer.pull_request(fork=True), secrets=SECRETS)
    assert stranger.job("accuracy") == "success"
    held(stranger, "errored", 3)
    one_error(
        stranger, "could not", "set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
    )


def test_a_job_behind_an_environment_promotes_what_the_gate_left(
    act: Act, consumer: Consumer, server: mlflow.Server
) -> None:
    workflow = example("mlflow.yml", save_baseline=False) + LATER
    project(consumer, gate=remembering(server, "later", rules="{min: 0.3}"), workflow=workflow)
    ran = act(consumer, consumer.push(), secrets=SECRETS)
    held(ran, "passed", 0)
    assert ran.job("promote") == "success", ran
    assert f"version 1 of later in {server.uri} is champion" in ran.log


def test_a_verdict_that_mlflow_did_not_take_is_kept_and_logged_later(
    act: Act, consumer: Consumer, server: mlflow.Server, tmp_path: Path
) -> None:
    gate = remembering(server, "patient", rules="{min: 0.3}")
    project(consumer, gate=gate, workflow=example("mlflow.yml", save_baseline=False))
    server.stop()
    try:
        ran = act(consumer, consumer.pull_request(), secrets=SECRETS)
    finally:
        server.start()
    held(ran, "passed", 0)
    assert "the verdict is not logged" in ran.log
    shutil.copytree(ran.artifact("mlgate-pending"), tmp_path / "kept/pending")
    program = str(Path(sys.executable).with_name("mlgate"))
    done = subprocess.run(
        [program, "sync", "-c", str(consumer.root / "mlgate.yaml"), "-o", str(tmp_path / "kept")],
        env=SECRETS,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 of 1: clerk passed"), done.stdout
    assert list((tmp_path / "kept/pending").iterdir()) == []
