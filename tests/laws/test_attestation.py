"""An attestation says exactly what was signed, and nothing else is believed."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.attested_project import new_key

from mlgate.adapters.signing import attestation_file, dsse
from mlgate.core.attestation.statement import Origin, Result, Statement, Subject, parse, write, write_predicate
from mlgate.core.errors import Refused

TEXT = st.text(max_size=20)
SHA = st.text("0123456789abcdef", min_size=64, max_size=64)
TIME = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - naive by design
STATEMENTS = st.builds(
    Statement,
    subjects=st.lists(st.builds(Subject, TEXT, SHA), max_size=3).map(tuple),
    result=st.sampled_from(Result),
    passed=st.lists(TEXT, max_size=3).map(tuple),
    warned=st.lists(TEXT, max_size=3).map(tuple),
    failed=st.lists(TEXT, max_size=3).map(tuple),
    rules_digest=SHA,
    model=TEXT,
    model_digest=TEXT,
    report=SHA,
    expected=st.integers(0, 10**9),
    present=st.integers(0, 10**9),
    verified=TIME.map(lambda at: at.replace(microsecond=0)),
    expires=TIME.map(lambda at: at.replace(microsecond=0)),
    origin=st.builds(Origin, TEXT, TEXT, TEXT, TEXT),
    url=TEXT,
    configuration=st.lists(st.dictionaries(TEXT, TEXT, max_size=2), max_size=2).map(tuple),
    details=st.dictionaries(TEXT.map(lambda key: f"x{key}"), st.integers() | TEXT | st.none(), max_size=3),
)


@given(STATEMENTS)
def test_what_is_written_is_read_as_it_was(statement: Statement) -> None:
    text = write(statement)
    assert parse(text.encode()) == statement
    assert write(parse(text.encode())) == text
    assert json.loads(text)["predicate"] == json.loads(write_predicate(statement))


@given(STATEMENTS, st.data())
def test_no_json_that_lacks_a_part_is_a_statement(statement: Statement, data: st.DataObject) -> None:
    whole = json.loads(write(replace(statement, url="x", details={})))
    place = whole
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if not isinstance(place[key], dict) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    if key == "url":
        return
    del place[key]
    with pytest.raises(Refused):
        parse(json.dumps(whole).encode())


@given(
    st.binary(max_size=200)
    | st.recursive(st.none() | st.booleans() | st.integers() | TEXT, st.lists).map(json.dumps).map(str.encode)
)
def test_nothing_else_than_a_statement_is_read_and_nothing_breaks(payload: bytes) -> None:
    with pytest.raises(Refused):
        parse(payload)


@pytest.fixture(scope="module")
def keys(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dsse.TrustedKey, Path]:
    folder = tmp_path_factory.mktemp("keys")
    new_key(folder / "k.key", folder / "k.pem")
    envelope = dsse.sign('{"result":"PASSED"}', dsse.signer(folder / "k.key", ""))
    return envelope, dsse.public_key(folder / "k.pem", "k.pem", ""), folder / "changed.json"


def verifies(content: bytes, key: dsse.TrustedKey, path: Path) -> bool:
    path.write_bytes(content)
    try:
        payload, name = dsse.verified(attestation_file.read(path).value, [key])
    except Refused:
        return False
    assert (payload, name) == (b'{"result":"PASSED"}', "k.pem")
    return True


def test_what_was_signed_verifies(keys: tuple[str, dsse.TrustedKey, Path]) -> None:
    envelope, key, path = keys
    assert verifies(envelope.encode(), key, path)


@settings(max_examples=400)
@given(st.data())
def test_with_any_one_byte_changed_it_never_verifies(
    keys: tuple[str, dsse.TrustedKey, Path], data: st.DataObject
) -> None:
    envelope, key, path = keys
    content = bytearray(envelope.encode())
    place = data.draw(st.integers(0, len(content) - 1))
    content[place] ^= data.draw(st.integers(1, 255))
    assert not verifies(bytes(content), key, path)


@given(st.data())
def test_with_a_piece_cut_out_or_put_in_it_never_verifies(
    keys: tuple[str, dsse.TrustedKey, Path], data: st.DataObject
) -> None:
    envelope, key, path = keys
    content = envelope.encode()
    begin = data.draw(st.integers(0, len(content)))
    end = data.draw(st.integers(begin, len(content)))
    put = data.draw(st.binary(max_size=3).filter(lambda some: not set(some) <= set(b" \t\r\n")))
    made = content[:begin] + put + content[end:]
    assert made == content or not verifies(made, key, path)
