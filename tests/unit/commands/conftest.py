"""A cluster in memory, in which nothing is waited for."""

from __future__ import annotations

import pytest
from tests.support.fake_controllers import Controllers
from tests.support.fake_kubernetes import FakeKubernetes


@pytest.fixture
def fake(monkeypatch: pytest.MonkeyPatch) -> FakeKubernetes:
    """The cluster that the verbs of a deploy reach."""
    made = FakeKubernetes()
    Controllers(made)
    monkeypatch.setattr("mlgate.wiring.deploy.kubernetes_api.connect", lambda _context, _namespace: made.api())
    monkeypatch.setattr("mlgate.adapters.kubernetes.drain.DRAIN_S", 0.0)
    monkeypatch.setattr("mlgate.adapters.kubernetes.api._LONGEST_PAUSE_S", 0.0)
    monkeypatch.setattr("mlgate.flow.deploy.rollout._POLL_S", 0.01)
    return made
