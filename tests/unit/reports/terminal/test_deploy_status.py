"""A service's status says each thing once: why, of which pods, and what the cluster said besides."""

from __future__ import annotations

from mlgate.core.deploy.release import Deployed, Release, ServiceRecord
from mlgate.core.deploy.rollout import Health, Plan, Rollout
from mlgate.core.deploy.status import ClusterEvent, Holder, ModelStatus, PodStatus, ServiceStatus
from mlgate.reports.terminal import deploy_status

LACKS = "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."
OLD, NEW = (Deployed(Release(), (), f"summarizer-{digit * 8}") for digit in "12")
PLAN = Plan((10, 100), 600.0, 300.0, 14_500.0)


def shown(*models: ModelStatus, holder: Holder | None = None, now: float = 130.0) -> str:
    record = ServiceRecord("route", OLD, None, NEW, Rollout(PLAN, 100.0), "ci/1")
    return deploy_status.render(ServiceStatus("summarizer", "models", record, holder, models, now))


def pending(name: str) -> PodStatus:
    return PodStatus(name, False, 0, "Unschedulable", LACKS)


def test_what_keeps_two_pods_from_running_is_told_once() -> None:
    event = ClusterEvent("a", "FailedScheduling", LACKS, 3, "2026-11-30T12:00:00Z")
    other = ClusterEvent("a", "FailedMount", "no secret s3", 2, "2026-11-30T12:00:00Z")
    stable = ModelStatus("stable", OLD.name, Health.READY, "", 100, (PodStatus("s", True, 0, "running"),))
    why = f"pod a cannot be scheduled: {LACKS}"
    candidate = ModelStatus("candidate", NEW.name, Health.LOADING, why, 0, (pending("a"), pending("b")), (event, other))
    text = shown(stable, candidate, holder=Holder("ci/1", "2026-11-30T12:00:00Z", is_dead=False))
    assert text.count("Insufficient") == 1
    assert "  pods a, b Unschedulable\n" in text
    assert "  event FailedMount (2 times): no secret s3\n" in text
    assert "begun 30 s ago by ci/1" in text
    assert all(len(line) <= 80 for line in text.splitlines())


def test_pods_of_a_model_that_is_ready_are_told_where_they_were_restarted() -> None:
    pods = (PodStatus("a", True, 2, "running", "it ended before: OOMKilled (exit code 137)"), pending("b"))
    text = shown(ModelStatus("stable", OLD.name, Health.READY, "", None, pods))
    assert "  pod a running, restarted 2 times: it ended before: OOMKilled (exit code 137)\n" in text
    assert "      ? " in text
    assert "its process is gone" in text
    assert "mlgate deploy --resume-or-rollback rolls it back" in text
