"""Wherever a process dies: the alias names only what the cluster has confirmed, and the next one completes it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.fake_registry import FakeRegistry
from tests.support.fake_serving import PLAN, Cluster, Death, FakeJudge, tools

from mlgate.core.deploy.release import Deployed, Release, ServiceRecord
from mlgate.core.deploy.rollout import ALL, Health, Phase
from mlgate.core.errors import AdapterError, GateError, Refused
from mlgate.core.outcome import Outcome
from mlgate.core.tracking.ledger import NO_VERSION, Move
from mlgate.core.tracking.model_version import Candidate, Version
from mlgate.flow.baseline_eligibility import Ineligible
from mlgate.flow.deploy.alias import AliasTools, NoVersion, follow
from mlgate.flow.deploy.rollout import deploy, recover
from mlgate.flow.promotion import CHAMPION, Approval, NotApproved, Promotion, promote, register, rollback

NOW = "2026-11-23T05:00:00Z"


def released(number: int, *, model: int | None = None) -> Deployed:
    """Return the release of a verdict; *model*: of which model, where it is not its own."""
    release = Release(f"m@sha256:{number}", f"model-{model or number}", f"verdict-{number}", f"commit-{number}")
    return Deployed(release, ({"kind": "Deployment", "name": str(number)},), f"summarizer-{number}")


def candidate(release: Release) -> Candidate:
    number = release.verdict.removeprefix("verdict-")
    return Candidate(f"run-{number}", release.verdict, f"evidence-{number}", release.model, f"docker://{release.image}")


@dataclass
class Watched(FakeRegistry):
    """A registry whose writes are counted with the cluster's: a process may die at each."""

    cluster: Cluster = field(default_factory=Cluster)

    def register(self, candidate: Candidate) -> Version:
        made: list[Version] = []
        self.cluster.write(lambda: made.append(FakeRegistry.register(self, candidate)))
        return made[0]

    def point(self, alias: str, version: int) -> None:
        self.cluster.write(lambda: FakeRegistry.point(self, alias, version))

    def append(self, move: Move) -> bool:
        made: list[bool] = []
        self.cluster.write(lambda: made.append(FakeRegistry.append(self, move)))
        return made[0]

    def confirm(self, move: Move) -> None:
        self.cluster.write(lambda: FakeRegistry.confirm(self, move))


class World:
    """A cluster and a registry, with model 1 on both; what the cluster ever confirmed; and the verbs."""

    def __init__(self) -> None:
        first = released(1)
        self.cluster = Cluster(
            record=ServiceRecord("route", accepted=first),
            models={first.name: Health.READY},
            route={first.name: ALL},
        )
        self.registry = Watched(cluster=self.cluster)
        self.confirmed = {first.release.verdict}
        promote(self.registry, candidate(first.release), alias=CHAMPION, now=NOW)
        self.lives()
        self.cluster.writes = 0

    def hold(self) -> None:
        """Hold the law, after each write."""
        accepted = self.cluster.record.accepted
        assert accepted is not None
        self.confirmed.add(accepted.release.verdict)
        assert self.named in self.confirmed

    @property
    def named(self) -> str:
        """Return the verdict that the alias names."""
        live = self.registry.live(CHAMPION)
        return next(one.verdict for one in self.registry.versions() if one.number == live)

    @property
    def serves(self) -> str:
        assert self.cluster.record.accepted is not None
        return self.cluster.record.accepted.release.verdict

    def dies(self, at: int, *, after: bool) -> None:
        """Let the process die at a write, which was made or was not."""

        def before_write(number: int) -> None:
            if number == at and not after:
                raise Death

        def after_write(number: int) -> None:
            self.hold()
            if number == at and after:
                raise Death

        self.cluster.before_write, self.cluster.after_write = before_write, after_write

    def lives(self) -> None:
        self.cluster.before_write, self.cluster.after_write = lambda _: None, lambda _: self.hold()

    def alias_tools(self, files: Deployed | None, **changed: object) -> AliasTools:
        """Return what one process has, whose folder has the files of one verdict."""

        def registered(release: Release) -> None:
            if files is not None and release == files.release:
                register(self.registry, candidate(release))

        given = AliasTools(CHAMPION, self.registry, lambda: self.cluster.record, lambda: NOW, registered)
        return replace(given, **changed)  # type: ignore[arg-type]

    def deploys(self, number: int, *, passes: bool = True) -> ServiceRecord | None:
        """Do what `mlgate deploy` does."""
        model = released(number)
        judge = FakeJudge(Outcome.PASSED if passes else Outcome.FAILED)
        record = deploy(tools(self.cluster, judge=judge), model, PLAN, mode="route", owner="a test")
        if record is None or (record.rollout is not None and record.rollout.state.phase is Phase.PROMOTED):
            follow(self.alias_tools(model))
        return record

    def goes_back(self) -> None:
        """Do what `mlgate rollback` does."""
        self.recovers()
        before = self.cluster.record.previous
        if before is not None:
            deploy(tools(self.cluster), before, replace(PLAN, steps=(ALL,)), mode="route", owner="a test")
            follow(self.alias_tools(None), is_rollback=True)

    def recovers(self) -> ServiceRecord:
        """End a rollout whose process died."""
        of = tools(self.cluster)
        return recover(of, of.records.load(), "its process is gone")

    def promotes(self) -> Promotion | None:
        """Do what `mlgate promote` does without files: the registry and the cluster say enough."""
        return follow(self.alias_tools(None))


def wanted(world: World) -> None:
    """Hold that registry and cluster agree, and that nothing is left half-way."""
    assert world.named == world.serves
    ledger = world.registry.ledger()
    assert ledger.live(CHAMPION) == world.registry.live(CHAMPION)
    assert all(move.done for move in ledger.moves)


def writes_of(act: Callable[[World], object], before: Callable[[World], object] = lambda _: None) -> int:
    world = World()
    before(world)
    world.cluster.writes = 0
    act(world)
    return world.cluster.writes


DEPLOY = writes_of(lambda world: world.deploys(2))
BACK = writes_of(World.goes_back, lambda world: world.deploys(2))


def test_a_promotion_on_the_cluster_moves_the_alias_and_a_way_back_moves_it_back() -> None:
    world = World()
    world.deploys(2)
    wanted(world)
    assert world.serves == "verdict-2"
    world.goes_back()
    wanted(world)
    moves = [(move.kind, move.version, move.commit) for move in world.registry.ledger().of(CHAMPION)[1:]]
    assert moves == [("promoted", 2, "commit-2"), ("rolled back", 1, "commit-1")]
    assert (DEPLOY, BACK) == (20, 12)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, DEPLOY + 1))
def test_a_deploy_that_dies_at_any_write_is_completed_by_the_next_one(at: int, after: bool) -> None:
    world = World()
    world.dies(at, after=after)
    with pytest.raises(Death):
        world.deploys(2)
    world.lives()
    world.hold()
    world.deploys(2)
    wanted(world)
    assert world.serves == "verdict-2"


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, DEPLOY + 1))
def test_what_a_dead_deploy_left_is_completed_without_its_files_once_it_was_registered(at: int, after: bool) -> None:
    world = World()
    register(world.registry, candidate(released(2).release))
    world.cluster.writes = 0
    world.dies(at, after=after)
    with contextlib.suppress(Death):  # one write less: it was registered before
        world.deploys(2)
    world.lives()
    world.recovers()
    world.promotes()
    wanted(world)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("at", range(1, BACK + 1))
def test_a_rollback_that_dies_at_any_write_is_completed_by_promote(at: int, after: bool) -> None:
    world = World()
    world.deploys(2)
    world.cluster.writes = 0
    world.dies(at, after=after)
    with pytest.raises(Death):
        world.goes_back()
    world.lives()
    world.recovers()
    world.promotes()
    wanted(world)
    if world.serves == "verdict-1":
        assert world.registry.ledger().moves[-1].kind == "rolled back"


verbs = st.one_of(
    st.tuples(st.just("deploy"), st.integers(1, 4)),
    st.tuples(st.just("deploy worse"), st.integers(1, 4)),
    st.tuples(st.just("rollback"), st.just(0)),
    st.tuples(st.just("promote"), st.just(0)),
)
stories = st.lists(st.tuples(verbs, st.none() | st.tuples(st.integers(1, DEPLOY), st.booleans())), max_size=6)


def told(world: World, what: str, number: int) -> None:
    match what:
        case "deploy":
            world.deploys(number)
        case "deploy worse":
            world.deploys(number, passes=False)
        case "rollback":
            world.goes_back()
        case _:
            world.promotes()


@given(stories)
@settings(max_examples=300)
def test_whatever_is_done_and_wherever_it_dies_the_alias_names_what_was_confirmed_and_is_completed(
    story: list[tuple[tuple[str, int], tuple[int, bool] | None]],
) -> None:
    world = World()
    for (what, number), death in story:
        world.cluster.writes = 0
        if death is not None:
            world.dies(death[0], after=death[1])
        with contextlib.suppress(Death, NoVersion):  # a release whose process died before it was registered
            told(world, what, number)
        world.lives()
        world.hold()
    record = world.recovers()
    follow(world.alias_tools(record.accepted))
    wanted(world)


def test_a_candidate_that_went_back_leaves_the_alias_alone() -> None:
    world = World()
    world.deploys(2, passes=False)
    assert len(world.registry.ledger().moves) == 1
    assert [one.verdict for one in world.registry.versions()] == ["verdict-1"]
    wanted(world)


def test_who_stalls_over_anothers_rollout_moves_nothing_back() -> None:
    """Process 2 asked the cluster, and stands still; 3 is deployed meanwhile; then 2 goes on."""
    world = World()
    world.deploys(2)
    world.registry.by_hand(CHAMPION, 1)

    class Stalling(Watched):
        def append(self, move: Move) -> bool:
            if move.kind == "promoted" and world.serves == "verdict-2":
                world.deploys(3)
            return world.registry.append(move)

    stalled = Stalling(**vars(world.registry))
    done = follow(replace(world.alias_tools(released(2)), registry=stalled))
    assert done is not None
    assert done.move is None
    wanted(world)
    assert world.serves == "verdict-3"


def test_who_asked_the_cluster_before_anothers_rollout_asks_again_before_it_moves_the_alias() -> None:
    world = World()
    world.deploys(2)
    asked: list[ServiceRecord] = []

    def served() -> ServiceRecord:
        asked.append(world.cluster.record)
        if len(asked) == 1:
            world.deploys(3)
        return asked[-1]

    done = follow(replace(world.alias_tools(None), served=served))
    assert done is not None
    assert [record.accepted for record in asked] == [released(2), released(3), released(3)][: len(asked)]
    assert len(asked) > 1
    wanted(world)
    assert world.serves == "verdict-3"


def test_a_move_by_hand_is_taken_down_and_the_alias_names_again_what_serves() -> None:
    world = World()
    world.deploys(2)
    world.registry.by_hand(CHAMPION, 1)
    world.promotes()
    assert [move.kind for move in world.registry.ledger().moves] == [
        "promoted",
        "promoted",
        "moved by hand",
        "promoted",
    ]
    wanted(world)


def test_a_later_verdict_on_the_model_that_serves_stays_live() -> None:
    world = World()
    world.confirmed.add("verdict-2")  # it is of the same model: the record goes on to say the first verdict
    promote(world.registry, candidate(released(2, model=1).release), alias=CHAMPION, now=NOW)
    done = world.promotes()
    assert done is not None
    assert (done.move, world.registry.live(CHAMPION)) == (None, 2)
    world.deploys(3)
    world.goes_back()
    assert world.registry.live(CHAMPION) == 2


def test_a_later_verdict_on_the_same_model_that_was_never_live_is_not_taken_for_the_one_that_serves() -> None:
    world = World()
    accepted = released(7, model=1)
    world.cluster.record = ServiceRecord("route", accepted=accepted)
    register(world.registry, candidate(released(8, model=7).release))
    world.cluster.record = ServiceRecord("route", accepted=replace(accepted, release=released(9, model=7).release))
    with pytest.raises(NoVersion, match="on the same model was never live"):
        world.promotes()
    assert world.registry.live(CHAMPION) == 1


def test_without_a_version_of_what_serves_nothing_moves() -> None:
    world = World()
    world.cluster.record = ServiceRecord("route", accepted=released(5))
    with pytest.raises(NoVersion, match="no version of summarizer in memory is of the verdict verdict-5 that serves"):
        world.promotes()
    assert world.registry.live(CHAMPION) == 1


@pytest.mark.parametrize("accepted", [None, Deployed(Release(), (), "theirs", is_adopted=True)])
def test_what_mlgate_did_not_judge_moves_no_alias(accepted: Deployed | None) -> None:
    world = World()
    world.cluster.record = ServiceRecord("route", accepted=accepted)
    assert world.promotes() is None
    assert world.registry.live(CHAMPION) == 1


def test_a_version_that_nobody_approved_waits_though_it_serves() -> None:
    world = World()
    world.cluster.record = replace(world.cluster.record, accepted=released(2))
    asks = replace(world.alias_tools(released(2)), approval=Approval("approved_by"))
    with pytest.raises(NotApproved):
        follow(asks)
    assert world.registry.live(CHAMPION) == 1
    world.registry.tag(2, "approved_by", "ada")
    follow(asks)
    wanted(world)


def test_what_may_not_become_a_baseline_serves_and_moves_no_alias() -> None:
    world = World()
    world.cluster.record = replace(world.cluster.record, accepted=released(2))

    def refused(_: Release) -> None:
        raise Ineligible("a comparison does not pass")

    with pytest.raises(Ineligible):
        follow(replace(world.alias_tools(None), register=refused))
    assert world.registry.live(CHAMPION) == 1


def test_a_version_with_the_verdict_of_what_serves_and_another_model_is_refused() -> None:
    world = World()
    register(world.registry, replace(candidate(released(2).release), model="another"))
    world.cluster.record = replace(world.cluster.record, accepted=released(2))
    with pytest.raises(Refused, match="another model's digest"):
        world.promotes()
    assert world.registry.live(CHAMPION) == 1


def test_a_cluster_that_does_not_answer_moves_nothing() -> None:
    world = World()
    world.cluster.record = replace(world.cluster.record, accepted=released(2))
    register(world.registry, candidate(released(2).release))
    answers = iter([world.cluster.record])

    def served() -> ServiceRecord:
        try:
            return next(answers)
        except StopIteration:
            raise AdapterError("the Kubernetes API did not answer") from None

    for _ in range(2):
        with pytest.raises(AdapterError):
            follow(replace(world.alias_tools(None), served=served))
    assert len(world.registry.ledger().moves) == 1


def test_a_person_who_renews_the_evidence_is_refused_where_another_model_serves_by_then() -> None:
    world = World()

    def other() -> None:
        raise GateError("summarizer serves another model by now")

    with pytest.raises(GateError, match="serves another model by now"):
        promote(world.registry, candidate(released(2, model=1).release), alias=CHAMPION, now=NOW, serves=other)
    assert len(world.registry.ledger().moves) == 1


def test_a_rollback_by_version_and_by_cluster_leave_one_ledger() -> None:
    world = World()
    world.deploys(2)
    rollback(world.registry, alias=CHAMPION, now=NOW)
    assert world.named == "verdict-1"
    done = world.promotes()
    assert done is not None
    assert done.move is not None
    assert (done.move.kind, done.move.before) == ("promoted", 1)
    assert world.registry.ledger().back(CHAMPION) != NO_VERSION
