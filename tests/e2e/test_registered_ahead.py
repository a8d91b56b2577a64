"""With a `deploy` section a verdict registers a version, and the champion waits for the cluster."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from tests.e2e.desk import Desk, Done

from mlgate.adapters.mlflow.client import Server, StoreAddress

CONFIG = """\
version: 1
model:
  name: clerk
  {model}
checks:
  notes:
    data: data.jsonl
    rules:
      rougeL: {{min: 0.1, max_drop: 0.01}}
baseline: {{from: mlflow}}
tracking: {{mlflow: sqlite:///mlflow.db}}
"""
HERE, IMAGE = "python: model:answer", "image: {ref: registry.example/clerk:v2, protocol: kserve-v2}"
DEPLOY = "deploy: {service: clerk, namespace: models, manifest: deploy/clerk.yaml, hold: 1m}\n"


def aliases(desk: Desk) -> dict[str, Any]:
    """Return where aliases point, by MLflow's own client."""
    client = Server(StoreAddress(f"sqlite:///{desk.root}/mlflow.db", desk.root / "mlartifacts")).client
    return dict(client.get_registered_model("clerk").aliases)


def judged(desk: Desk, *words: str) -> Done:
    """Observe a model that is here; then judge the evidence as that of an image which runs on a cluster, as CI does."""
    desk.write("mlgate.yaml", CONFIG.format(model=HERE))
    assert desk.mlgate("check", "-n", "0", "--bootstrap").code == 0
    desk.write("mlgate.yaml", CONFIG.format(model=IMAGE) + DEPLOY)
    return desk.mlgate("merge", ".mlgate/evidence.jsonl.gz", *words)


def test_what_passes_in_ci_is_a_candidate_until_the_cluster_has_confirmed(desk: Desk) -> None:
    desk.project(CONFIG.format(model=HERE).replace("{", "{{").replace("}", "}}"))
    assert desk.mlgate("check", "-n", "0", "--save-baseline").code == 0
    assert {name: int(number) for name, number in aliases(desk).items()} == {"candidate": 1, "champion": 1}
    desk.write("model.py", Path("model.py").read_text() + "\n# another\n")
    done = judged(desk, "--save-baseline")
    assert done.code == 0, done.err
    said = "version 2 of clerk in sqlite:///mlflow.db is candidate\n"
    assert f"{said}  next: mlgate deploy; champion moves when the cluster has confirmed\n" in done.out
    assert {name: int(number) for name, number in aliases(desk).items()} == {"candidate": 2, "champion": 1}


def test_without_a_cluster_that_can_be_asked_promote_moves_nothing(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    desk.project(CONFIG.format(model=HERE).replace("{", "{{").replace("}", "}}"))
    assert judged(desk, "--bootstrap", "--save-baseline").code == 0
    monkeypatch.setenv("KUBECONFIG", str(desk.root / "none"))
    for words in (["promote"], ["baseline", "accept"]):
        done = desk.mlgate(*words)
        assert done.code == 3
        assert "champion follows clerk on the cluster, and what it serves is not known" in done.err
    assert list(aliases(desk)) == ["candidate"]
    doctor = desk.mlgate("doctor", "--no-ask").out
    assert "· cluster    what clerk serves is not known: the kubeconfig cannot be used" in doctor
