"""What Kubernetes', KServe's, Knative's and a gateway's controllers make of objects, as far as a rollout looks at them.

Seen on the real ones (v0.20.0 of KServe, v0.48.1 of Knative); tests/e2e/test_deploy.py runs the same stories there.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import httpx2
from tests.support.fake_kubernetes import FakeKubernetes

from mlgate.adapters.kubernetes.manifest import RELEASE_LABEL

Objects = dict[tuple[str, str], dict[str, Any]]
FAILS = "MODEL_FAIL_LOAD"
"""The variable of a container that never becomes ready."""


class Controllers:
    """Reconciles everything at once before each request, as if no time were needed."""

    def __init__(self, fake: FakeKubernetes, *, routes_canaries: bool = True) -> None:
        self.fake = fake
        self.routes_canaries = routes_canaries
        """Whether KServe's route gives canaries their percent; v0.20.0 does not."""
        self.revisions: dict[str, int] = {}
        self.needed: dict[str, int] = {}
        """How many pods the traffic of a Deployment needs, by its name: what an autoscaler gives it; 1 for others."""
        fake.before = self._before

    def _before(self, _method: str, _path: str) -> httpx2.Response | None:
        self.reconcile()
        return None

    @property
    def objects(self) -> Objects:
        return self.fake.objects

    def reconcile(self) -> None:
        for service in self._all("inferenceservices"):
            mode = (service["metadata"].get("annotations") or {}).get("serving.kserve.io/deploymentMode")
            if mode == "Knative":
                self._knative(service)
            else:
                self._standard(service)
        self._garbage()
        for scaler in self._all("horizontalpodautoscalers"):
            self._scale(scaler)
        for deployment in self._all("deployments"):
            self._deployment(deployment)
        for route in self._all("httproutes"):
            self._route(route)

    def _all(self, plural: str) -> list[dict[str, Any]]:
        return [one for (kind, _), one in sorted(self.objects.items()) if kind == plural]

    def _make(self, plural: str, name: str, body: Mapping[str, Any], owner: str) -> dict[str, Any]:
        """Make an object or its specification so, owned by another one."""
        there = self.objects.get((plural, name))
        if there is None:
            whole = {**body, "metadata": {"name": name, **body.get("metadata", {}), "owner": owner}}
            self.fake._create(plural, name, whole)
        elif there.get("spec") != body.get("spec"):
            self.fake._update(plural, name, there, {"metadata": {}, "spec": body.get("spec")})
        made = self.objects[plural, name]
        if "metadata" in body:
            made["metadata"]["labels"] = dict(body["metadata"].get("labels", {}))
        return made

    def _garbage(self) -> None:
        for (plural, name), one in list(self.objects.items()):
            owner = one["metadata"].get("owner")
            if owner and tuple(owner.split("/")) not in self.objects:
                del self.objects[plural, name]

    def _standard(self, service: dict[str, Any]) -> None:
        """Make a Deployment of the predictor and one of each canary; the stable one shrinks by the canaries' pods."""
        name, predictor = service["metadata"]["name"], service["spec"]["predictor"]
        canaries = service["spec"].get("canary") or []
        taken = sum(one["predictor"].get("minReplicas", 1) for one in canaries)
        stable = max(1, predictor.get("minReplicas", 1) - taken)
        self._predictor(name, f"{name}-predictor", {**predictor, "minReplicas": stable})
        for one in canaries:
            self._predictor(name, f"{name}-{one['predictor']['name']}-predictor", one["predictor"])
        wanted = {f"{name}-predictor", *(f"{name}-{one['predictor']['name']}-predictor" for one in canaries)}
        for kind, made in list(self.objects):
            owner = self.objects[kind, made]["metadata"].get("owner")
            if kind == "deployments" and owner == f"inferenceservices/{name}" and made not in wanted:
                del self.objects[kind, made]
        visible = (service["metadata"].get("labels") or {}).get("networking.kserve.io/visibility") != "cluster-local"
        if visible:
            self._kserve_route(name, canaries if self.routes_canaries else [])
        state = "FailedToLoad" if _fails(_containers(predictor)) else "Loaded"
        service["status"] = {"modelStatus": {"states": {"targetModelState": state}, "transitionStatus": "UpToDate"}}

    def _predictor(self, service: str, name: str, predictor: Mapping[str, Any]) -> None:
        pods = {"metadata": {"labels": predictor.get("labels", {})}, "spec": {"containers": _containers(predictor)}}
        least, most = predictor.get("minReplicas", 1), predictor.get("maxReplicas", 0)
        spec = {"replicas": max(least, min(self.needed.get(name, 1), most)), "template": pods}
        spec["selector"] = {"matchLabels": predictor.get("labels", {})}
        self._make("deployments", name, {"spec": spec}, f"inferenceservices/{service}")

    def _scale(self, scaler: dict[str, Any]) -> None:
        name, spec = scaler["spec"]["scaleTargetRef"]["name"], scaler["spec"]
        there = self.objects.get(("deployments", name))
        replicas = max(spec["minReplicas"], min(self.needed.get(name, 1), spec["maxReplicas"]))
        if there is not None and there["spec"].get("replicas") != replicas:
            self.fake._update(
                "deployments", name, there, {"metadata": {}, "spec": {**there["spec"], "replicas": replicas}}
            )

    def _kserve_route(self, name: str, canaries: list[dict[str, Any]]) -> None:
        share = sum(one["trafficPercent"] for one in canaries)
        refs = [{"name": f"{name}-predictor", "weight": 100 - share}]
        refs += [
            {"name": f"{name}-{one['predictor']['name']}-predictor", "weight": one["trafficPercent"]}
            for one in canaries
        ]
        rules = [{"matches": [{"path": {"type": "RegularExpression", "value": "^/.*$"}}], "backendRefs": refs}]
        spec = {"parentRefs": [{"name": "gate", "namespace": "kserve"}], "rules": rules}
        self._make("httproutes", name, {"spec": spec}, f"inferenceservices/{name}")

    def _deployment(self, deployment: dict[str, Any]) -> None:
        name, spec = deployment["metadata"]["name"], deployment["spec"]
        wanted, template = spec.get("replicas", 1), spec["template"]
        broken = _fails(template["spec"]["containers"])
        for number in range(wanted):
            pod = {"metadata": {"labels": template["metadata"]["labels"]}, "spec": template["spec"]}
            made = self._make("pods", f"{name}-{number}", pod, f"deployments/{name}")
            made["status"] = _pod_status(broken=broken)
        for key in [key for key in self.objects if key[0] == "pods" and key[1].startswith(f"{name}-")]:
            if int(key[1].rpartition("-")[2]) >= wanted:
                del self.objects[key]
        ready = 0 if broken else wanted
        deployment["status"] = {
            "observedGeneration": deployment["metadata"]["generation"],
            "replicas": wanted,
            "updatedReplicas": wanted,
            "availableReplicas": ready,
        }

    def _route(self, route: dict[str, Any]) -> None:
        generation = route["metadata"]["generation"]
        conditions = [
            {"type": kind, "status": "True", "observedGeneration": generation} for kind in ("Accepted", "ResolvedRefs")
        ]
        parents = route["spec"].get("parentRefs", [])
        route["status"] = {"parents": [{"parentRef": one, "conditions": conditions} for one in parents]}

    def _knative(self, service: dict[str, Any]) -> None:
        """Keep a revision for each content; the percent goes to the last ready one, the rest to what was rolled out."""
        name = service["metadata"]["name"]
        predictor = copy.deepcopy(service["spec"]["predictor"])
        percent = predictor.pop("canaryTrafficPercent", None)
        state = service.setdefault(
            "_state", {"content": None, "created": "", "ready": "", "rolled": "", "previous": ""}
        )
        if state["content"] != predictor:
            number = self.revisions[name] = self.revisions.get(name, 0) + 1
            state.update(content=predictor, created=f"{name}-predictor-{number:05d}")
            self._revision(service, state["created"], predictor)
        if not _fails(predictor["containers"]):
            state["ready"] = state["created"]
        if percent in (None, 100) or not state["rolled"]:
            if state["ready"] and state["rolled"] != state["ready"]:
                state.update(previous=state["rolled"], rolled=state["ready"])
            shares = {state["rolled"]: 100}
        elif state["ready"] == state["rolled"]:
            shares = {state["rolled"]: percent, state["previous"]: 100 - percent}
        else:
            shares = {state["ready"]: percent, state["rolled"]: 100 - percent}
        self._knative_status(service, state, {who: share for who, share in shares.items() if who})

    def _revision(self, service: dict[str, Any], name: str, predictor: Mapping[str, Any]) -> None:
        labels = {**predictor.get("labels", {}), "serving.knative.dev/revision": name}
        owner = f"inferenceservices/{service['metadata']['name']}"
        made = self._make("revisions", name, {"metadata": {"labels": labels}, "spec": dict(predictor)}, owner)
        broken = _fails(predictor["containers"])
        ready = {"type": "Ready", "status": "False" if broken else "True", "reason": "ExitCode1" if broken else ""}
        made["status"] = {"conditions": [ready]}
        pod = self._make("pods", f"{name}-0", {"metadata": {"labels": labels}}, f"revisions/{name}")
        pod["status"] = _pod_status(broken=broken)

    def _knative_status(self, service: dict[str, Any], state: Mapping[str, str], shares: Mapping[str, int]) -> None:
        name = service["metadata"]["name"]
        front = self._make("services", f"{name}-predictor", {"spec": {}}, f"inferenceservices/{name}")
        front["status"] = {
            "observedGeneration": front["metadata"]["generation"],
            "latestCreatedRevisionName": state["created"],
            "latestReadyRevisionName": state["ready"],
            "traffic": [{"revisionName": who, "percent": share} for who, share in shares.items()],
        }
        predictor = {"latestRolledoutRevision": state["rolled"], "previousRolledoutRevision": state["previous"]}
        service["status"] = {"components": {"predictor": predictor}}


def _containers(predictor: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = predictor.get("containers") or [{"name": "kserve-container", **predictor["model"]}]
    return found


def _fails(containers: list[dict[str, Any]]) -> bool:
    return any(one["name"] == FAILS for container in containers for one in container.get("env", []))


def _pod_status(*, broken: bool) -> dict[str, Any]:
    if not broken:
        running = [{"name": "model", "restartCount": 0, "state": {"running": {}}}]
        return {"containerStatuses": running, "conditions": [{"type": "Ready", "status": "True"}]}
    waiting = {"reason": "CrashLoopBackOff"}
    ended = {"reason": "Error", "exitCode": 1}
    crashed = {"name": "model", "restartCount": 2, "state": {"waiting": waiting}, "lastState": {"terminated": ended}}
    return {"containerStatuses": [crashed]}


def release_of(one: Mapping[str, Any]) -> str:
    return str((one["metadata"].get("labels") or {}).get(RELEASE_LABEL, ""))
