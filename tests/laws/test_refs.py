"""No branches and tags that a change brings make a name mean another commit: it means the same, or is refused."""

from __future__ import annotations

import contextlib
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.child_environment import child_environment

from mlgate.adapters.git import refs
from mlgate.core.errors import Refused

NAMES = ("main", "origin/main", "refs/remotes/origin/main", "heads/main", "remotes/origin/main", "v1", "tags/v1")
KEPT = {"refs/heads/main", "refs/remotes/origin/main", "refs/tags/v1"}


def run(root: Path, *arguments: str, given: str = "") -> str:
    command = ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments]
    return subprocess.run(
        command, cwd=root, check=True, capture_output=True, text=True, input=given, env=child_environment()
    ).stdout.strip()


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    root = tmp_path_factory.mktemp("refs")
    run(root, "init", "-q", "-b", "work")
    run(root, "commit", "-qm", "good", "--allow-empty")
    good = run(root, "rev-parse", "HEAD")
    run(root, "commit", "-qm", "evil", "--allow-empty")
    for ref in KEPT:
        run(root, "update-ref", ref, good)
    return root, good, run(root, "rev-parse", "HEAD")


def _ids(good: str) -> tuple[str, ...]:
    return (*NAMES, good, good[:10], good[:7])


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_a_name_means_the_same_commit_whatever_refs_a_change_adds_or_is_refused(
    repository: tuple[Path, str, str], data: st.DataObject
) -> None:
    root, good, evil = repository
    places = ("refs/heads/", "refs/tags/", "refs/remotes/", "refs/")
    ref = st.builds(str.__add__, st.sampled_from(places), st.sampled_from(_ids(good)))
    added = data.draw(
        st.sets(ref.filter(lambda name: name not in KEPT and not name.startswith("refs/refs/")), max_size=4)
    )
    kept = {name for name in added if not any(other != name and other.startswith(f"{name}/") for other in added | KEPT)}
    kept = {name for name in kept if not any(name.startswith(f"{other}/") for other in KEPT)}
    run(root, "update-ref", "--stdin", given="".join(f"create {name} {evil}\n" for name in kept))
    try:
        for name in _ids(good):
            if name in {good, "origin/main", "refs/remotes/origin/main"}:
                assert refs.commit_of(root, name) == good, "never ambiguous"
            with contextlib.suppress(Refused):
                assert refs.commit_of(root, name) == good, name
    finally:
        run(root, "update-ref", "--stdin", given="".join(f"delete {name}\n" for name in kept))
