"""What a person would look for by kubectl: pods with what they lack, and warnings, each once."""

from __future__ import annotations

from typing import Any

from tests.support.fake_kubernetes import FakeKubernetes

from mlgate.adapters.kubernetes import status
from mlgate.core.deploy.status import ClusterEvent, PodStatus


def event(name: str, message: str, count: int, last: str) -> dict[str, Any]:
    return {"metadata": {"name": name}, "reason": "Failed", "message": message, "count": count, "lastTimestamp": last}


def test_what_was_said_of_several_objects_is_told_once_and_the_last_first() -> None:
    fake = FakeKubernetes()
    for one in (
        event("a", "no secret s3", 2, "2026-11-30T12:00:00Z"),
        event("b", "no secret s3", 3, "2026-11-30T12:00:09Z"),
        event("c", "no  image\n", 1, "2026-11-30T12:00:20Z"),
        event("d", "Operation cannot be fulfilled: the object has been modified", 9, "2026-11-30T12:00:30Z"),
    ):
        fake._create("events", one["metadata"]["name"], one)
    assert status.events(fake.api(), ["summarizer"]) == (
        ClusterEvent("summarizer", "Failed", "no image", 1, "2026-11-30T12:00:20Z"),
        ClusterEvent("summarizer", "Failed", "no secret s3", 5, "2026-11-30T12:00:09Z"),
    )


def pod(name: str, **of: Any) -> dict[str, Any]:
    return {"metadata": {"name": name, **of.pop("metadata", {})}, "status": of}


def test_pods_that_are_not_ready_come_first_with_what_they_lack() -> None:
    ready = {"type": "Ready", "status": "True"}
    unscheduled = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "Insufficient cpu"}
    crashed = {"state": {"waiting": {"reason": "CrashLoopBackOff"}}, "restartCount": 4}
    crashed["lastState"] = {"terminated": {"reason": "OOMKilled", "exitCode": 137}}
    found = status.pods(
        [
            pod("a", conditions=[ready], phase="Running"),
            pod("b", conditions=[unscheduled]),
            pod("c", containerStatuses=[crashed]),
            pod("d", metadata={"deletionTimestamp": "2026-11-30T12:00:00Z"}),
        ]
    )
    assert found == (
        PodStatus("b", False, 0, "Unschedulable", "Insufficient cpu"),
        PodStatus("c", False, 4, "CrashLoopBackOff", "OOMKilled (exit code 137)"),
        PodStatus("d", False, 0, "ending"),
        PodStatus("a", True, 0, "running"),
    )
