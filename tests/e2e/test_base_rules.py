"""A change is judged by its base branch's rules, whatever it writes into its own mlgate.yaml.

The numbers T.. are the rows of the list of bad inputs that this project keeps.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.e2e.repository import Job, Repository, errors, pull

STRICT = "      rougeL: {min: 0.2}\n"
MODEL_IS_LAZY = ("python: model:answer", "python: model:lazy")


def lazy(repository: Repository, *edits: tuple[str, str]) -> None:
    """Make the model worse, and edit the gate: the base would block it."""
    for old, new in (MODEL_IS_LAZY, *edits):
        repository.edit("mlgate.yaml", old, new)
    repository.commit("change")


def raised(repository: Repository, rules: str = "rougeL: {min: 0.6}") -> None:
    """Give the base a limit that the lazy model breaks and the good one keeps."""
    repository.git("checkout", "-q", "main")
    repository.edit("mlgate.yaml", "rougeL: {min: 0.2}", rules)
    repository.edit("mlgate.yaml", "      bleu: {min: 1}\n", "")
    repository.commit("strict")
    repository.git("checkout", "-qB", "change")


def ratchet(repository: Repository) -> None:
    repository.git("checkout", "-q", "main")
    with (repository.root / "mlgate.yaml").open("a") as file:
        file.write("ratchet: refuse\n")
    repository.commit("ratchet")
    repository.git("checkout", "-qB", "change")


def test_t01_a_lowered_limit_is_judged_by_the_bases_and_shown(repository: Repository) -> None:
    raised(repository)
    lazy(repository, ("min: 0.6", "min: 0.1"))
    assert repository.mlgate("check", "-n", "0").code == 0, "by its own rules it passes"
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 1
    assert "(the base's rule; this change writes min 0.1)" in " ".join(done.out.split())
    assert "! looser" in done.out
    assert "notes/rougeL: min 0.6 becomes min 0.1" in done.out
    finding = repository.report["findings"][0]
    assert finding["where"] == "mlgate.yaml:9:21", "where a reviewer sees what the change writes"
    summary = (repository.root / ".mlgate/summary.md").read_text()
    assert "Rules that this change edits" in summary


def test_t01_a_ratchet_refuses_before_anything_is_asked_unless_a_person_approves(repository: Repository) -> None:
    raised(repository)
    ratchet(repository)
    lazy(repository, ("min: 0.6", "min: 0.1"), ("ratchet: refuse\n", ""))
    repository.write("model.py", "raise SystemExit('the model ran')\n")
    repository.commit("loud")
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 5
    assert "ratchet" in done.err
    assert repository.verdict["outcome"] == "refused"
    assert not (repository.root / ".mlgate/journal.jsonl").exists()
    repository.git("checkout", "-q", "HEAD~1")
    approved = repository.mlgate("check", "-n", "0", "--base", "main", "--approve-policy")
    assert approved.code == 1, "still by the base's rules"


EDITS: dict[str, tuple[tuple[str, str], ...]] = {
    "T02 rule removed": (("rougeL: {min: 0.6}", "bleu: {min: 0.001}"),),
    "T02 check renamed": (("  notes:", "  others:"), ("min: 0.6", "min: 0.001")),
    "T03 metric renamed": (("rougeL: {min: 0.6}", "rouge1: {min: 0.1}"),),
    "T03 metric recomputed": (
        ("    rules:", "    metrics: {rougeL: {use_stemmer: true}}\n    rules:"),
        ("min: 0.6", "min: 0.1"),
    ),
    "T04 only warns": (("{min: 0.6}", "{min: 0.6, on_breach: warn}"),),
    "T04 a limit of nothing": (("{min: 0.6}", "{min: 1e-300}"),),
    "a slice instead": (
        ("rougeL: {min: 0.6}", "bleu: {min: 0.001}"),
        ("    rules:", "    slices: {kind: {rougeL: {min: 0.001}}}\n    rules:"),
    ),
    "kind": (("    data: data.jsonl\n", "    kind: recorded\n    tests: [t.py]\n    examples: 1\n"),),
}


@pytest.mark.parametrize("name", EDITS)
def test_no_edit_of_the_file_opens_the_gate(repository: Repository, name: str) -> None:
    raised(repository)
    edits = EDITS[name]
    if name == "kind":
        recorded = "    metrics: {quality: {better: higher}}\n    rules:\n      quality: {min: 0}\n"
        edits = (*edits, ("    rules:\n      rougeL: {min: 0.6}\n", recorded))
    lazy(repository, *edits)
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 1, done.err
    assert "! " in done.out


def test_t02_with_a_ratchet_a_removed_rule_is_refused(repository: Repository) -> None:
    ratchet(repository)
    repository.edit("mlgate.yaml", STRICT, "")
    repository.commit()
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 5
    assert "notes/rougeL: min 0.2 is removed" in done.err


def test_failed_answers_that_begin_to_count_are_no_tighter_rule(repository: Repository) -> None:
    """A limit of the error rate is one rule more, and would score failures that block without it."""
    repository.git("checkout", "-q", "main")
    failing = "def answer(text):\n    if 'alpha0' in text:\n        raise ValueError('no')\n    return text\n"
    repository.write("model.py", failing)
    repository.commit()
    repository.git("checkout", "-qB", "change")
    repository.edit("mlgate.yaml", STRICT, f"{STRICT}      error_rate: {{max: 0.99}}\n")
    repository.commit()
    assert repository.mlgate("check", "-n", "0").code == 0
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 3
    assert "no longer block" in " ".join(done.out.split())


def test_what_a_change_tightens_binds_at_once(repository: Repository) -> None:
    repository.edit("mlgate.yaml", "min: 0.2", "min: 0.6")
    lazy(repository)
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 1
    assert "+ tighter" in done.out
    assert [f["limit"] for f in repository.report["findings"] if f["metric"] == "rougeL"] == [0.6], "once, not twice"


def test_t05_a_base_without_a_gate_is_not_known_and_bootstrap_says_whose_rules_judged(repository: Repository) -> None:
    repository.git("checkout", "-q", "main")
    (repository.root / "mlgate.yaml").rename(repository.root / "kept")
    repository.commit("no gate")
    repository.git("checkout", "-qB", "change")
    (repository.root / "kept").rename(repository.root / "mlgate.yaml")
    repository.commit("gate")
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 3
    assert "--bootstrap" in done.err
    first = repository.mlgate("check", "-n", "0", "--base", "main", "--bootstrap")
    assert first.code == 0
    assert "judged by the change's own rules" in " ".join(first.out.split())


def test_t05_a_base_whose_file_is_broken_is_not_known(repository: Repository) -> None:
    repository.git("checkout", "-q", "main")
    repository.edit("mlgate.yaml", "min: 0.2", "min: .nan")
    repository.commit("broken")
    repository.git("checkout", "-qB", "change")
    repository.edit("mlgate.yaml", "min: .nan", "min: 0.2")
    repository.commit("mended")
    done = repository.mlgate("check", "-n", "0", "--base", "main", "--bootstrap")
    assert done.code == 3
    assert "the base's rules cannot be used" in done.err


def test_t08_a_change_of_the_data_is_judged_on_the_bases(repository: Repository) -> None:
    raised(repository)
    rows = [json.loads(line) for line in (repository.root / "data.jsonl").read_text().splitlines()]
    easy = [{**row, "reference": " ".join(row["input"].split()[:2])} for row in rows]
    repository.write("data.jsonl", "".join(json.dumps(row) + "\n" for row in easy))
    lazy(repository)
    assert repository.mlgate("check", "-n", "0").code == 0
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 1
    assert "40 of 40 examples are edited" in " ".join(done.out.split())
    for row in easy:
        row["kind"] = "none"
    (repository.root / "data.jsonl").unlink()
    repository.edit("mlgate.yaml", "data.jsonl", "new.jsonl")
    repository.write("new.jsonl", json.dumps(easy[0]) + "\n")
    repository.commit("renamed")
    renamed = repository.mlgate("check", "-n", "0", "--base", "main")
    assert renamed.code == 1
    assert "40 examples become 1" in " ".join(renamed.out.split())


def test_the_values_of_slices_are_the_bases_too(repository: Repository) -> None:
    sliced = "rougeL: {min: 0.001}\n    slices: {kind: {rougeL: {min: 0.6}}}"
    raised(repository, sliced)
    rows = [json.loads(line) for line in (repository.root / "data.jsonl").read_text().splitlines()]
    repository.write("data.jsonl", "".join(json.dumps({**row, "kind": "all"}) + "\n" for row in rows))
    lazy(repository)
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 1
    assert "40 of 40 examples are edited" in " ".join(done.out.split())
    assert {f["slice"] for f in repository.report["findings"] if f["slice"]} == {"kind=even", "kind=odd"}


def baseline(repository: Repository, rules: str = "rougeL: {max_drop: 0.1}") -> None:
    repository.git("checkout", "-q", "main")
    repository.edit("mlgate.yaml", "rougeL: {min: 0.2}", rules)
    repository.edit("mlgate.yaml", "      bleu: {min: 1}\n", "")
    with (repository.root / "mlgate.yaml").open("a") as file:
        file.write("baseline: {from: file, path: baseline.jsonl.gz}\n")
    assert repository.mlgate("check", "-n", "0", "--save-baseline").code == 0
    repository.commit("baseline")
    repository.git("checkout", "-qB", "change")


def test_t07_a_baseline_that_the_change_replaces_is_not_used(repository: Repository) -> None:
    baseline(repository)
    lazy(repository)
    (repository.root / "baseline.jsonl.gz").unlink()
    assert repository.mlgate("check", "-n", "0", "--save-baseline").code == 0
    repository.commit("a baseline of its own")
    assert repository.mlgate("check", "-n", "0").code == 0
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 1
    assert "the baseline baseline.jsonl.gz is edited: the base's is used" in " ".join(done.out.split())


@pytest.mark.parametrize("rest", ["baseline: {from: file, path: mine.jsonl.gz}\n", ""])
def test_a_baseline_that_is_moved_or_removed_is_the_bases(repository: Repository, rest: str) -> None:
    baseline(repository)
    rules = (
        "rougeL: {max_drop: 0.1}",
        "rougeL: {max_drop: 0.1}" if rest else "rougeL: {min: 0.001}",
    )
    lazy(repository, rules, ("baseline: {from: file, path: baseline.jsonl.gz}\n", rest))
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 1
    assert "the baseline is another one" in " ".join(done.out.split())


def moved(repository: Repository, folder: str) -> None:
    """Make a monorepo: the project in a folder of its own, its data in `shared/`."""
    repository.git("checkout", "-q", "main")
    target = repository.top / folder
    target.mkdir(parents=True)
    (repository.top / "shared").mkdir()
    for name in ("mlgate.yaml", "model.py"):
        (repository.top / name).rename(target / name)
    (repository.top / "data.jsonl").rename(repository.top / "shared/data.jsonl")
    repository.root = target
    repository.edit("mlgate.yaml", "data: data.jsonl", "data: ../../shared/data.jsonl")
    repository.commit("moved")
    repository.git("checkout", "-qB", "change")
    os.chdir(target)


def test_a_project_in_a_folder_with_data_beside_it(repository: Repository) -> None:
    moved(repository, "models/a")
    raised(repository)
    repository.write("../../shared/data.jsonl", '{"id": "n00", "input": "a b c", "reference": "a b"}\n')
    lazy(repository, ("min: 0.6", "min: 0.1"))
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 1
    assert "40 examples become 1" in " ".join(done.out.split())
    os.chdir(repository.top)
    assert repository.mlgate("check", "-n", "0", "--base", "main", "-c", "models/a/mlgate.yaml").code == 1


def test_a_folder_that_became_a_link_to_another_gate_is_refused(repository: Repository) -> None:
    moved(repository, "models/a")
    repository.git("checkout", "-q", "main")
    repository.git("mv", "models/a", "models/strict")
    repository.git("commit", "-qm", "renamed")
    repository.git("checkout", "-qB", "change")
    (repository.top / "models/loose").symlink_to("strict")
    repository.commit("link")
    os.chdir(repository.top)
    done = repository.mlgate("check", "-n", "0", "--base", "main", "-c", "models/loose/mlgate.yaml")
    assert done.code == 5
    assert "symbolic link" in done.err


def test_a_file_that_was_renamed_has_no_rules_at_the_base(repository: Repository) -> None:
    (repository.root / "mlgate.yaml").rename(repository.root / "gate.yaml")
    repository.commit("renamed")
    assert repository.mlgate("check", "-n", "0", "--base", "main", "-c", "gate.yaml").code == 3


def test_data_that_git_does_not_keep_is_read_where_it_lies(repository: Repository, tmp_path: Path) -> None:
    raised(repository)
    repository.git("checkout", "-q", "main")
    repository.git("rm", "-q", "--cached", "data.jsonl")
    repository.write(".gitignore", ".mlgate/\n__pycache__/\ndata.jsonl\n")
    repository.commit("fetched data")
    repository.git("checkout", "-qB", "change")
    lazy(repository, ("min: 0.6", "min: 0.1"))
    assert repository.mlgate("check", "-n", "0", "--base", "main").code == 1
    (repository.root / "data.jsonl").rename(tmp_path / "outside.jsonl")
    repository.git("checkout", "-q", "main")
    repository.edit("mlgate.yaml", "data: data.jsonl", "data: ../outside.jsonl")
    repository.commit("outside")
    repository.git("checkout", "-qB", "change")
    repository.edit("mlgate.yaml", "min: 0.6", "min: 0.1")
    lazy(repository)
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 1, done.err


def test_data_that_only_the_change_brings_is_never_the_bases(repository: Repository) -> None:
    repository.git("checkout", "-q", "main")
    repository.git("rm", "-q", "--cached", "data.jsonl")
    repository.git("commit", "-qm", "forgotten")
    repository.git("checkout", "-qB", "change")
    repository.commit("brought")
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 3
    assert "has no such file" in done.err


@pytest.mark.parametrize("link", ["data.jsonl", "data"])
def test_data_behind_a_link_could_be_replaced_and_is_refused_with_advice(repository: Repository, link: str) -> None:
    repository.git("checkout", "-q", "main")
    (repository.root / "real").mkdir()
    (repository.root / "data.jsonl").rename(repository.root / "real/data.jsonl")
    (repository.root / link).symlink_to("real" if link == "data" else "real/data.jsonl")
    if link == "data":
        repository.edit("mlgate.yaml", "data: data.jsonl", "data: data/data.jsonl")
    repository.commit("link")
    repository.git("checkout", "-qB", "change")
    assert repository.mlgate("check", "-n", "0").code == 0
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 3
    assert "symbolic link" in done.err
    assert "name the file itself" in done.err


def test_data_in_git_lfs_is_what_the_base_says_or_not_used(repository: Repository) -> None:
    raised(repository)
    content = (repository.root / "data.jsonl").read_bytes()
    repository.git("checkout", "-q", "main")
    digest = hashlib.sha256(content).hexdigest()
    repository.write(
        "data.jsonl", f"version https://git-lfs.github.com/spec/v1\noid sha256:{digest}\nsize {len(content)}\n"
    )
    repository.commit("pointer")
    repository.git("checkout", "-qB", "change")
    lazy(repository, ("min: 0.6", "min: 0.1"))
    pointer = repository.mlgate("check", "-n", "0", "--base", "main")
    assert pointer.code == 3, "what is here is the pointer"
    assert "lfs: true" in pointer.err
    (repository.root / "data.jsonl").write_bytes(content)
    assert repository.mlgate("check", "-n", "0", "--base", "main").code == 1
    (repository.root / "data.jsonl").write_bytes(content + content[:100])
    assert repository.mlgate("check", "-n", "0", "--base", "main").code == 3


@pytest.mark.parametrize("name", ["a b.jsonl", "ä.jsonl", "q'\"$(id).jsonl", "-x.jsonl", "今天.jsonl", ":(top)x.jsonl"])
def test_odd_names_of_data(repository: Repository, name: str) -> None:
    raised(repository)
    repository.git("checkout", "-q", "main")
    (repository.root / "data.jsonl").rename(repository.root / name)
    repository.edit("mlgate.yaml", "data: data.jsonl", f"data: {json.dumps(name, ensure_ascii=False)}")
    repository.commit("odd")
    repository.git("checkout", "-qB", "change")
    repository.write(name, '{"id": "n00", "input": "a b c", "reference": "a b"}\n')
    lazy(repository, ("min: 0.6", "min: 0.1"))
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 1, done.err


# --- which commit is the base ------------------------------------------------------------------


def cloned(repository: Repository, tmp_path: Path, branch: str, *options: str) -> None:
    """Leave for a clone, as `actions/checkout` makes one."""
    clone = tmp_path / "clone"
    repository.git("clone", "-q", *options, "-b", branch, f"file://{repository.top}", str(clone))
    repository.top = repository.root = clone
    os.chdir(clone)


def pull_request(repository: Repository) -> tuple[str, str]:
    raised(repository)
    base = repository.git("rev-parse", "main")
    lazy(repository, ("min: 0.6", "min: 0.1"))
    merge = repository.merge("change")
    repository.git("branch", "-q", "pull", merge)
    return base, merge


def test_a_clone_of_depth_two_has_the_base_and_one_of_depth_one_says_what_to_do(
    repository: Repository, job: Job, tmp_path: Path
) -> None:
    base, merge = pull_request(repository)
    job.begin("pull_request", pull("1" * 40), merge)
    cloned(repository, tmp_path, "pull", "--depth", "2")
    done = repository.mlgate("check", "-n", "0", "--base", "auto")
    assert done.code == 1, done.err
    assert f"base {base[:10]}" in done.out
    cloned_again = tmp_path / "shallow"
    repository.git("clone", "-q", "--depth", "1", "-b", "pull", f"file://{tmp_path}/checkout", str(cloned_again))
    repository.git("remote", "set-url", "origin", "file:///nowhere", at=cloned_again)
    os.chdir(cloned_again)
    shallow = repository.mlgate("check", "-n", "0", "--base", "auto")
    assert shallow.code == 3
    assert "fetch-depth: 2" in shallow.err


def test_a_base_that_is_not_here_is_fetched_and_a_full_clone_stays_full(
    repository: Repository, job: Job, tmp_path: Path
) -> None:
    base, _ = pull_request(repository)
    cloned(repository, tmp_path, "change", "--single-branch")
    repository.git("checkout", "-q", "--orphan", "alone")
    repository.commit("no history")
    repository.git("branch", "-qD", "change")
    repository.git("update-ref", "-d", "refs/remotes/origin/change")
    repository.git("reflog", "expire", "--expire=now", "--all")
    repository.git("gc", "-q", "--prune=now")
    job.begin("pull_request", pull(base), "2" * 40)
    done = repository.mlgate("check", "-n", "0", "--base", "auto")
    assert done.code == 1, done.err
    assert repository.git("rev-parse", "--is-shallow-repository") == "false"


def test_a_checked_out_head_has_the_base_that_the_event_names(repository: Repository, job: Job) -> None:
    base, merge = pull_request(repository)
    repository.git("checkout", "-q", "change")
    job.begin("pull_request", pull(base), merge)
    done = repository.mlgate("check", "-n", "0", "--base", "auto")
    assert done.code == 1
    assert f"base {base[:10]}" in done.out


@pytest.mark.parametrize("event", ["pull_request", "merge_group", "pull_request_target"])
def test_a_change_whose_own_commit_is_a_merge_does_not_choose_its_base(
    repository: Repository, job: Job, event: str
) -> None:
    raised(repository)
    base = repository.git("rev-parse", "main")
    repository.git("checkout", "-qb", "loose")
    repository.edit("mlgate.yaml", "min: 0.6", "min: 0.1")
    repository.commit("loose")
    repository.git("checkout", "-qB", "change", "main")
    lazy(repository, ("min: 0.6", "min: 0.1"))
    repository.git("checkout", "-qB", "trick", "loose")
    repository.git("merge", "-q", "--no-ff", "-m", "mine", "change", "-X", "theirs")
    own = repository.git("rev-parse", "HEAD")
    group = {"merge_group": {"base_sha": base, "head_ref": "refs/heads/gh-readonly-queue/main/pr-7-x"}}
    sha = "3" * 40 if event == "pull_request" else own
    job.begin(event, group if event == "merge_group" else pull(base), sha)
    done = repository.mlgate("check", "-n", "0", "--base", "auto")
    assert done.code == 1, done.err
    assert f"base {base[:10]}" in done.out


@pytest.mark.parametrize("event", ["push", "workflow_dispatch", "schedule"])
def test_the_default_branch_is_judged_by_its_own_rules(
    repository: Repository, job: Job, monkeypatch: pytest.MonkeyPatch, event: str
) -> None:
    raised(repository)
    lazy(repository, ("min: 0.6", "min: 0.1"))
    job.begin(event, {"repository": {"default_branch": "main"}})
    monkeypatch.setenv("GITHUB_REF", "refs/heads/main")
    done = repository.mlgate("check", "-n", "0", "--base", "auto")
    assert done.code == 0
    assert "judged by" not in done.out


@pytest.mark.parametrize("event", ["push", "workflow_dispatch", "issue_comment"])
@pytest.mark.parametrize("ref", ["refs/heads/feature", "refs/tags/main"])
def test_a_push_of_another_ref_is_never_judged_by_its_own_rules(
    repository: Repository,
    job: Job,
    monkeypatch: pytest.MonkeyPatch,
    event: str,
    ref: str,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    raised(repository)
    base = repository.git("rev-parse", "HEAD").strip()
    lazy(repository, ("min: 0.6", "min: 0.1"))
    origin = tmp_path_factory.mktemp("origin")
    repository.git("clone", "--quiet", "--bare", ".", str(origin))
    job.begin(event, {"repository": {"default_branch": "main"}})
    monkeypatch.setenv("GITHUB_REF", ref)
    alone = repository.mlgate("check", "-n", "0", "--base", "auto")
    assert alone.code == 3, "main is not here"
    assert "judged by the rules of main, which is not here" in alone.err
    repository.git("remote", "add", "origin", job.host(origin))
    repository.git("--git-dir", str(origin), "update-ref", "refs/heads/main", base)
    done = repository.mlgate("check", "-n", "0", "--base", "auto")
    assert done.code == 1, done.err
    assert f"judged by the rules of base {base[:10]}" in done.out


def test_an_event_that_names_no_default_branch_is_no_reason_to_pass(repository: Repository, job: Job) -> None:
    raised(repository)
    lazy(repository, ("min: 0.6", "min: 0.1"))
    job.begin("push", "not JSON")
    done = repository.mlgate("check", "-n", "0", "--base", "auto")
    assert done.code == 3
    assert "whose rules bind is not known" in done.err


def test_auto_at_a_desk_is_its_own_rules(repository: Repository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLGATE_BASE", "auto")
    assert repository.mlgate("check", "-n", "0").code == 0


@pytest.mark.parametrize(
    "payload",
    [
        "",
        "no JSON",
        "[]",
        "{}",
        '{"pull_request": {"base": {"sha": "main"}}}',
        b"\xff",
        "[" * 100_000,
        " " * (31 << 20),
    ],
    ids=["empty", "text", "list", "nothing", "no commit", "bytes", "deep", "31 MB"],
)
def test_an_event_that_lies_is_never_read_as_no_change(repository: Repository, job: Job, payload: str | bytes) -> None:
    job.begin("pull_request", payload, "4" * 40)
    done = repository.mlgate("check", "-n", "0", "--base", "auto")
    assert done.code == 3
    assert errors(done)


# --- what could make git say something else than the base --------------------------------------


def _replaced(repository: Repository) -> None:
    easy = repository.git("hash-object", "-w", "mlgate.yaml")
    repository.git("replace", repository.git("rev-parse", "main:mlgate.yaml"), easy)


def _grafted(repository: Repository) -> None:
    head = repository.git("rev-parse", "HEAD")
    (repository.top / ".git/info").mkdir(exist_ok=True)
    (repository.top / ".git/info/grafts").write_text(f"{head} {head}\n")


def _attributes(repository: Repository) -> None:
    repository.write(".gitattributes", "*.yaml text eol=crlf filter=evil diff=evil ident export-subst\n")
    for key in ("filter.evil.smudge", "filter.evil.clean", "diff.evil.textconv"):
        repository.git("config", key, "sed s/0.6/0.0/")
    repository.git("config", "core.fsmonitor", "touch ran; false")


def _tagged(repository: Repository) -> None:
    repository.git("update-ref", "refs/replace/main", "HEAD")


TRICKS: dict[str, Callable[[Repository], None]] = {
    "replace refs": _replaced,
    "grafts": _grafted,
    "attributes and filters": _attributes,
    "a ref of that name elsewhere": _tagged,
}


@pytest.mark.parametrize("name", TRICKS)
def test_the_base_is_what_its_commit_says(repository: Repository, name: str) -> None:
    raised(repository)
    lazy(repository, ("min: 0.6", "min: 0.1"))
    TRICKS[name](repository)
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 1, done.err
    assert not (repository.top / "ran").exists()


@pytest.mark.parametrize("variable", ["GIT_DIR", "GIT_OBJECT_DIRECTORY", "GIT_WORK_TREE", "GIT_INDEX_FILE"])
def test_settings_of_the_caller_do_not_reach_git(
    repository: Repository, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    raised(repository)
    lazy(repository, ("min: 0.6", "min: 0.1"))
    monkeypatch.setenv(variable, "/nowhere")
    assert repository.mlgate("check", "-n", "0", "--base", "main").code == 1


def test_a_folder_that_looks_like_a_repository_is_none(repository: Repository, tmp_path: Path) -> None:
    """A tree may hold a bare repository, where the base's name leads to rules of the change's own."""
    moved(repository, "models/a")
    raised(repository)
    lazy(repository, ("min: 0.6", "min: 0.1"))
    own = tmp_path / "own"
    repository.git("clone", "-q", "--bare", str(repository.top), str(own))
    repository.git("branch", "-f", "main", "change", at=own)
    repository.git("symbolic-ref", "HEAD", "refs/heads/main", at=own)
    tree = repository.git("ls-tree", "change:models/a", at=own)  # in a bare repository a path begins at the top
    shared = repository.git("ls-tree", "change", "shared", at=own)
    root = repository.git("mktree", at=own, given=f"{tree}\n{shared}\n")
    forged = repository.git("commit-tree", "-m", "mine", root, at=own)
    repository.git("update-ref", "refs/heads/main", forged, at=own)
    for name in ("HEAD", "objects", "refs", "packed-refs", "config"):
        (own / name).rename(repository.root / name)
    for name in ("objects/info", "refs/tags"):
        (repository.root / name / "keep").write_text("")
    repository.commit("looks like one")
    done = repository.mlgate("check", "-n", "0", "--base", "main")
    assert done.code == 3
    assert "bare" in done.err
