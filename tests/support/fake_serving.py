"""A service on a cluster in memory: what is written, when a process dies, and what others do meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from mlgate.core.deploy.ports import Judgement, Stopped
from mlgate.core.deploy.release import Deployed, Release, ServiceRecord
from mlgate.core.deploy.rollout import ALL, Health, Phase, Plan, Reading, Rollout
from mlgate.core.errors import AdapterError, Denied, Overtaken
from mlgate.core.outcome import Outcome
from mlgate.flow.deploy.rollout import RolloutTools

BEGAN = 1_800_000_000.0
PLAN = Plan((5, 25, 100), 2.0, 10.0, BEGAN + 100)


def deployed(name: str) -> Deployed:
    return Deployed(
        Release(image=f"{name}@sha256:{name}"), ({"kind": "Deployment", "name": name},), f"summarizer-{name}"
    )


STABLE, CANDIDATE, OTHER = deployed("stable"), deployed("candidate"), deployed("other")


class Death(BaseException):
    """SIGKILL: nothing of the process runs on."""


@dataclass
class Cluster:
    """What outlives every process: objects, the record, and the clock."""

    time: float = BEGAN
    record: ServiceRecord = field(default_factory=lambda: ServiceRecord("route", accepted=STABLE))
    version: int = 0
    """Of the record: whoever writes it holds the one before."""
    models: dict[str, Health] = field(default_factory=lambda: {STABLE.name: Health.READY})
    route: dict[str, int] = field(default_factory=lambda: {STABLE.name: ALL})
    """Percent of the traffic by model."""
    route_version: int = 0
    writes: int = 0
    loads: Health = Health.READY
    """What becomes of a model that is applied."""
    history: list[dict[str, int]] = field(default_factory=list)
    """Every route that there was."""
    before_write: Callable[[int], None] = lambda _: None
    after_write: Callable[[int], None] = lambda _: None

    def write(self, change: Callable[[], None]) -> None:
        """Make one change, which the process may not survive, before or after."""
        self.writes += 1
        number = self.writes
        self.before_write(number)
        change()
        self.history.append(dict(self.route))
        self.after_write(number)

    def share(self, name: str) -> int:
        return self.route.get(name, 0)


@dataclass
class FakeRecords:
    cluster: Cluster
    version: int = -1

    def load(self) -> ServiceRecord:
        self.version = self.cluster.version
        return self.cluster.record

    def save(self, record: ServiceRecord) -> None:
        def change() -> None:
            self.confirm()
            self.cluster.record = record
            self.cluster.version += 1
            self.version = self.cluster.version

        self.cluster.write(change)

    def confirm(self) -> None:
        if self.version != self.cluster.version:
            raise Overtaken("somebody else carries this rollout on")


@dataclass
class FakeServing:
    """Routes by weight between two models; every write holds for what was observed last."""

    cluster: Cluster
    record: ServiceRecord
    seen: int = -1

    def observe(self, rollout: Rollout) -> Reading:
        self.cluster.time += 0.5
        self.seen = self.cluster.route_version
        new, old = self._candidate, self.record.accepted
        models = self.cluster.models
        gone = new if rollout.state.phase is Phase.RESTORING else old
        return Reading(
            at=0.0,
            candidate=models.get(new.name, Health.ABSENT),
            stable=models.get(old.name, Health.ABSENT) if old else Health.ABSENT,
            weight=self.cluster.share(new.name),
            is_settled=gone is None or gone.name not in models,
        )

    @property
    def _candidate(self) -> Deployed:
        assert self.record.candidate is not None
        return self.record.candidate

    def act(self, rollout: Rollout) -> None:
        new, old = self._candidate, self.record.accepted
        match rollout.state.phase:
            case Phase.LOADING:
                if new.name not in self.cluster.models:
                    self.cluster.write(lambda: self.cluster.models.update({new.name: self.cluster.loads}))
            case Phase.SHIFTING | Phase.HOLDING:
                self._shift(rollout.weight)
            case Phase.PROMOTING:
                self._shift(ALL)
                if old is not None and old.name in self.cluster.models and old != new:
                    self.cluster.write(lambda: self.cluster.models.pop(old.name, None) and None)
            case Phase.RESTORING:
                self._shift(0)
                if new.name in self.cluster.models:
                    self.cluster.write(lambda: self.cluster.models.pop(new.name, None) and None)
            case _:
                pass

    def tidy(self, confirm: Callable[[], None]) -> None:
        confirm()
        known = {one.name for one in (self.record.accepted, self.record.candidate) if one is not None}
        if self.record.rollout is not None and not self.record.is_under_way and self.record.accepted is not None:
            known = {self.record.accepted.name}
        for name in set(self.cluster.models) - known:
            self.cluster.write(lambda name=name: self.cluster.models.pop(name) and None)  # type: ignore[misc]

    def _shift(self, weight: int) -> None:
        new, old = self._candidate, self.record.accepted
        wanted = {new.name: weight} | ({old.name: ALL - weight} if old else {})
        if self.cluster.route == wanted:
            return

        def change() -> None:
            if self.seen != self.cluster.route_version:
                raise AdapterError("the route was changed meanwhile (409)")
            self.cluster.route = wanted
            self.cluster.route_version += 1
            self.seen = self.cluster.route_version

        self.cluster.write(change)


@dataclass
class FakeStop:
    cluster: Cluster
    why: str = ""

    def wait(self, seconds: float) -> None:
        self.cluster.time += seconds

    @contextmanager
    def interrupts(self) -> Iterator[None]:
        if self.why:
            raise Stopped
        yield


@dataclass
class FakeJudge:
    outcome: Outcome | None = Outcome.PASSED

    def judge(self, record: ServiceRecord) -> Judgement:  # noqa: ARG002 - the port's signature
        return Judgement(self.outcome, "as the fake says")


class Silent:
    def show(self, record: ServiceRecord, reading: Reading) -> None:
        pass


def tools(cluster: Cluster, *, judge: FakeJudge | None = None, stop: FakeStop | None = None) -> RolloutTools:
    """Return what one process has to carry a rollout out."""
    return RolloutTools(
        serving=lambda record: FakeServing(cluster, record),
        records=FakeRecords(cluster),
        judge=judge or FakeJudge(),
        stop=stop or FakeStop(cluster),
        progress=Silent(),
        now=lambda: cluster.time,
    )


def denying(cluster: Cluster) -> RolloutTools:
    """Return the tools of a process whose candidate a webhook refuses."""

    class Refusing(FakeServing):
        def act(self, rollout: Rollout) -> None:
            if rollout.state.phase is Phase.LOADING:
                raise Denied("admission webhook denied the request: image not allowed")
            super().act(rollout)

    return replace(tools(cluster), serving=lambda record: Refusing(cluster, record))
