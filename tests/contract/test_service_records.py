"""Lock and record, on the fake API and on a real one: who was overtaken writes nothing, a lost reply loses nothing."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from tests.support.fake_kubernetes import FakeKubernetes
from tests.support.fake_serving import CANDIDATE, PLAN, STABLE

from mlgate.adapters.kubernetes import lease as lease_file
from mlgate.adapters.kubernetes import record_json
from mlgate.adapters.kubernetes.api import Api, connect
from mlgate.adapters.kubernetes.kinds import CONFIG_MAP, LEASE
from mlgate.adapters.kubernetes.lease import Lease, holder, name_of
from mlgate.adapters.kubernetes.service_records import ConfigMapRecords
from mlgate.core.deploy.release import Handover, ServiceRecord
from mlgate.core.deploy.rollout import Health, Opening, Reading, Rollout
from mlgate.core.errors import AdapterError, Busy, EvidenceError, Overtaken
from mlgate.core.outcome import Outcome

RECORD = ServiceRecord(
    "route",
    accepted=STABLE,
    candidate=CANDIDATE,
    rollout=Rollout(PLAN, 1.5, (Reading(2.5, Health.READY, Health.READY, 0, judged=Outcome.PASSED, why="“quoted”"),)),
    owner="somebody",
)


@pytest.fixture(params=["fake", pytest.param("real", marks=pytest.mark.needs_cluster)])
def api(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    if request.param == "fake":
        yield FakeKubernetes().api()
        return
    monkeypatch.setenv("KUBECONFIG", str(Path(os.environ["MLGATE_TEST_KUBECONFIG"])))
    found = connect("", "default")
    yield found
    found.close()


def held_by(api: Api, service: str) -> str:
    found = holder(api, service)
    assert found is not None
    assert not found.is_dead
    return found.name


@pytest.fixture
def service() -> str:
    return f"s{secrets.token_hex(4)}"


@pytest.mark.parametrize("taken", [None, 5.5])
def test_a_handover_comes_back_as_it_was_saved(taken: float | None) -> None:
    handed = replace(RECORD, rules="digest", handover=Handover(((1.5, 2.5), (3.0, 4.0)), {"uid": 2}, taken))
    assert record_json.read(record_json.write(handed)) == handed
    assert handed.is_detached


def test_a_record_of_an_mlgate_that_detached_nothing_is_read() -> None:
    document = json.loads(record_json.write(RECORD))
    del document["handover"], document["rules"]
    assert record_json.read(json.dumps(document)) == RECORD


@pytest.mark.parametrize("damage", [{"asked": [[1.0]]}, {"restarts": {"uid": "2"}}, {"taken": "now"}, {"asked": None}])
def test_a_handover_that_is_damaged_is_no_handover(damage: dict[str, object]) -> None:
    document = json.loads(record_json.write(replace(RECORD, handover=Handover())))
    document["handover"] |= damage
    with pytest.raises(EvidenceError, match="the record of the service is damaged"):
        record_json.read(json.dumps(document))


def test_rules_that_are_no_text_are_a_damaged_record() -> None:
    document = json.loads(record_json.write(RECORD)) | {"rules": 5}
    with pytest.raises(EvidenceError, match="the record of the service is damaged"):
        record_json.read(json.dumps(document))


def test_a_record_comes_back_as_it_was_saved(api: Api, service: str) -> None:
    records = ConfigMapRecords(api, service)
    assert records.load() == ServiceRecord()
    records.save(RECORD)
    records.save(replace(RECORD, owner="else"))
    records.confirm()
    assert ConfigMapRecords(api, service).load() == replace(RECORD, owner="else")


def test_an_opening_comes_back_and_a_record_of_an_older_mlgate_has_none() -> None:
    assert RECORD.rollout is not None
    plan = replace(PLAN, steps=(0, *PLAN.steps), opening=Opening.MIRRORED, opening_hold=7.0)
    shadowed = replace(RECORD, rollout=replace(RECORD.rollout, plan=plan))
    assert record_json.read(record_json.write(shadowed)) == shadowed
    older = json.loads(record_json.write(RECORD))
    for name in ("opening", "opening_hold", "outlasts"):
        del older["rollout"][name]
    for reading in older["rollout"]["history"]:
        del reading["waits"]
    assert record_json.read(json.dumps(older)) == RECORD


def test_an_attestation_comes_back_and_a_record_without_one_is_as_an_older_mlgate_wrote_it() -> None:
    assert RECORD.candidate is not None
    release = replace(RECORD.candidate.release, attestation="a" * 64)
    attested = replace(RECORD, candidate=replace(RECORD.candidate, release=release))
    assert record_json.read(record_json.write(attested)) == attested
    assert "attestation" not in record_json.write(RECORD)


def test_who_was_overtaken_writes_nothing_and_learns_it(api: Api, service: str) -> None:
    first, second = ConfigMapRecords(api, service), ConfigMapRecords(api, service)
    first.load()
    first.save(RECORD)
    second.load()
    second.save(replace(RECORD, owner="second"))
    with pytest.raises(Overtaken):
        first.confirm()
    with pytest.raises(Overtaken):
        first.save(RECORD)
    assert second.load().owner == "second"


def test_of_two_that_write_the_first_record_one_is_overtaken(api: Api, service: str) -> None:
    first, second = ConfigMapRecords(api, service), ConfigMapRecords(api, service)
    first.load()
    second.load()
    first.save(RECORD)
    with pytest.raises(Overtaken):
        second.save(replace(RECORD, owner="second"))


def test_a_record_that_is_damaged_is_an_error_with_its_place(api: Api, service: str) -> None:
    api.create(CONFIG_MAP, {"metadata": {"name": name_of(service)}, "data": {"record.json": '{"format": "mlgate'}})
    with pytest.raises(EvidenceError, match=name_of(service)):
        ConfigMapRecords(api, service).load()


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ('"adopted":false', '"adopted":"false"'),
        ('"settled":false', '"settled":0'),
        ('"weight":0', '"weight":"0"'),
        ('"weight":0', '"weight":true'),
        ('"hold":2.0', '"hold":"60"'),
        ('"hold":2.0', '"hold":true'),
        ('"hold":2.0', '"hold":' + "9" * 400),
        ('"steps":[5,25,100]', '"steps":["5",25,100]'),
    ],
)
def test_a_value_of_another_kind_is_damage_and_is_not_read_as_what_it_looks_like(written: str, instead: str) -> None:
    text = record_json.write(RECORD)
    assert record_json.read(text) == RECORD
    assert written in text
    with pytest.raises(EvidenceError, match="the record of the service is damaged"):
        record_json.read(text.replace(written, instead))


def test_the_lock_is_held_and_given_back(api: Api, service: str) -> None:
    with Lease(api, service, "me") as held:
        held.confirm()
        assert held_by(api, service) == "me"
    assert holder(api, service) is None
    with Lease(api, service, "another"):
        assert held_by(api, service) == "another"


def test_a_lock_that_is_renewed_is_never_taken(api: Api, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lease_file, "_RENEWS_S", 0.1)
    monkeypatch.setattr(lease_file, "_LOOKS_S", 0.05)
    with Lease(api, service, "me"), pytest.raises(Busy, match="me is rolling"), Lease(api, service, "another"):
        pass


def test_a_lock_whose_holder_is_dead_is_taken_and_the_dead_one_learns_it(
    api: Api, service: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lease_file, "LASTS_S", 1.0)
    monkeypatch.setattr(lease_file, "_LOOKS_S", 0.05)
    monkeypatch.setattr(lease_file, "_RENEWS_S", 60.0)  # it stalls
    with Lease(api, service, "stalled") as stalled, Lease(api, service, "next"):
        assert held_by(api, service) == "next"
        with pytest.raises(Overtaken):
            stalled._renew()
        with pytest.raises(Overtaken):
            stalled.confirm()
    assert holder(api, service) is None


def test_a_write_whose_reply_is_lost_is_still_ours() -> None:
    fake = FakeKubernetes()
    records = ConfigMapRecords(fake.api(), "lost")
    records.load()
    records.save(RECORD)

    def reset(method: str, _path: str) -> httpx2.Response | None:
        if method == "PUT":
            raise httpx2.ReadError("connection reset")
        return None

    fake.after = reset
    with pytest.raises(AdapterError):
        records.save(replace(RECORD, owner="written, and nobody knows"))
    fake.after = lambda _method, _path: None
    records.confirm()
    records.save(replace(RECORD, owner="at last"))
    assert ConfigMapRecords(fake.api(), "lost").load().owner == "at last"


def test_a_renewal_whose_reply_is_lost_keeps_the_lock() -> None:
    fake = FakeKubernetes()
    with Lease(fake.api(), "lost", "me") as held:

        def reset(method: str, _path: str) -> httpx2.Response | None:
            if method == "PUT":
                raise httpx2.ReadError("connection reset")
            return None

        fake.after = reset
        with pytest.raises(AdapterError):
            held._renew()
        fake.after = lambda _method, _path: None
        held._renew()
        held.confirm()
    assert fake.objects["leases", name_of("lost")]["spec"]["holderIdentity"] == ""
    assert LEASE.plural == "leases"
