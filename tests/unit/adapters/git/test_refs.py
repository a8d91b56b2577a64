"""A ref as a person writes it means one commit, whatever branches and tags a change brings."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.support.child_environment import child_environment

from mlgate.adapters.git import refs
from mlgate.adapters.git.baseline import GitBaseline
from mlgate.core.errors import AdapterError, Refused


def run(root: Path, *arguments: str) -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments]
    return subprocess.run(
        command, cwd=root, check=True, capture_output=True, text=True, env=child_environment()
    ).stdout.strip()


def commit(root: Path, content: str) -> str:
    (root / "b").write_text(content)
    run(root, "add", "-A")
    run(root, "commit", "-qm", content)
    return run(root, "rev-parse", "HEAD")


class Clone:
    """A clone whose `origin/main` is the commit *good*; everything else that it holds is the change's: *evil*."""

    def __init__(self, folder: Path) -> None:
        upstream, self.root = folder / "upstream", folder / "clone"
        upstream.mkdir()
        run(upstream, "init", "-q", "-b", "main")
        self.good = commit(upstream, "good")
        run(folder, "clone", "-q", str(upstream), str(self.root))
        run(self.root, "checkout", "-q", "--detach")
        run(self.root, "branch", "-qD", "main")
        self.evil = commit(self.root, "evil")

    def set(self, ref: str, commit: str) -> None:
        run(self.root, "update-ref", ref, commit)


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Clone:
    for name in ("CI", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)
    return Clone(tmp_path)


def ours(ci: pytest.MonkeyPatch, clone: Clone) -> None:
    """Let the run be one of the repository that was cloned."""
    upstream = clone.root.parent / "upstream"
    ci.setenv("GITHUB_SERVER_URL", upstream.parent.parent.as_uri())
    ci.setenv("GITHUB_REPOSITORY", f"{upstream.parent.name}/upstream")


def refused(clone: Clone, written: str) -> Refused:
    with pytest.raises(Refused) as caught:
        refs.commit_of(clone.root, written)
    return caught.value


@pytest.mark.parametrize("place", ["refs/heads/origin/main", "refs/tags/origin/main", "refs/origin/main"])
def test_a_remotes_branch_is_never_another_ref_called_so(clone: Clone, place: str) -> None:
    clone.set(place, clone.evil)
    assert refs.commit_of(clone.root, "origin/main") == clone.good
    assert refs.commit_of(clone.root, "origin/main~0") == clone.good
    clone.set("refs/remotes/origin/main", clone.good)
    run(clone.root, "update-ref", "-d", "refs/remotes/origin/main")
    with pytest.raises(AdapterError, match="knows no ref"):
        refs.commit_of(clone.root, "origin/main")
    run(clone.root, "remote", "remove", "origin")
    with pytest.raises(AdapterError, match="knows no ref"):
        refs.commit_of(clone.root, "origin/main")


def test_another_remotes_branch_is_that_remotes(clone: Clone) -> None:
    run(clone.root, "remote", "add", "up/stream", "/nowhere")
    clone.set("refs/remotes/up/stream/main", clone.good)
    clone.set("refs/heads/up/stream/main", clone.evil)
    assert refs.commit_of(clone.root, "up/stream/main") == clone.good


@pytest.mark.parametrize("named", ["tags", "heads"])
def test_a_full_name_is_exact(clone: Clone, named: str) -> None:
    for place in (f"refs/{named}/refs/remotes/origin/main", f"refs/{named}/refs/remotes/origin/gone"):
        clone.set(place, clone.evil)
    assert refs.commit_of(clone.root, "refs/remotes/origin/main") == clone.good
    with pytest.raises(AdapterError, match="knows no ref"):
        refs.commit_of(clone.root, "refs/remotes/origin/gone")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("refs/heads/stable", "refs/tags/stable"),
        ("refs/heads/stable", "refs/stable"),
        ("refs/tags/stable", "refs/remotes/stable"),
        ("refs/heads/stable", "refs/remotes/stable/HEAD"),
    ],
)
def test_a_name_that_could_mean_two_commits_is_refused_and_one_that_means_one_is_not(
    clone: Clone, one: str, other: str
) -> None:
    clone.set(one, clone.good)
    clone.set(other, clone.evil)
    error = refused(clone, "stable")
    assert one in error.message
    assert other in error.message
    assert "in full" in error.hint
    assert refs.commit_of(clone.root, one) == clone.good
    clone.set(other, clone.good)
    assert refs.commit_of(clone.root, "stable") == clone.good


@pytest.mark.parametrize(("prefix", "kind"), [("heads/", "branch"), ("tags/", "tag"), ("remotes/origin/", "branch")])
def test_a_shortened_full_name_is_ambiguous_with_a_branch_called_so(clone: Clone, prefix: str, kind: str) -> None:
    clone.set(f"refs/{prefix}main", clone.good)
    run(clone.root, kind, f"{prefix}main", clone.evil)
    assert "ambiguous" in refused(clone, f"{prefix}main").message


def test_an_annotated_tag_is_its_commit(clone: Clone) -> None:
    run(clone.root, "tag", "-am", "v1", "v1", clone.good)
    clone.set("refs/heads/v1", clone.good)
    assert refs.commit_of(clone.root, "v1") == clone.good
    assert refs.commit_of(clone.root, run(clone.root, "rev-parse", "refs/tags/v1")) == clone.good
    clone.set("refs/heads/v1", clone.evil)
    assert "ambiguous" in refused(clone, "v1").message
    run(clone.root, "tag", "blob", run(clone.root, "rev-parse", f"{clone.good}:b"))
    with pytest.raises(AdapterError, match="names no commit"):
        refs.commit_of(clone.root, "blob")


@pytest.mark.parametrize("kind", ["branch", "tag"])
def test_an_id_is_itself_and_an_abbreviated_one_that_is_a_refs_name_too_is_refused(clone: Clone, kind: str) -> None:
    short = clone.good[:10]
    assert refs.commit_of(clone.root, short) == clone.good
    assert refs.commit_of(clone.root, short.upper()) == clone.good
    run(clone.root, kind, short, clone.evil)
    assert "ambiguous" in refused(clone, short).message
    clone.set(f"refs/{'heads' if kind == 'branch' else 'tags'}/{clone.good}", clone.evil)
    assert refs.commit_of(clone.root, clone.good) == clone.good
    assert refs.commit_of(clone.root, clone.good.upper()) == clone.good
    longer = "a" * 64
    clone.set(f"refs/heads/{longer}", clone.evil)
    assert refs.commit_of(clone.root, longer) == clone.evil, "in this repository an id has 40 digits"


def test_in_ci_an_abbreviated_id_is_refused(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    error = refused(clone, clone.good[:10])
    assert clone.good in error.hint


def test_steps_back_begin_at_the_name(clone: Clone) -> None:
    later = commit(clone.root, "later")
    clone.set("refs/heads/line", later)
    for written in ("line~1", "line^", "line~", "HEAD~1", "HEAD^", f"{later}~1"):
        assert refs.commit_of(clone.root, written) == clone.evil
    assert refs.commit_of(clone.root, "line^^") == clone.good
    assert refs.commit_of(clone.root, "HEAD") == later
    clone.set("refs/heads/HEAD", clone.good)
    assert refs.commit_of(clone.root, "HEAD") == later
    with pytest.raises(AdapterError, match="names no commit"):
        refs.commit_of(clone.root, "line~9")


@pytest.mark.parametrize(
    "name", ["FETCH_HEAD", "ORIG_HEAD", "MERGE_HEAD", "@", "mlgate/fetched", "refs/mlgate/fetched"]
)
def test_what_was_left_beside_the_refs_is_never_chosen(clone: Clone, name: str) -> None:
    for file in ("FETCH_HEAD", "ORIG_HEAD"):
        (clone.root / ".git" / file).write_text(f"{clone.evil}\t\tbranch 'main' of .\n")
    clone.set("refs/mlgate/fetched", clone.evil)
    for place in ("refs/heads/", "refs/tags/"):
        if name.isupper():
            clone.set(f"{place}{name}", clone.evil)
    with pytest.raises(AdapterError):
        refs.commit_of(clone.root, name)


@pytest.mark.parametrize(
    "written",
    [
        *("main@{1}", "@{upstream}", "main@{yesterday}", ":/good", "main^2", "main^{commit}", "main^{/good}"),
        *("a..b", "a...b", "--all", "main:b", "main*", "", " main", "main\n", "^main", "main^!", "main^@"),
    ],
)
def test_other_expressions_are_refused(clone: Clone, written: str) -> None:
    clone.set("refs/heads/main", clone.good)
    with pytest.raises(AdapterError, match="not a git ref"):
        refs.commit_of(clone.root, written)


def test_a_desks_branch_may_lag_behind_and_in_ci_it_may_be_a_strangers(
    clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone.set("refs/heads/main", clone.evil)
    assert refs.commit_of(clone.root, "main") == clone.evil
    for name, value in (("CI", "true"), ("CI", "1"), ("GITHUB_ACTIONS", "true")):
        with monkeypatch.context() as ci:
            ci.setenv(name, value)
            ours(ci, clone)
            error = refused(clone, "main")
            assert error.hint.endswith("refs/remotes/origin/main")
            assert refs.commit_of(clone.root, "refs/remotes/origin/main") == clone.good
            assert refs.commit_of(clone.root, "origin/main") == clone.good
            run(clone.root, "update-ref", "-d", "refs/heads/main")
            run(clone.root, "tag", "-f", "main", clone.evil)
            assert "refs/remotes/origin/main" in refused(clone, "main").message, "a tag is a stranger's, too"
            run(clone.root, "tag", "-d", "main")
            with pytest.raises(AdapterError) as caught:
                refs.commit_of(clone.root, "main")
            assert "refs/remotes/origin/main" in caught.value.hint
            clone.set("refs/heads/main", clone.good)
            assert refs.commit_of(clone.root, "main") == clone.good
            clone.set("refs/heads/main", clone.evil)


def test_a_baseline_of_a_git_ref_is_looked_up_so_too(clone: Clone) -> None:
    run(clone.root, "tag", "origin/main", clone.evil)
    with pytest.raises(Exception, match="no evidence file") as caught:
        GitBaseline(clone.root, "origin/main", "b").load()
    assert "origin/main:b" in str(caught.value)
    run(clone.root, "tag", "stable", clone.evil)
    run(clone.root, "branch", "stable", clone.good)
    with pytest.raises(Refused, match="ambiguous"):
        GitBaseline(clone.root, "stable", "b").load()
