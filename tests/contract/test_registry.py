"""Every registry: one verdict is one version, an alias goes where it is told, a place in the ledger has one winner."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from tests.support.mlflow_records import NOW, candidate, digest, record, registry_of

from mlgate.adapters.mlflow.client import Server, StoreAddress
from mlgate.adapters.mlflow.registry import LEDGER, MlflowRegistry
from mlgate.adapters.mlflow.runs import MlflowRuns
from mlgate.core.errors import AdapterError, GateError
from mlgate.core.identity import CURRENT_FORM, FIRST_FORM
from mlgate.core.ports import Registry
from mlgate.core.tracking.ledger import NO_VERSION, Ledger, Move
from mlgate.core.tracking.model_version import Candidate
from mlgate.flow import promotion

Made = Callable[..., Candidate]


@pytest.fixture
def registry(place: StoreAddress, own_name: str) -> MlflowRegistry:
    return registry_of(place, own_name)


@pytest.fixture
def passed(server: Server, own_name: str) -> Made:
    """Log a verdict; return what it lets through."""

    def made(number: int, **changed: str) -> Candidate:
        return candidate(MlflowRuns(server, own_name).log(record(number)).run, number, **changed)

    return made


def move(number: int, version: int = 1) -> Move:
    return Move(number, "champion", "promoted", version, NO_VERSION, NOW, digest(version))


def test_nothing_is_registered_at_first(registry: Registry) -> None:
    assert list(registry.versions()) == []
    assert registry.live("champion") == NO_VERSION
    assert registry.ledger() == Ledger()


def test_a_move_without_a_model_is_an_error_that_says_what_to_do(registry: Registry) -> None:
    with pytest.raises(GateError, match="never promoted") as raised:
        registry.append(move(1))
    assert raised.value.hint == "mlgate promote"


def test_a_verdict_is_one_version(registry: Registry, passed: Made, place: StoreAddress, own_name: str) -> None:
    one, two = passed(1), passed(2)
    first = registry.register(one)
    assert (first.number, first.run, first.is_of(one)) == (1, one.run, True)
    assert registry.register(two).number == 2
    assert registry_of(place, own_name).register(one) == first
    assert [version.number for version in registry.versions()] == [1, 2]


def test_a_double_that_a_cut_off_registration_left_is_deleted(
    registry: MlflowRegistry, passed: Made, server: Server
) -> None:
    one = passed(1)
    first = registry.register(one)
    server.client.create_model_version(registry.name, one.source, run_id=one.run, tags=dict(first.tags))
    assert len(registry.versions()) == 2
    assert registry.register(one).number == 1
    assert [version.number for version in registry.versions()] == [1]


def test_the_same_verdict_of_another_model_is_no_new_version_and_is_not_its(registry: Registry, passed: Made) -> None:
    one = passed(1)
    registry.register(one)
    other = replace(one, model=digest("another"))
    assert not registry.register(other).is_of(other)
    assert len(registry.versions()) == 1


def test_an_alias_goes_where_it_is_told(registry: Registry, passed: Made) -> None:
    for number in (1, 2):
        registry.register(passed(number))
    for version in (1, 2, 2, 1, NO_VERSION, NO_VERSION, 2):
        registry.point("champion", version)
        assert registry.live("champion") == version
    assert registry.live("another") == NO_VERSION


def test_an_alias_cannot_go_to_a_version_that_is_not_there(registry: Registry, passed: Made) -> None:
    registry.register(passed(1))
    with pytest.raises(AdapterError):
        registry.point("champion", 7)


def test_a_place_in_the_ledger_has_one_winner(
    registry: Registry, passed: Made, place: StoreAddress, own_name: str
) -> None:
    registry.register(passed(1))
    other = registry_of(place, own_name)
    assert registry.append(move(1))
    assert not other.append(move(1, version=2))
    assert other.append(move(1)), "the same move again: its reply was lost"
    assert other.append(move(2, version=2))
    assert not registry.append(move(2))
    assert other.ledger() == registry.ledger() == Ledger((move(1), move(2, version=2)))


def test_a_move_is_confirmed_as_often_as_one_likes(registry: Registry, passed: Made) -> None:
    registry.register(passed(1))
    registry.append(move(1))
    assert [one.done for one in registry.ledger().moves] == [False]
    for _ in range(2):
        registry.confirm(move(1))
    registry.append(move(2))
    assert [one.done for one in registry.ledger().moves] == [True, False]


def test_every_field_of_a_move_comes_back(registry: Registry, passed: Made) -> None:
    registry.register(passed(1))
    moves = (
        Move(1, "champion", "promoted", 12, 3, NOW, digest("v"), "1a2b3c", "https://ci.example/run/1", asked=True),
        Move(2, "größe 😀", "moved by hand", NO_VERSION, 12, NOW),
        Move(3, "champion", "rolled back", 3, 12, NOW, link="https://ci.example/" + "x" * 900),
    )
    for one in moves:
        assert registry.append(one)
        assert registry.append(one)
    cut = (*moves[:2], replace(moves[2], link=moves[2].link[:200]))
    assert registry.ledger().moves == cut


def test_a_hole_in_the_ledger_is_an_error(registry: Registry, passed: Made) -> None:
    registry.register(passed(1))
    registry.append(move(1))
    registry.append(move(3))
    with pytest.raises(AdapterError, match="is not what mlgate wrote"):
        registry.ledger()


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", '{"kind": "sold", "alias": "a", "at": "x"}', "[" * 3000])
def test_a_place_that_mlgate_did_not_write_is_an_error(
    registry: MlflowRegistry, passed: Made, server: Server, text: str
) -> None:
    version = registry.register(passed(1))
    server.client.log_param(version.tags[LEDGER], "000001", text)
    with pytest.raises(AdapterError, match="is not what mlgate wrote"):
        registry.ledger()


def test_all_versions_are_found_over_many_pages(registry: MlflowRegistry, passed: Made, place: StoreAddress) -> None:
    one = passed(0)
    registry.register(one)
    for number in range(1, 24):
        registry.register(replace(one, verdict=digest(number)))
    small = registry_of(place, registry.name, page=5)
    assert [version.number for version in small.versions()] == list(range(1, 25))
    assert small.versions() == registry.versions()


def test_a_model_that_was_registered_by_others_is_taken_on(
    registry: MlflowRegistry, passed: Made, server: Server
) -> None:
    server.client.create_registered_model(registry.name)
    server.client.create_model_version(registry.name, "s3://bucket/model")
    server.client.set_registered_model_alias(registry.name, "champion", "1")
    (theirs,) = registry.versions()
    assert (theirs.verdict, theirs.run, registry.ledger()) == ("", "", Ledger())
    done = promotion.promote(registry, passed(1), alias="champion", now=NOW)
    assert done.version.number == registry.live("champion") == 2
    hand, promoted = registry.ledger().moves
    assert (hand.kind, hand.version, hand.before) == ("moved by hand", 1, NO_VERSION)
    assert (promoted.kind, promoted.version, promoted.before) == ("promoted", 2, 1)
    assert promotion.rollback(registry, alias="champion", now=NOW).version == registry.live("champion") == 1


def test_a_ledger_whose_tags_somebody_took_away_is_found_again(
    registry: MlflowRegistry, passed: Made, server: Server
) -> None:
    promotion.promote(registry, passed(1), alias="champion", now=NOW)
    server.client.delete_model_version_tag(registry.name, "1", LEDGER)
    promotion.promote(registry, passed(2), alias="champion", now=NOW)
    assert [one.version for one in registry.ledger().moves] == [1, 2]
    assert len({version.tags[LEDGER] for version in registry.versions() if LEDGER in version.tags}) == 1


def test_a_ledger_outlives_the_first_version(registry: MlflowRegistry, passed: Made, server: Server) -> None:
    for number in (1, 2):
        promotion.promote(registry, passed(number), alias="champion", now=NOW)
    server.client.delete_model_version(registry.name, "1")
    assert [one.version for one in registry.ledger().moves] == [1, 2]
    with pytest.raises(GateError, match="was deleted"):
        promotion.rollback(registry, alias="champion", now=NOW)


def test_edited_digests_are_seen(registry: MlflowRegistry, passed: Made, server: Server) -> None:
    one = passed(1)
    registry.register(one)
    server.client.set_model_version_tag(registry.name, "1", "mlgate.model", digest("another"))
    assert not registry.register(one).is_of(one)


def test_a_version_says_in_which_form_its_digests_are_and_one_that_says_nothing_has_the_first(
    registry: MlflowRegistry, passed: Made, server: Server
) -> None:
    registry.register(passed(1))
    registry.register(replace(passed(2), form=FIRST_FORM))
    assert [one.form for one in registry.versions()] == [CURRENT_FORM, FIRST_FORM]
    server.client.delete_model_version_tag(registry.name, "1", "mlgate.form")
    server.client.set_model_version_tag(registry.name, "2", "mlgate.form", "soon")
    assert [one.form for one in registry.versions()] == [FIRST_FORM, FIRST_FORM]


def test_approval_is_a_tag_of_the_version(registry: MlflowRegistry, passed: Made, server: Server) -> None:
    registry.register(passed(1))
    server.client.set_model_version_tag(registry.name, "1", "approved_by", "größe")
    assert registry.versions()[0].tags["approved_by"] == "größe"


def test_old_stages_follow_the_alias(place: StoreAddress, own_name: str, passed: Made, server: Server) -> None:
    registry = registry_of(place, own_name, stages={"champion": "Production", "candidate": "Staging"})
    for number in (1, 2):
        promotion.promote(registry, passed(number), alias="champion", now=NOW)
    stages = {one.version: one.current_stage for one in server.client.search_model_versions(f"name='{own_name}'")}
    assert {int(version): stage for version, stage in stages.items()} == {1: "Archived", 2: "Production"}


@pytest.mark.parametrize("name", ["größe", "it's", "two words", "x" * 200, "日本語", "a.b-c_d", "100%"])
def test_a_model_has_any_name(place: StoreAddress, passed: Made, own_name: str, name: str) -> None:
    registry = registry_of(place, f"{own_name[-8:]} {name}")
    promotion.promote(registry, passed(1), alias="champion", now=NOW)
    assert registry_of(place, registry.name).live("champion") == 1
    assert len(registry_of(place, registry.name).ledger().moves) == 1


def test_two_models_know_nothing_of_each_other(
    registry: Registry, place: StoreAddress, passed: Made, own_name: str
) -> None:
    other = registry_of(place, f"{own_name}-2")
    one = passed(1)
    promotion.promote(registry, one, alias="champion", now=NOW)
    assert list(other.versions()) == []
    promotion.promote(other, one, alias="champion", now=NOW)
    assert len(registry.ledger().moves) == len(other.ledger().moves) == 1
