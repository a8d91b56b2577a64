"""Every way of sharing traffic keeps the same promises: what a rollout asks for is what the cluster comes to."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import httpx2
import pytest
from tests.support.deploy_project import deployment, image, inference_service
from tests.support.fake_controllers import Controllers, release_of
from tests.support.fake_kubernetes import FakeKubernetes
from tests.support.fake_serving import Death, FakeJudge, Silent

from mlgate.adapters.kubernetes import manifest, replicas, route_manifest
from mlgate.adapters.kubernetes.api import Api
from mlgate.adapters.kubernetes.http_route import Audience, Gateway, is_mirrored, opening_of, weight_of
from mlgate.adapters.kubernetes.knative import KnativeServing
from mlgate.adapters.kubernetes.replicas import ReplicasServing
from mlgate.adapters.kubernetes.route import RouteServing
from mlgate.adapters.kubernetes.service_records import ConfigMapRecords
from mlgate.adapters.kubernetes.standard import StandardServing
from mlgate.core.deploy.ports import Judgement, Serving
from mlgate.core.deploy.release import Deployed, Release, ServiceRecord
from mlgate.core.deploy.rollout import Opening, Phase, Plan
from mlgate.core.errors import AdapterError, GateError, Overtaken
from mlgate.core.outcome import Outcome
from mlgate.flow.deploy.rollout import RolloutTools, deploy, reconcile, recover

SERVICE = "summarizer"
GATEWAY = Gateway("gate", "kserve", ("summarizer.example.com",))
MODES = ("route", "deployment", "replicas", "knative", "standard")
SCALED = ("route", "deployment")
"""Those where an autoscaler scales each of the two models by itself."""
STEPS = {"replicas": (50, 100)}
"""With two pods the smallest step is 34 %."""


def rolled_out(of: RolloutTools, candidate: Deployed, plan: Plan, mode: str) -> ServiceRecord:
    record = deploy(of, candidate, plan, mode=mode, owner="a test")
    assert record is not None
    return record


@dataclass
class World:
    """A cluster in memory, in one mode, and the time there."""

    mode: str
    fake: FakeKubernetes = field(default_factory=FakeKubernetes)
    time: float = 1_800_000_000.0
    shares: list[int] = field(default_factory=list)
    """Of the candidate, after each write."""
    candidate: str = ""
    is_scaled: bool = False
    """Whether an autoscaler scales the models: to 2 pods at least and 8 at most."""
    audience: Audience | None = None

    def __post_init__(self) -> None:
        self.controllers = Controllers(self.fake)

    def api(self) -> Api:
        return self.fake.api()

    def release(self, version: str, **env: str) -> Deployed:
        release = Release(image=image(version))
        if self.mode in ("route", "knative", "standard"):
            document = inference_service(MODEL_VERSION=version, **env)
            if self.mode == "standard":
                (container,) = document["spec"]["predictor"].pop("containers")
                document["spec"]["predictor"]["model"] = {**container, "modelFormat": {"name": "test"}}
                return manifest.released(SERVICE, release, [document], keeps_names=True)
            if self.mode == "knative":
                document["metadata"]["annotations"] = {"serving.kserve.io/deploymentMode": "Knative"}
                return manifest.released(SERVICE, release, [document], keeps_names=True)
            if self.is_scaled:
                document["metadata"]["annotations"] = {}
                document["spec"]["predictor"]["maxReplicas"] = 8
            return manifest.released(SERVICE, release, route_manifest.prepared([document], SERVICE))
        document = deployment(2, **{"MODEL_VERSION": version, **env})
        if self.mode == "replicas":
            return manifest.released(SERVICE, release, replicas.prepared([document], STEPS["replicas"]))
        beside = [autoscaler()] if self.is_scaled else []
        return manifest.released(SERVICE, release, route_manifest.prepared([document, *beside], SERVICE))

    def serving(self, api: Api, record: ServiceRecord) -> Serving:
        if self.mode == "knative":
            return KnativeServing(api, SERVICE, record)
        if self.mode == "standard":
            return StandardServing(api, SERVICE, record)
        if self.mode == "replicas":
            return ReplicasServing(api, SERVICE, record)
        return RouteServing(api, SERVICE, GATEWAY, record, self.audience)

    def tools(self, judge: FakeJudge | None = None, why: str = "") -> RolloutTools:
        api = self.api()
        return RolloutTools(
            lambda record: self.serving(api, record),
            ConfigMapRecords(api, SERVICE),
            judge or FakeJudge(),
            Waiting(self, why),
            Silent(),
            self.now,
        )

    def now(self) -> float:
        self.time += 0.5
        return self.time

    def roll(self, version: str, judge: FakeJudge | None = None, **env: str) -> ServiceRecord:
        """Deploy a version, watching the share that it has."""
        candidate = self.release(version, **env)
        self.candidate = candidate.name
        plan = Plan(STEPS.get(self.mode, (10, 50, 100)), 1.0, 30.0, self.time + 600)
        return rolled_out(self.tools(judge), candidate, plan, self.mode)

    def share(self, name: str) -> int:
        """Return the percent of the traffic that a release has."""
        self.controllers.reconcile()
        match self.mode:
            case "knative":
                front = self.fake.objects.get(("services", f"{SERVICE}-predictor"), {"status": {"traffic": []}})
                labels = {one["metadata"]["name"]: release_of(one) for one in self.controllers._all("revisions")}
                return sum(
                    one["percent"] for one in front["status"]["traffic"] if labels.get(one["revisionName"]) == name
                )
            case "standard":
                return self._share_of_canary(name)
            case "replicas":
                return self._share_of_pods(name)
            case _:
                service = f"{name}-predictor" if self.mode == "route" else name
                return weight_of(self.fake.objects.get(("httproutes", f"mlgate-{SERVICE}")), service)

    def _share_of_pods(self, name: str) -> int:
        front = self.fake.objects.get(("services", SERVICE))
        if front is None:
            return 0
        wanted = front["spec"]["selector"].items()
        pods = [one for one in self.controllers._all("pods") if wanted <= one["metadata"]["labels"].items()]
        own = [one for one in pods if release_of(one) == name]
        return 100 * len(own) // len(pods) if pods else 0

    def _share_of_canary(self, name: str) -> int:
        service = self.fake.objects.get(("inferenceservices", SERVICE))
        if service is None:
            return 0
        own = f"{SERVICE}-v-{name.rpartition('-')[2]}-predictor"
        share = weight_of(self.fake.objects.get(("httproutes", SERVICE)), own)
        stable = weight_of(self.fake.objects.get(("httproutes", SERVICE)), f"{SERVICE}-predictor")
        return share + (stable if release_of({"metadata": service["spec"]["predictor"]}) == name else 0)

    def is_at_rest(self, version: str, **env: str) -> str:
        """Return why not everything is on one version, and nothing of another left."""
        name = self.release(version, **env).name
        if self.share(name) != 100:
            return f"it has {self.share(name)} %"
        pods = {release_of(one) for one in self.controllers._all("pods")}
        others = {one for one in pods - {name} if one}
        if others and self.mode != "knative":
            return f"there are pods of {others}"
        if self.mode == "knative":
            service = self.fake.objects["inferenceservices", SERVICE]["spec"]["predictor"]
            return "a percent is left" if "canaryTrafficPercent" in service else ""
        return ""

    def runs(self, version: str) -> str:
        """Return the name of the Deployment that runs a version."""
        return self.release(version).name + ("-predictor" if self.mode == "route" else "")

    def replicas(self, version: str) -> int:
        self.controllers.reconcile()
        there = self.fake.objects.get(("deployments", self.runs(version)))
        return int(there["spec"]["replicas"]) if there else 0


def autoscaler() -> dict[str, Any]:
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": SERVICE}
    spec = {"scaleTargetRef": target, "minReplicas": 2, "maxReplicas": 8}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": SERVICE},
        "spec": spec,
    }


@dataclass
class Waiting:
    world: World
    why: str = ""

    def wait(self, seconds: float) -> None:
        self.world.time += seconds

    @contextlib.contextmanager
    def interrupts(self) -> Iterator[None]:
        yield


@pytest.fixture(autouse=True)
def _hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlgate.adapters.kubernetes.drain.DRAIN_S", 0.0)
    monkeypatch.setattr("mlgate.adapters.kubernetes.route._KNOWN_S", 0.0)
    monkeypatch.setattr("mlgate.adapters.kubernetes.api.time.sleep", lambda _: None)


@pytest.fixture(params=MODES)
def world(request: pytest.FixtureRequest) -> World:
    return World(request.param)


def phase(record: ServiceRecord) -> Phase:
    assert record.rollout is not None
    return record.rollout.state.phase


def test_a_first_model_and_the_next_ones_are_promoted(world: World) -> None:
    for version in ("1", "2", "3"):
        assert phase(world.roll(version)) is Phase.PROMOTED
        assert world.is_at_rest(version) == ""


def test_a_candidate_that_never_loads_gets_nothing(world: World) -> None:
    world.roll("1")
    record = world.roll("2", MODEL_FAIL_LOAD="yes")
    assert phase(record) is Phase.RESTORED
    assert record.rollout is not None
    assert record.rollout.states[-2].weight(record.rollout.plan) == 0
    assert world.is_at_rest("1") == ""


def test_after_a_candidate_was_taken_back_what_serves_is_left_alone_or_told_to_be_gone(world: World) -> None:
    world.roll("1")
    world.roll("2", MODEL_FAIL_LOAD="yes")
    plan = Plan(STEPS.get(world.mode, (10, 50, 100)), 1.0, 30.0, world.time + 600)
    assert deploy(world.tools(), world.release("1"), plan, mode=world.mode, owner="a test") is None
    for key in [key for key in world.fake.objects if key[0] in ("inferenceservices", "deployments")]:
        del world.fake.objects[key]
    with pytest.raises(GateError, match="serves by its record, but it is"):
        deploy(world.tools(), world.release("1"), plan, mode=world.mode, owner="a test")


@pytest.mark.parametrize("outcome", [Outcome.FAILED, Outcome.INCONCLUSIVE])
def test_a_candidate_that_is_judged_worse_is_taken_back(world: World, outcome: Outcome) -> None:
    world.roll("1")
    assert phase(world.roll("2", FakeJudge(outcome))) is Phase.RESTORED
    assert world.is_at_rest("1") == ""


def test_a_rejected_candidate_never_gets_the_next_ones_traffic(world: World) -> None:
    world.roll("1")
    world.roll("2", FakeJudge(Outcome.FAILED))
    rejected = world.release("2").name
    watch(world, rejected)
    world.roll("3")
    assert set(world.shares) <= {0}


def watch(world: World, name: str) -> None:
    """Note a release's share after every write."""

    def note(method: str, _path: str) -> httpx2.Response | None:
        if method != "GET":
            world.shares.append(world.share(name))
        return None

    world.fake.after = note


def test_the_share_never_goes_above_the_step(world: World) -> None:
    world.roll("1")
    watch(world, world.release("2").name)
    world.roll("2")
    allowed = {0, *STEPS.get(world.mode, (10, 50, 100))}
    assert set(world.shares) <= allowed
    assert world.shares == sorted(world.shares)
    assert world.shares[-1] == 100


SHADOW = Opening.MIRRORED
PREDICTOR = {"route": "-predictor", "deployment": ""}


@pytest.fixture(params=PREDICTOR)
def routed(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.setattr("mlgate.adapters.kubernetes.drain.DRAIN_S", 0.0)
    one = World(request.param)
    one.roll("1")
    return one


def mirrored(world: World, judge: FakeJudge | None = None) -> tuple[ServiceRecord, list[tuple[int, bool]]]:
    """Roll the second version out with a shadow; return its share after each write, and whether it had copies."""
    candidate, seen = world.release("2"), [(0, False)]

    def note(method: str, _path: str) -> httpx2.Response | None:
        if method != "GET":
            world.controllers.reconcile()
            route = world.fake.objects.get(("httproutes", f"mlgate-{SERVICE}"))
            now = (world.share(candidate.name), is_mirrored(route, f"{candidate.name}{PREDICTOR[world.mode]}"))
            if now != seen[-1]:
                seen.append(now)
        return None

    world.fake.after = note
    plan = Plan((0, 50, 100), 1.0, 30.0, world.time + 600, SHADOW, 2.0)
    return rolled_out(world.tools(judge), candidate, plan, world.mode), seen


def test_requests_are_copied_in_the_shadow_and_at_no_other_time(routed: World) -> None:
    record, seen = mirrored(routed)
    assert phase(record) is Phase.PROMOTED
    assert seen == [(0, False), (0, True), (50, False), (100, False)]
    assert routed.is_at_rest("2") == ""
    assert ("httproutes", f"mlgate-{SERVICE}-trial") not in routed.fake.objects


@dataclass
class InTheShadow(FakeJudge):
    """Finds what is copied to be bad."""

    def judge(self, record: ServiceRecord) -> Judgement:
        assert record.rollout is not None
        return Judgement(Outcome.FAILED if record.rollout.opening else Outcome.PASSED, "as the fake says")


def test_a_shadow_that_is_judged_worse_ends_the_copies(routed: World) -> None:
    record, seen = mirrored(routed, InTheShadow())
    assert phase(record) is Phase.RESTORED
    assert seen == [(0, False), (0, True), (0, False)]
    assert routed.is_at_rest("1") == ""


@pytest.mark.parametrize("is_cookie", [False, True])
def test_an_audience_reaches_the_candidate_in_its_step_and_at_no_other_time(routed: World, *, is_cookie: bool) -> None:
    routed.audience = Audience("group", "b", is_cookie=is_cookie)
    candidate, seen = routed.release("2"), [(0, False)]

    def note(method: str, _path: str) -> httpx2.Response | None:
        if method != "GET":
            route = routed.fake.objects.get(("httproutes", f"mlgate-{SERVICE}"))
            opens = opening_of(route, f"{candidate.name}{PREDICTOR[routed.mode]}")
            now = (routed.share(candidate.name), opens is Opening.AUDIENCE)
            if now != seen[-1]:
                seen.append(now)
        return None

    routed.fake.after = note
    plan = Plan((0, 100), 1.0, 30.0, routed.time + 600, Opening.AUDIENCE, 1.0)
    assert phase(rolled_out(routed.tools(), candidate, plan, routed.mode)) is Phase.PROMOTED
    assert seen == [(0, False), (0, True), (100, False)]
    assert routed.is_at_rest("2") == ""
    seen[:] = [(0, False)]
    candidate = routed.release("3")
    plan = Plan((0, 100), 1.0, 30.0, routed.time + 600, Opening.AUDIENCE, 1.0)
    record = rolled_out(routed.tools(InTheShadow()), candidate, plan, routed.mode)
    assert phase(record) is Phase.RESTORED
    assert seen == [(0, False), (0, True), (0, False)]


def test_a_first_model_has_no_shadow(routed: World) -> None:
    world = World(routed.mode)
    record, seen = mirrored(world)
    assert phase(record) is Phase.PROMOTED
    assert not any(copied for _, copied in seen)


def test_copies_that_somebody_adds_or_takes_away_are_no_effect_and_are_mended(routed: World) -> None:
    def meddle(method: str, path: str) -> httpx2.Response | None:
        route = routed.fake.objects.get(("httproutes", f"mlgate-{SERVICE}"))
        if method == "GET" and path.endswith(f"mlgate-{SERVICE}") and route and not meddled:
            rule = route["spec"]["rules"][-1]
            if "filters" in rule:
                meddled.append(rule.pop("filters"))
        routed.controllers.reconcile()
        return None

    meddled: list[Any] = []
    routed.fake.before = meddle
    record, seen = mirrored(routed)
    assert meddled
    assert phase(record) is Phase.PROMOTED
    assert (0, True) in seen


def test_a_gateway_that_does_not_take_the_trial_gets_no_users_route_with_copies(routed: World) -> None:
    taken = routed.controllers._route

    def take(route: dict[str, Any]) -> None:
        taken(route)
        if route["metadata"]["name"].endswith("-trial"):
            for one in route["status"]["parents"][0]["conditions"]:
                one |= {"status": "False", "reason": "UnsupportedValue", "message": "RequestMirror"}

    routed.controllers._route = take  # type: ignore[method-assign]
    record, seen = mirrored(routed)
    assert phase(record) is Phase.RESTORED
    assert record.rollout is not None
    assert "the gateway does not take the route: UnsupportedValue: RequestMirror" in record.rollout.states[-2].why
    assert seen == [(0, False)]
    assert ("httproutes", f"mlgate-{SERVICE}-trial") not in routed.fake.objects


@pytest.mark.parametrize("after", [False, True])
def test_whoever_is_killed_in_a_shadow_leaves_no_copies_behind(monkeypatch: pytest.MonkeyPatch, *, after: bool) -> None:
    monkeypatch.setattr("mlgate.adapters.kubernetes.drain.DRAIN_S", 0.0)
    for number in range(1, 60):
        one = World("route")
        one.roll("1")
        candidate = one.release("2")
        dying(one, number, after=after)
        died = False
        plan = Plan((0, 100), 1.0, 30.0, one.time + 600, SHADOW, 2.0)
        try:
            rolled_out(one.tools(), candidate, plan, one.mode)
        except Death:
            died = True
        living(one)
        of = one.tools()
        recover(of, of.records.load(), "its process is gone")
        reconcile(of, of.records.load())
        route = one.fake.objects[("httproutes", f"mlgate-{SERVICE}")]
        assert not is_mirrored(route, f"{candidate.name}{PREDICTOR[one.mode]}"), number
        assert [key for key in one.fake.objects if key[1].endswith("-trial")] == [], number
        assert "" in (one.is_at_rest("1"), one.is_at_rest("2")), number
        if not died:
            return
    pytest.fail("it never came to an end")


def test_a_candidate_that_is_judged_at_nothing_and_then_gets_everything_is_blue_green(routed: World) -> None:
    """It is loaded with all of its pods and checked beside what serves, which is there until it is promoted."""
    candidate, old = routed.release("2"), routed.release("1").name
    seen: list[tuple[str, int, bool]] = []

    class Checked(FakeJudge):
        def judge(self, record: ServiceRecord) -> Judgement:
            assert record.rollout is not None
            pods = {release_of(one) for one in routed.controllers._all("pods")}
            assert candidate.name in pods
            seen.append((record.rollout.state.phase.value, routed.share(candidate.name), old in pods))
            return Judgement(Outcome.PASSED)

    plan = Plan((100,), 1.0, 30.0, routed.time + 600)
    assert phase(rolled_out(routed.tools(Checked()), candidate, plan, routed.mode)) is Phase.PROMOTED
    assert list(dict.fromkeys(seen)) == [("checking", 0, True), ("holding", 100, True)]
    assert routed.is_at_rest("2") == ""


def test_a_rollback_goes_to_the_model_before(world: World) -> None:
    world.roll("1")
    record = world.roll("2")
    assert record.previous is not None
    plan = Plan((100,), 0.0, 30.0, world.time + 600)
    record = rolled_out(world.tools(), record.previous, plan, world.mode)
    assert phase(record) is Phase.PROMOTED
    assert world.is_at_rest("1") == ""
    assert record.previous is None


def dying(world: World, number: int, *, after: bool) -> None:
    """Let the process die at its write *number*."""
    count = 0

    def die(method: str, _path: str) -> httpx2.Response | None:
        nonlocal count
        world.controllers.reconcile()
        count += method != "GET"
        if method != "GET" and count == number:
            raise Death
        return None

    if after:
        world.fake.after = die
    else:
        world.fake.before = die


def living(world: World) -> None:
    world.fake.before, world.fake.after = world.controllers._before, lambda _method, _path: None


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("next_one", ["recover", "another"])
def test_all_or_nothing_wherever_it_is_killed(world: World, next_one: str, *, after: bool) -> None:
    for number in range(1, 60):
        one = World(world.mode)
        one.roll("1")
        dying(one, number, after=after)
        died = False
        try:
            one.roll("2")
        except Death:
            died = True
        living(one)
        if next_one == "recover":
            of = one.tools()
            recover(of, of.records.load(), "its process is gone")
        else:
            one.roll("3")
        versions = ("1", "2") if next_one == "recover" else ("3",)
        assert "" in [one.is_at_rest(version) for version in versions], number
        if not died:
            return
    pytest.fail("it never came to an end")


def test_a_stalled_process_changes_nothing_after_it_was_overtaken(world: World) -> None:
    for number in range(1, 60):
        one = World(world.mode)
        one.roll("1")
        count, overtaken = 0, False

        def stall(method: str, _path: str, one: World = one, number: int = number) -> httpx2.Response | None:
            nonlocal count, overtaken
            one.controllers.reconcile()
            count += method != "GET"
            if method != "GET" and count == number:
                living(one)
                of = one.tools()
                record = of.records.load()
                overtaken = record.is_under_way
                recover(of, record, "its process is gone")
            return None

        one.fake.before = stall
        with contextlib.suppress(Overtaken, AdapterError):
            one.roll("2")
        if count < number:
            return
        if overtaken:
            of = one.tools()
            for _ in range(4):
                reconcile(of, of.records.load())
            assert "" in (one.is_at_rest("1"), one.is_at_rest("2")), number
    pytest.fail("it never came to an end")


FAULTS: dict[str, Any] = {
    "409": httpx2.Response(409, json={"message": "changed", "reason": "Conflict"}),
    "429": httpx2.Response(429, json={"message": "slow down"}, headers={"Retry-After": "1"}),
    "500": httpx2.Response(500, json={"message": "etcd"}),
    "html": httpx2.Response(502, text="<html>"),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("after", [False, True])
def test_a_write_that_fails_is_no_double_step(world: World, fault: str, *, after: bool) -> None:
    if after and fault in ("409", "429"):
        pytest.skip("a server that refuses has not carried it out")
    world.roll("1")
    count = 0

    def fail(method: str, _path: str) -> httpx2.Response | None:
        nonlocal count
        world.controllers.reconcile()
        count += method != "GET"
        return FAULTS[fault] if method != "GET" and count % 3 == 0 else None

    if after:
        world.fake.after = fail
    else:
        world.fake.before = fail
    record = world.roll("2")
    living(world)
    assert phase(record) is Phase.PROMOTED  # what passes by itself costs no rollout
    assert world.is_at_rest("2") == ""


def test_a_signal_takes_the_traffic_back(world: World) -> None:
    world.roll("1")
    candidate = world.release("2")
    plan = Plan(STEPS.get(world.mode, (10, 50, 100)), 1.0, 30.0, world.time + 600)
    tools = world.tools()

    class Signals(Waiting):
        def wait(self, seconds: float) -> None:
            super().wait(seconds)
            self.why = "SIGTERM came" if world.share(candidate.name) else ""

    record = rolled_out(replace(tools, stop=Signals(world)), candidate, plan, world.mode)
    assert phase(record) is Phase.RESTORED
    assert world.is_at_rest("1") == ""


def test_a_controller_that_routes_nothing_to_a_canary_is_refused_by_effect(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mlgate.adapters.kubernetes.standard._EFFECT_S", 0.0)
    world = World("standard")
    world.roll("1")
    world.controllers.routes_canaries = False
    record = world.roll("2")
    assert phase(record) is Phase.RESTORED
    assert record.rollout is not None
    assert "routes nothing to it" in record.rollout.states[-2].why
    assert world.is_at_rest("1") == ""


@pytest.fixture(params=SCALED)
def scaled(request: pytest.FixtureRequest) -> World:
    """Return a world whose first model has 6 pods, because its traffic needs them."""
    found = World(request.param, is_scaled=True)
    found.roll("1")
    found.controllers.needed[found.runs("1")] = 6
    return found


def sizes(world: World) -> list[tuple[int, int, int]]:
    """Note the candidate's share and both models' pods after every write."""
    seen = []

    def note(method: str, _path: str) -> None:
        if method != "GET":
            seen.append((world.share(world.candidate), world.replicas("1"), world.replicas("2")))

    world.fake.after = note
    return seen


def test_an_autoscaler_makes_no_model_smaller_while_it_is_judged_and_has_it_back_afterwards(scaled: World) -> None:
    seen = sizes(scaled)
    assert phase(scaled.roll("2")) is Phase.PROMOTED
    shared = [(old, new) for share, old, new in seen if 0 < share < 100]
    assert shared
    assert set(shared) == {(6, 6)}
    assert all(new == 6 for share, old, new in seen if share and old)
    assert scaled.replicas("2") == 2


def test_a_stable_model_that_grows_in_mid_step_takes_the_candidate_with_it(scaled: World) -> None:
    class Growing(FakeJudge):
        def judge(self, record: ServiceRecord) -> Any:
            scaled.controllers.needed[scaled.runs("1")] = 20
            return super().judge(record)

    seen = sizes(scaled)
    assert phase(scaled.roll("2", Growing())) is Phase.PROMOTED
    assert (50, 8, 8) in seen  # the most that their autoscalers allow


def test_wherever_it_is_killed_the_model_that_serves_has_its_autoscaler_back(scaled: World) -> None:
    for number in range(1, 80):
        one = World(scaled.mode, is_scaled=True)
        one.roll("1")
        one.controllers.needed[one.runs("1")] = 6
        dying(one, number, after=True)
        died = False
        try:
            one.roll("2", FakeJudge(Outcome.FAILED if number % 2 else Outcome.PASSED))
        except Death:
            died = True
        living(one)
        one.controllers.needed.clear()
        of = one.tools()
        recover(of, of.records.load(), "its process is gone")
        reconcile(of, of.records.load())
        serves = [version for version in ("1", "2") if one.is_at_rest(version) == ""]
        assert [one.replicas(version) for version in serves] == [2], number
        if not died and number % 2 == 0:
            return
    pytest.fail("it never came to an end")
