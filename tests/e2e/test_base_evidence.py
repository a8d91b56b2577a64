"""What a change brings never judges it: the base's copy does, or what a run or CI left."""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.e2e.repository import Repository

CI = Path(".mlgate-baseline/evidence.jsonl.gz")
BROUGHT = "what a change brings never judges it"


def compare(repository: Repository, section: str) -> None:
    """Make main compare its rougeL with a baseline, kept as *section* says; nothing is accepted yet."""
    repository.git("checkout", "-q", "main")
    repository.edit("mlgate.yaml", "rougeL: {min: 0.2}", "rougeL: {max_drop: 0.1}")
    repository.edit("mlgate.yaml", "      bleu: {min: 1}\n", "")
    with (repository.root / "mlgate.yaml").open("a") as file:
        file.write(f"baseline: {section}\n")
    repository.commit("compare")
    repository.git("checkout", "-qB", "change")


def accepted(repository: Repository, path: Path, model: str = "answer") -> Path:
    """Leave evidence of a *model* at *path*, as a desk makes it."""
    repository.edit("mlgate.yaml", "python: model:answer", f"python: model:{model}")
    assert repository.mlgate("check", "-n", "0", "--save-baseline", "--base", "none").code == 0
    repository.edit("mlgate.yaml", f"python: model:{model}", "python: model:answer")
    return repository.root / path


def lazy(repository: Repository) -> None:
    repository.edit("mlgate.yaml", "python: model:answer", "python: model:lazy")
    repository.git("commit", "-qam", "worse")


def check(repository: Repository, *options: str) -> tuple[int, str]:
    done = repository.mlgate("check", "-n", "0", "--base", "main", *options)
    return done.code, done.err


def test_what_ci_restored_judges(repository: Repository) -> None:
    compare(repository, "{from: ci}")
    repository.write(".git/info/exclude", ".mlgate-baseline/\n")
    accepted(repository, CI)
    assert check(repository)[0] == 0
    lazy(repository)
    assert check(repository)[0] == 1


def _committed(repository: Repository) -> None:
    repository.git("add", "-Af", str(CI))


def _in_another_letter_case(repository: Repository) -> None:
    folder = repository.root / CI.parent
    shutil.copytree(folder, repository.root / ".MLGATE-Baseline")
    repository.git("add", "-Af", ".MLGATE-Baseline")


def _behind_a_folder_link(repository: Repository) -> None:
    folder = repository.root / CI.parent
    folder.rename(repository.root / "mine")
    folder.symlink_to("mine")
    repository.git("add", "-f", ".mlgate-baseline")


def _behind_a_link(repository: Repository) -> None:
    file = repository.root / CI
    file.rename(repository.root / "mine.gz")
    file.symlink_to("../mine.gz")
    repository.git("add", "-f", str(CI))


def _a_kept_file_that_a_link_leads_to(repository: Repository) -> None:
    file = repository.root / CI
    file.rename(repository.root / "mine.gz")
    file.symlink_to("../mine.gz")
    repository.git("add", "-f", "mine.gz")


def _in_a_submodule(repository: Repository) -> None:
    repository.git("update-index", "--add", "--cacheinfo", f"160000,{'1' * 40},.mlgate-baseline")


def _by_dvc(repository: Repository) -> None:
    (repository.root / CI.parent / "evidence.jsonl.gz.dvc").write_text(
        f"outs:\n- md5: {'0' * 32}\n  hash: md5\n  path: evidence.jsonl.gz\n"
    )
    repository.git("add", "-f", f"{CI}.dvc")


WAYS: dict[str, Callable[[Repository], None]] = {
    way.__name__.strip("_").replace("_", " "): way
    for way in (
        _committed,
        _in_another_letter_case,
        _behind_a_folder_link,
        _behind_a_link,
        _a_kept_file_that_a_link_leads_to,
        _in_a_submodule,
        _by_dvc,
    )
}


@pytest.mark.parametrize("way", WAYS)
def test_a_baseline_that_the_change_brings_is_refused_where_ci_keeps_it(repository: Repository, way: str) -> None:
    compare(repository, "{from: ci}")
    accepted(repository, CI, "lazy")
    WAYS[way](repository)
    repository.edit("mlgate.yaml", "python: model:answer", "python: model:lazy")
    repository.git("commit", "-qam", "worse")
    for options in ((), ("--bootstrap",), ("--approve-policy",), ("--save-baseline",)):
        code, said = check(repository, *options)
        assert (code, BROUGHT in said) == (5, True), said
    assert repository.verdict["outcome"] == "refused"


def test_a_baseline_that_a_variable_names_is_held_to_the_same(
    repository: Repository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compare(repository, "{from: ci}")
    made = accepted(repository, CI, "lazy")
    made.rename(repository.root / "mine.gz")
    repository.commit("brought")
    lazy(repository)
    (repository.root / "inner").mkdir()
    for named in ("mine.gz", str(repository.root / "mine.gz"), str(tmp_path / "way/checkout/mine.gz"), "../mine.gz"):
        monkeypatch.chdir(repository.root / "inner" if named == "../mine.gz" else repository.root)
        if not (tmp_path / "way").is_symlink():
            (tmp_path / "way").symlink_to(tmp_path)
        monkeypatch.setenv("MLGATE_BASELINE", named)
        config = str(repository.root / "mlgate.yaml")
        assert repository.mlgate("check", "-n", "0", "--base", "main", "-c", config).code == 5, named
    good = tmp_path / "restored.gz"
    monkeypatch.chdir(repository.root)
    monkeypatch.setenv("MLGATE_BASELINE", str(good))
    repository.edit("mlgate.yaml", "python: model:lazy", "python: model:answer")
    assert repository.mlgate("check", "-n", "0", "--save-baseline", "--base", "none").code == 0
    repository.edit("mlgate.yaml", "python: model:answer", "python: model:lazy")
    assert check(repository)[0] == 1


def test_the_bases_copy_judges_where_the_base_keeps_one(repository: Repository) -> None:
    compare(repository, "{from: ci}")
    repository.git("checkout", "-q", "main")
    made = accepted(repository, CI)
    repository.git("add", "-Af", str(CI))
    repository.git("commit", "-qm", "kept")
    repository.git("checkout", "-qB", "change")
    made.unlink()
    accepted(repository, CI, "lazy")
    lazy(repository)
    assert check(repository)[0] == 1


def test_a_first_baseline_in_a_file_is_refused_until_a_person_says_that_it_is_the_first(
    repository: Repository,
) -> None:
    compare(repository, "{from: file, path: b.jsonl.gz}")
    accepted(repository, Path("b.jsonl.gz"), "lazy")
    repository.commit("brought")
    lazy(repository)
    for options in ((), ("--bootstrap",)):  # which a workflow may have kept since the first pull request
        code, said = check(repository, *options)
        assert code == 5
        assert BROUGHT in said
        assert "--approve-policy" in said
    assert check(repository, "--approve-policy")[0] == 3, "there is none yet"
    first = repository.mlgate("check", "-n", "0", "--base", "main", "--bootstrap", "--approve-policy")
    assert first.code == 0
    assert "WARNED" in first.out
    assert "compared with nothing" in " ".join(first.out.split()), "not with the file that the change brings"


def test_a_restored_baseline_that_the_change_commits_judges_no_less_under_bootstrap(repository: Repository) -> None:
    compare(repository, "{from: file, path: kept/b.jsonl.gz}")
    accepted(repository, Path("kept/b.jsonl.gz"))
    lazy(repository)
    assert check(repository, "--bootstrap")[0] == 1, "restored, and worse"
    repository.git("add", "-f", "kept")
    repository.git("commit", "-qm", "baseline")
    code, said = check(repository, "--bootstrap")
    assert code == 5
    assert BROUGHT in said


def test_a_change_that_begins_to_compare_may_bring_its_first_baseline(repository: Repository) -> None:
    repository.edit("mlgate.yaml", "rougeL: {min: 0.2}", "rougeL: {min: 0.2, max_drop: 0.1}")
    with (repository.root / "mlgate.yaml").open("a") as file:
        file.write("baseline: {from: file, path: b.jsonl.gz}\n")
    accepted(repository, Path("b.jsonl.gz"))
    repository.commit("compare")
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 0, done.err
    assert "the first baseline b.jsonl.gz comes with this change" in " ".join(done.out.split())


def test_evidence_that_the_change_brings_is_neither_replayed_nor_merged_nor_gone_on_from(
    repository: Repository,
) -> None:
    raised = ("rougeL: {min: 0.2}", "rougeL: {min: 0.6}")
    repository.git("checkout", "-q", "main")
    repository.edit("mlgate.yaml", *raised)
    repository.edit("mlgate.yaml", "      bleu: {min: 1}\n", "")
    repository.commit("strict")
    repository.git("checkout", "-qB", "change")
    assert repository.mlgate("check", "-n", "0").code == 0
    kept = repository.root / ".mlgate/evidence.jsonl.gz"
    assert repository.mlgate("replay", "--base", "main").code == 0, "what a run left is judged"
    (repository.root / "parts").mkdir()
    shutil.copy(kept, repository.root / "parts/evidence-1of1.jsonl.gz")
    shutil.copy(kept, repository.root / "mine.gz")
    assert repository.mlgate("merge", "parts", "--base", "main", "-o", "out").code == 0
    repository.git("add", "-Af", ".mlgate/evidence.jsonl.gz", "mine.gz", "parts")
    repository.git("commit", "-qm", "brought")
    for words in (
        ("replay",),
        ("replay", "mine.gz"),
        ("merge", "parts", "-o", "out"),
        ("merge", "mine.gz", "-o", "out"),
    ):
        done = repository.mlgate(*words, "--base", "main")
        assert (done.code, BROUGHT in done.err) == (5, True), done.err
    assert repository.mlgate("replay", "mine.gz", "--base", "none").code == 0, "at a desk a person may"
    (repository.root / ".mlgate/journal.jsonl").write_text("")
    repository.git("add", "-Af", ".mlgate/journal.jsonl")
    repository.git("commit", "-qm", "journal")
    done = repository.mlgate("check", "-n", "0", "--resume", "--base", "main")
    assert (done.code, BROUGHT in done.err) == (5, True), done.err


def test_a_folder_of_evidence_behind_a_link_of_the_change_is_refused(repository: Repository, tmp_path: Path) -> None:
    assert repository.mlgate("check", "-n", "0").code == 0
    (tmp_path / "parts").mkdir()
    shutil.copy(repository.root / ".mlgate/evidence.jsonl.gz", tmp_path / "parts/evidence-1of1.jsonl.gz")
    assert repository.mlgate("merge", str(tmp_path / "parts"), "--base", "main", "-o", "out").code == 0
    (repository.root / "parts").symlink_to(tmp_path / "parts")
    repository.commit("link")
    done = repository.mlgate("merge", "parts", "--base", "main", "-o", "out")
    assert (done.code, BROUGHT in done.err) == (5, True), done.err


def test_a_baseline_in_git_lfs_is_what_the_bases_pointer_names(repository: Repository) -> None:
    compare(repository, "{from: file, path: b.jsonl.gz}")
    repository.git("checkout", "-q", "main")
    content = accepted(repository, Path("b.jsonl.gz")).read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    repository.write("b.jsonl.gz", f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize 1\n")
    repository.commit("pointer")
    repository.git("checkout", "-qB", "change")
    lazy(repository)
    assert "Git LFS" in check(repository)[1]
    (repository.root / "b.jsonl.gz").write_bytes(content)
    assert check(repository)[0] == 1
    (repository.root / "b.jsonl.gz").write_bytes(content[:-1])
    assert check(repository)[0] == 3
    copy = repository.root / f".git/lfs/objects/{digest[:2]}/{digest[2:4]}/{digest}"
    copy.parent.mkdir(parents=True)
    copy.write_bytes(content)
    assert check(repository)[0] == 1
