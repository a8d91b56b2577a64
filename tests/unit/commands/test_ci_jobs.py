"""What CI says of its jobs: read strictly, for a verdict hangs on it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from mlgate.commands.ci_jobs import LARGEST_NEEDS, CiJobs, evidence_in
from mlgate.core.errors import ConfigError, EvidenceError, Refused

ONE, TWO = "1" * 64, "2" * 64


def needs(**outputs: object) -> str:
    return json.dumps({"accuracy": {"result": "success", "outputs": outputs}})


def test_digests_are_what_outputs_of_that_name_carry() -> None:
    read = CiJobs.read(needs(**{"evidence-1": ONE, "evidence-2": "", "image": "x"}))
    assert read.results == {"accuracy": "success"}
    assert read.digests == {ONE}


@pytest.mark.parametrize("value", ["x", ONE.upper().replace("1", "A"), ONE[:-1], f"{ONE}\n", 7, None, [ONE], {"a": 1}])
def test_what_is_no_digest_is_refused(value: object) -> None:
    with pytest.raises(ConfigError, match="not what GitHub says"):
        CiJobs.read(needs(**{"evidence-1": value}))


def test_a_name_that_is_there_twice_says_two_things() -> None:
    with pytest.raises(ConfigError):
        CiJobs.read('{"a": {"result": "failure", "result": "success", "outputs": {}}}')
    with pytest.raises(ConfigError):
        CiJobs.read('{"a": {"result": "failure"}, "a": {"result": "success"}}')


def test_more_than_github_would_say_is_refused() -> None:
    with pytest.raises(ConfigError):
        CiJobs.read(needs(x="y" * LARGEST_NEEDS))


def test_only_what_a_job_sent_is_vouched_for() -> None:
    read = CiJobs.read(needs(**{"evidence-1": ONE}))
    read.vouch({Path("a"): ONE, Path("copy"): ONE})
    for digest in (TWO, ""):
        with pytest.raises(Refused):
            read.vouch({Path("a"): ONE, Path("b"): digest})


def test_folders_are_looked_into_one_level_deep(tmp_path: Path) -> None:
    for name in ("evidence-1of2.jsonl.gz", "job/evidence-2of2.jsonl.gz", "a/b/evidence-3of3.jsonl.gz", "other.gz"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(b"")
    (tmp_path / "evidence-1of2.previous.jsonl.gz").write_bytes(b"")
    found = [path.relative_to(tmp_path).as_posix() for path in evidence_in([tmp_path])]
    assert found == ["evidence-1of2.jsonl.gz", "job/evidence-2of2.jsonl.gz"]


def test_no_evidence_is_an_error_and_a_file_that_is_missing_is_told_later(tmp_path: Path) -> None:
    for paths in ([tmp_path], [tmp_path / "missing"], []):
        with pytest.raises(EvidenceError, match="no evidence here"):
            evidence_in(paths)
    assert evidence_in([tmp_path / "missing.jsonl.gz"]) == (tmp_path / "missing.jsonl.gz",)
