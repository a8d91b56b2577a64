"""A deploy whose process died, and is begun again by the same command."""

from __future__ import annotations

from datetime import datetime, timedelta, tzinfo
from pathlib import Path
from typing import Self

import pytest
from tests.support.deploy_project import DeployProject, image, inference_service
from tests.support.fake_kubernetes import NAMESPACE
from tests.support.fake_serving import Death

from mlgate.cli.group import invoke
from mlgate.core.deploy.release import ServiceRecord
from mlgate.core.deploy.rollout import Phase

GATEWAY = {"name": "kserve/gate", "hosts": ["summarizer.example.com"]}


class Later(datetime):
    """The clock of a day later: a verdict may be 24 hours old."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> Self:
        return super().now(tz) + timedelta(hours=30)


def dying(record: ServiceRecord) -> float:
    """Die while the first step holds."""
    assert record.rollout is not None
    if record.rollout.state.phase is Phase.HOLDING:
        raise Death
    return 0.001


@pytest.mark.usefixtures("fake")
def test_a_rollout_that_goes_on_may_outlive_its_verdict(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    project = DeployProject(Path(), "summarizer", NAMESPACE, gateway=GATEWAY, steps=[50, 100], hold="10ms")
    for digit in "12":
        project.manifest(inference_service(MODEL_VERSION=digit))
        project.judged(image(digit))
        if digit == "1":
            assert invoke(["deploy"]) == 0
    with monkeypatch.context() as patched:
        patched.setattr("mlgate.flow.deploy.rollout.pause", dying)
        with pytest.raises(Death):
            invoke(["deploy"])
    monkeypatch.setattr("mlgate.commands.deploy.rollout.datetime", Later)
    project.changed(steps=[25, 100])  # by other steps it would go back, and begin anew
    assert invoke(["deploy"]) == 5
    project.changed(steps=[50, 100])
    capfd.readouterr()
    assert invoke(["deploy"]) == 0
    out = capfd.readouterr().out
    assert (out.count("loading"), out.count("holding"), "rolling back" in out) == (1, 2, False)
    assert "promoted: summarizer is " in out
    project.manifest(inference_service(MODEL_VERSION="3"))
    project.judged(image("3"))
    assert invoke(["deploy"]) == 5
    assert "the verdict is 30 hours old" in capfd.readouterr().err
