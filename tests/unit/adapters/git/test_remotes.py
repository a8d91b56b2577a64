"""A remote is this repository's or a stranger's, however its address is written."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.unit.adapters.git.test_refs import run

from mlgate.adapters.git import refs, remotes
from mlgate.core.errors import Refused

JOB = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/model"}


@pytest.mark.parametrize(
    "url",
    [
        "https://github.com/acme/model",
        "https://github.com/acme/model.git",
        "https://github.com:443/Acme/Model/",
        "https://x-access-token:secret@github.com/acme/model",
        "ssh://git@github.com/acme/model.git",
        "ssh://git@ssh.github.com:443/acme/model.git",
        "git@github.com:acme/model.git",
        "org-12@github.com:acme/model",
        "git://github.com/acme/model",
    ],
)
def test_every_way_to_this_repository_is_ours(url: str) -> None:
    assert remotes.is_ours(url, JOB)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "https://github.com/evil/model",
        "https://github.com/evil/acme/model",
        "https://github.com/acme/model/../../evil/model",
        "https://github.com/acme/model.git.git",
        "https://github.com/acme/model?x=acme/model",
        "https://github.com.evil.example/acme/model",
        "https://github.com@evil.example/acme/model",
        "https://evil.example/github.com/acme/model",
        "git@evil.example:acme/model.git",
        "/srv/acme/model",
        "file:///srv/github.com/acme/model",
        "https://[broken/acme/model",
        "ext::sh -c acme/model",
    ],
)
def test_every_other_address_is_a_strangers(url: str) -> None:
    assert not remotes.is_ours(url, JOB)


def test_a_run_that_names_no_repository_trusts_none() -> None:
    assert not remotes.is_ours("https://github.com/acme/model", {})
    assert not remotes.is_ours("https://github.com/", {})


def test_a_server_of_ones_own_is_the_one_that_the_run_names() -> None:
    job = {**JOB, "GITHUB_SERVER_URL": "https://git.example/hub"}
    assert remotes.is_ours("https://git.example/hub/acme/model.git", job)
    assert not remotes.is_ours("https://github.com/acme/model", job)


def test_the_remote_that_is_this_repository_counts_beside_a_fork_called_origin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path, "init", "-q")
    run(tmp_path, "commit", "-qm", "c", "--allow-empty")
    run(tmp_path, "remote", "add", "origin", "https://token@github.com/evil/model")
    run(tmp_path, "remote", "add", "upstream", "https://github.com/acme/model")
    for ref in ("refs/remotes/upstream/main", "refs/remotes/origin/upstream/main", "refs/remotes/other/main"):
        run(tmp_path, "update-ref", ref, "HEAD")
    for name, value in (*JOB.items(), ("GITHUB_ACTIONS", "true")):
        monkeypatch.setenv(name, value)
    assert refs.commit_of(tmp_path, "upstream/main") == run(tmp_path, "rev-parse", "HEAD")
    for ref in ("refs/remotes/origin/upstream/main", "refs/remotes/other/main"):
        with pytest.raises(Refused, match="origin is another repository than acme/model") as caught:
            refs.commit_of(tmp_path, ref)
        assert "token" not in str(caught.value)
    run(tmp_path, "remote", "set-url", "origin", "gh:acme/model")
    run(tmp_path, "config", "url.https://github.com/.insteadOf", "gh:")
    assert refs.commit_of(tmp_path, "refs/remotes/origin/upstream/main")
    monkeypatch.delenv("GITHUB_ACTIONS")
    run(tmp_path, "remote", "remove", "upstream")
    assert refs.commit_of(tmp_path, "refs/remotes/other/main"), "at a desk nothing changes"
