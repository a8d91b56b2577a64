"""A change's pointer of DVC, or of Git LFS, chooses neither the data nor the baseline that judge it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.e2e.repository import Repository


def md5(content: bytes) -> str:
    return hashlib.md5(content, usedforsecurity=False).hexdigest()


def pointer(path: str, content: bytes) -> str:
    return f"outs:\n- md5: {md5(content)}\n  size: {len(content)}\n  hash: md5\n  path: {path}\n"


def lock(path: str, content: bytes) -> str:
    return f"schema: '2.0'\nstages:\n  make:\n    cmd: c\n    outs:\n    - path: {path}\n      md5: {md5(content)}\n"


def folder(path: str, content: bytes) -> str:
    listed = [{"md5": md5(content), "relpath": "data.jsonl"}]
    return f"outs:\n- md5: {md5(json.dumps(listed, sort_keys=True).encode())}.dir\n  hash: md5\n  path: {path}\n"


def easier(repository: Repository) -> bytes:
    rows = [json.loads(line) for line in (repository.root / "set/data.jsonl").read_text().splitlines()][:3]
    easy = [{**row, "reference": " ".join(row["input"].split()[:2])} for row in rows]
    return "".join(json.dumps(row) + "\n" for row in easy).encode()


def cached(repository: Repository, content: bytes, at: str = ".dvc/cache/files/md5") -> None:
    name = md5(content)
    repository.write(f"{at}/{name[:2]}/{name[2:]}", content.decode())


POINTERS: dict[str, tuple[str, Callable[[bytes], str]]] = {
    "its own": ("set/data.jsonl.dvc", lambda content: pointer("data.jsonl", content)),
    "one of another name": ("elsewhere/x.dvc", lambda content: pointer("../set/data.jsonl", content)),
    "a lock": ("dvc.lock", lambda content: lock("set/data.jsonl", content)),
    "a lock in another folder": ("pipe/dvc.lock", lambda content: lock("../set/data.jsonl", content)),
    "a folder's": ("set.dvc", lambda content: folder("set", content)),
}


@pytest.fixture(params=POINTERS)
def dvc(repository: Repository, request: pytest.FixtureRequest) -> tuple[Repository, Callable[[bytes], None]]:
    """Main demands more than the lazy model gives, on data that DVC keeps; the change has the lazy model."""
    where, text = POINTERS[request.param]
    repository.git("checkout", "-q", "main")
    repository.edit("mlgate.yaml", "rougeL: {min: 0.2}", "rougeL: {min: 0.6}")
    repository.edit("mlgate.yaml", "      bleu: {min: 1}\n", "")
    repository.edit("mlgate.yaml", "data: data.jsonl", "data: set/data.jsonl")
    (repository.root / "set").mkdir()
    (repository.root / "data.jsonl").rename(repository.root / "set/data.jsonl")
    repository.write(".gitignore", ".mlgate/\n__pycache__/\n/set/data.jsonl\n.dvc/cache/\n")

    def point(content: bytes) -> None:
        (repository.root / where).parent.mkdir(exist_ok=True)
        repository.write(where, text(content))

    point((repository.root / "set/data.jsonl").read_bytes())
    repository.commit("dvc")
    repository.git("checkout", "-qB", "change")
    repository.edit("mlgate.yaml", "python: model:answer", "python: model:lazy")
    repository.commit("worse")
    return repository, point


def check(repository: Repository, *options: str) -> tuple[int, str]:
    done = repository.mlgate("check", "-n", "0", "--base", "main", *options)
    return done.code, " ".join((done.out + done.err).split())


def replaced(repository: Repository, point: Callable[[bytes], None]) -> None:
    content = easier(repository)
    (repository.root / "set/data.jsonl").write_bytes(content)
    point(content)
    repository.commit("data")


def test_data_that_the_base_names_judge(dvc: tuple[Repository, Callable[[bytes], None]]) -> None:
    repository, _ = dvc
    assert check(repository)[0] == 1


def test_data_that_the_changes_pointer_names_never_stand_for_the_bases(
    dvc: tuple[Repository, Callable[[bytes], None]],
) -> None:
    repository, point = dvc
    replaced(repository, point)
    assert repository.mlgate("check", "-n", "0").code == 0, "by its own data it passes"
    code, said = check(repository)
    assert code == 3
    assert "what lies here is not the base's" in said
    assert "dvc fetch" in said
    assert "--approve-policy" in said


def test_with_a_ratchet_they_are_refused_and_a_person_may_approve_them(
    dvc: tuple[Repository, Callable[[bytes], None]],
) -> None:
    repository, point = dvc
    repository.git("checkout", "-q", "main")
    with (repository.root / "mlgate.yaml").open("a") as file:
        file.write("ratchet: refuse\n")
    repository.commit("ratchet")
    repository.git("checkout", "-q", "change")
    repository.git("rebase", "-q", "main")
    replaced(repository, point)
    code, said = check(repository)
    assert code == 5
    assert "set/data.jsonl" in said
    code, said = check(repository, "--approve-policy")
    assert code == 0
    assert "the base's are not here" in said


def test_the_bases_data_in_dvcs_cache_judge_whatever_lies_here(
    dvc: tuple[Repository, Callable[[bytes], None]], request: pytest.FixtureRequest
) -> None:
    repository, point = dvc
    content = (repository.root / "set/data.jsonl").read_bytes()
    cached(repository, content)
    if "folder" in request.node.name and "lock" not in request.node.name:
        listing = json.dumps([{"md5": md5(content), "relpath": "data.jsonl"}], sort_keys=True).encode()
        name = f"{md5(listing)}.dir"
        repository.write(f".dvc/cache/files/md5/{name[:2]}/{name[2:]}", listing.decode())
    replaced(repository, point)
    code, said = check(repository)
    assert code == 1, said
    assert "40 examples become 3" in said, "and the change of data is shown"
    (repository.root / ".dvc/cache/files/md5" / md5(content)[:2] / md5(content)[2:]).write_bytes(easier(repository))
    assert check(repository)[0] == 3, "a copy that was tampered with is none"


def test_data_that_were_not_pulled_are_not_approved_but_fetched(
    dvc: tuple[Repository, Callable[[bytes], None]],
) -> None:
    repository, _ = dvc
    (repository.root / "set/data.jsonl").write_bytes(easier(repository))
    for options in ((), ("--approve-policy",)):
        code, said = check(repository, *options)
        assert code == 3
        assert "dvc pull" in said


def test_a_pointer_that_the_change_removes_holds_all_the_same(dvc: tuple[Repository, Callable[[bytes], None]]) -> None:
    repository, _ = dvc
    content = easier(repository)
    for name in ("set/data.jsonl.dvc", "elsewhere", "dvc.lock", "pipe", "set.dvc"):
        repository.git("rm", "-rq", "--ignore-unmatch", name)
    (repository.root / "set").mkdir(exist_ok=True)
    (repository.root / "set/data.jsonl").write_bytes(content)
    repository.git("add", "-Af", "set/data.jsonl")
    repository.commit("in git")
    code, said = check(repository)
    assert code == 3
    assert "a file that git keeps" in said or "dvc fetch" in said


def test_data_that_were_fetched_otherwise_are_not_replaced_by_a_pointer_that_the_change_brings(
    dvc: tuple[Repository, Callable[[bytes], None]],
) -> None:
    repository, point = dvc
    repository.git("checkout", "-q", "main")
    for name in ("set/data.jsonl.dvc", "elsewhere", "dvc.lock", "pipe", "set.dvc"):
        repository.git("rm", "-rq", "--ignore-unmatch", name)
    repository.commit("fetched by a step of the workflow")
    (repository.root / "set").mkdir(exist_ok=True)
    repository.git("checkout", "-q", "change")
    repository.git("reset", "-q", "--hard", "main")
    repository.edit("mlgate.yaml", "python: model:answer", "python: model:lazy")
    repository.commit("worse")
    assert check(repository)[0] == 1
    replaced(repository, point)
    code, said = check(repository)
    assert code == 3
    assert "does not keep this file in DVC" in said


def compare(repository: Repository) -> bytes:
    """Keep the accepted baseline by DVC; the change's model is worse."""
    repository.git("checkout", "-q", "main")
    repository.edit("mlgate.yaml", "rougeL: {min: 0.2}", "rougeL: {max_drop: 0.1}")
    repository.edit("mlgate.yaml", "      bleu: {min: 1}\n", "")
    with (repository.root / "mlgate.yaml").open("a") as file:
        file.write("baseline: {from: file, path: kept/b.jsonl.gz}\n")
    repository.write(".gitignore", ".mlgate/\n__pycache__/\n/kept/b.jsonl.gz\n.dvc/cache/\n")
    (repository.root / "kept").mkdir()
    assert repository.mlgate("check", "-n", "0", "--save-baseline").code == 0
    content = (repository.root / "kept/b.jsonl.gz").read_bytes()
    repository.write("kept/b.jsonl.gz.dvc", pointer("b.jsonl.gz", content))
    repository.commit("dvc")
    repository.git("checkout", "-qB", "change")
    repository.edit("mlgate.yaml", "python: model:answer", "python: model:lazy")
    repository.commit("worse")
    return content


def test_a_baseline_of_the_changes_pointer_is_refused_and_the_bases_copy_judges(repository: Repository) -> None:
    content = compare(repository)
    assert check(repository)[0] == 1
    file = repository.root / "kept/b.jsonl.gz"
    file.unlink()
    assert repository.mlgate("check", "-n", "0", "--save-baseline", "--base", "none").code == 0
    repository.write("kept/b.jsonl.gz.dvc", pointer("b.jsonl.gz", file.read_bytes()))
    repository.commit("forged")
    for options in ((), ("--bootstrap",), ("--approve-policy",)):
        code, said = check(repository, *options)
        assert code == 5, said
        assert "what a change brings never judges it" in said
    name = md5(content)
    copy = repository.root / ".dvc/cache/files/md5" / name[:2] / name[2:]
    copy.parent.mkdir(parents=True)
    copy.write_bytes(content)
    code, said = check(repository)
    assert code == 1
    assert "the baseline kept/b.jsonl.gz is edited: the base's is used" in said
    repository.git("rm", "-q", "kept/b.jsonl.gz.dvc")
    repository.git("add", "-Af", "kept/b.jsonl.gz")
    repository.commit("in git")
    assert check(repository)[0] == 1


def test_a_baseline_that_was_not_pulled_is_asked_for(repository: Repository) -> None:
    compare(repository)
    (repository.root / "kept/b.jsonl.gz").unlink()
    for options in ((), ("--bootstrap",)):
        code, said = check(repository, *options)
        assert code == 3
        assert "dvc pull kept/b.jsonl.gz.dvc" in said


def lfs(content: bytes) -> str:
    digest = hashlib.sha256(content).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"


def test_data_in_git_lfs_that_the_change_replaces_need_a_person_or_the_bases_object(repository: Repository) -> None:
    repository.git("checkout", "-q", "main")
    repository.edit("mlgate.yaml", "rougeL: {min: 0.2}", "rougeL: {min: 0.6}")
    repository.edit("mlgate.yaml", "      bleu: {min: 1}\n", "")
    (repository.root / "set").mkdir()
    (repository.root / "data.jsonl").rename(repository.root / "set/data.jsonl")
    repository.edit("mlgate.yaml", "data: data.jsonl", "data: set/data.jsonl")
    content = (repository.root / "set/data.jsonl").read_bytes()
    repository.write("set/data.jsonl", lfs(content))
    repository.commit("pointer")
    repository.git("checkout", "-qB", "change")
    repository.edit("mlgate.yaml", "python: model:answer", "python: model:lazy")
    (repository.root / "set/data.jsonl").write_bytes(content)
    easy = easier(repository)
    repository.write("set/data.jsonl", lfs(easy))
    repository.commit("other data")
    (repository.root / "set/data.jsonl").write_bytes(easy)
    code, said = check(repository)
    assert code == 3
    assert "git lfs fetch origin" in said
    code, said = check(repository, "--approve-policy")
    assert code == 0
    assert "the base's are not here" in said
    name = hashlib.sha256(content).hexdigest()
    copy = repository.root / ".git/lfs/objects" / name[:2] / name[2:4] / name
    copy.parent.mkdir(parents=True)
    copy.write_bytes(content)
    assert check(repository)[0] == 1


@pytest.mark.parametrize("way", ["link", "folder link", "submodule", "absolute", "absolute link"])
def test_no_other_pointer_of_the_change_leads_to_the_bases_data(
    repository: Repository, tmp_path: Path, way: str
) -> None:
    """Main's data are fetched, outside of git; the change commits something that leads elsewhere."""
    repository.git("checkout", "-q", "main")
    repository.edit("mlgate.yaml", "rougeL: {min: 0.2}", "rougeL: {min: 0.6}")
    repository.edit("mlgate.yaml", "      bleu: {min: 1}\n", "")
    (repository.root / "set").mkdir()
    (repository.root / "data.jsonl").rename(repository.root / "set/data.jsonl")
    path = {
        "absolute": str(repository.root / "set/data.jsonl"),
        "absolute link": str(repository.root / "set/data.jsonl"),
    }.get(way, "set/data.jsonl")
    repository.edit("mlgate.yaml", "data: data.jsonl", f"data: {path}")
    repository.write(".git/info/exclude", "/set/\n")
    repository.git("rm", "-q", "--cached", "data.jsonl")
    repository.commit("fetched")
    repository.git("checkout", "-qB", "change")
    repository.edit("mlgate.yaml", "python: model:answer", "python: model:lazy")
    repository.commit("worse")
    assert check(repository)[0] == 1
    easy = easier(repository)
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "data.jsonl").write_bytes(easy)
    if way in {"link", "absolute link"}:
        (repository.root / "set/data.jsonl").unlink()
        (repository.root / "set/data.jsonl").symlink_to(mine / "data.jsonl")
        repository.git("add", "-f", "set/data.jsonl")
    elif way == "folder link":
        (repository.root / "set").rename(tmp_path / "away")
        (repository.root / "set").symlink_to(mine)
        repository.git("add", "-f", "set")
    elif way == "submodule":
        (repository.root / "set/data.jsonl").write_bytes(easy)
        repository.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},set")
    else:
        (repository.root / "set/data.jsonl").write_bytes(easy)
        repository.git("add", "-f", "set/data.jsonl")
    repository.git("commit", "-qam", "other data")
    code, said = check(repository)
    assert code == 3, said
