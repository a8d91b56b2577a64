"""A repository of a team that uses mlgate, and the events that GitHub would send about it."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

OWNER, NAME = "acme", "model"
FULL_NAME = f"{OWNER}/{NAME}"
NUMBER = 7
"""The number of the pull request."""
WHEN = "2026-01-02T03:04:05Z"
"""When every commit was made: the same tree gives the same commit."""


@dataclass(frozen=True)
class Event:
    """What happened. The commit that it is about is checked out in the consumer's repository: act takes its HEAD."""

    name: str
    ref: str
    """What GITHUB_REF says: act itself knows it only for a pull request and a push."""
    payload: Mapping[str, Any]
    fork: bool = False
    """Whether a fork's pull request: no secrets, and the token may only read."""


@dataclass
class Consumer:
    """acme/model in a fresh folder, on branch main."""

    folder: Path
    default_branch: str = "main"
    root: Path = field(init=False)

    def __post_init__(self) -> None:
        self.root = self.folder / "repositories" / FULL_NAME
        self.root.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch", self.default_branch)
        self.git("remote", "add", "origin", f"https://github.com/{FULL_NAME}.git")
        self.git("config", "uploadpack.allowAnySHA1InWant", "true")  # as GitHub's server does

    @property
    def state(self) -> Path:
        """Where the doubles keep artifacts and caches between runs."""
        return self.folder / "state"

    def artifacts(self, run_id: int) -> Path:
        return self.state / "artifacts" / str(run_id)

    def next_run_id(self) -> int:
        return 101 + len(list(self.folder.glob("run-*")))

    def git(self, *arguments: str) -> str:
        who = {f"GIT_{role}_{what}": value for role in ("AUTHOR", "COMMITTER") for what, value in PERSON.items()}
        alone = {
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "PATH": "/usr/local/bin:/usr/bin:/bin",
        }
        command = ["git", *arguments]
        done = subprocess.run(command, cwd=self.root, env={**alone, **who}, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stderr}"
        return done.stdout.strip()

    def write(self, name: str, text: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        return path

    def delete(self, name: str) -> None:
        (self.root / name).unlink()

    def commit(self, message: str = "change") -> str:
        """Commit all that is there; return the commit."""
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD")

    def branch(self, name: str, start: str | None = None) -> None:
        """Make a branch (of *start*, default HEAD) and stand on it."""
        self.git("checkout", "--quiet", "-B", name, *([start] if start else []))

    def checkout(self, ref: str) -> None:
        self.git("checkout", "--quiet", ref)

    def sha(self, ref: str) -> str:
        return self.git("rev-parse", ref)

    def _merged(self, base: str, head: str, ref: str) -> str:
        """Check out the merge that GitHub makes: first parent the base, second the head; kept under *ref*."""
        self.git("checkout", "--quiet", "--detach", base)
        self.git("merge", "--quiet", "--no-ff", "--message", f"Merge {head} into {base}", head)
        self.git("update-ref", ref, "HEAD")
        return self.sha("HEAD")

    def pull_request(
        self, head: str = "feature", base: str = "main", *, fork: bool = False, action: str = "synchronize"
    ) -> Event:
        """Pull request 7 from *head* to *base*; its merge commit is checked out."""
        merge = self._merged(base, head, f"refs/pull/{NUMBER}/merge")
        self.git("update-ref", f"refs/pull/{NUMBER}/head", head)
        source = (
            {"full_name": f"stranger/{NAME}", "fork": True, "owner": {"login": "stranger"}}
            if fork
            else self._repository()
        )
        pull = {
            "number": NUMBER,
            "draft": False,
            "merge_commit_sha": merge,
            "html_url": f"https://github.com/{FULL_NAME}/pull/{NUMBER}",
            "head": {"ref": head, "sha": self.sha(head), "repo": source},
            "base": {"ref": base, "sha": self.sha(base), "repo": self._repository()},
        }
        body = {"action": action, "number": NUMBER, "pull_request": pull}
        return self._event("pull_request", f"refs/pull/{NUMBER}/merge", body, fork=fork)

    def merge_group(self, head: str = "feature", base: str = "main") -> Event:
        """The merge queue's commit for pull request 7; it is checked out."""
        name = f"gh-readonly-queue/{base}/pr-{NUMBER}-{self.sha(base)}"
        merge = self._merged(base, head, f"refs/heads/{name}")
        refs = {"head_ref": f"refs/heads/{name}", "base_ref": f"refs/heads/{base}"}
        group = {"head_sha": merge, "base_sha": self.sha(base), **refs}
        return self._event("merge_group", f"refs/heads/{name}", {"action": "checks_requested", "merge_group": group})

    def push(self, branch: str = "main") -> Event:
        """A push of *branch*'s last commit."""
        self.checkout(branch)
        after = self.sha("HEAD")
        first = not self.git("rev-list", "--max-count=1", "--skip=1", "HEAD")
        before = "0" * 40 if first else self.sha("HEAD~1")
        body = {"ref": f"refs/heads/{branch}", "before": before, "after": after, "head_commit": {"id": after}}
        return self._event("push", f"refs/heads/{branch}", body)

    def dispatch(self, branch: str = "main", inputs: Mapping[str, str] | None = None) -> Event:
        """Somebody pressed "Run workflow"."""
        self.checkout(branch)
        body = {"ref": f"refs/heads/{branch}", "inputs": dict(inputs or {})}
        return self._event("workflow_dispatch", f"refs/heads/{branch}", body)

    def schedule(self) -> Event:
        self.checkout(self.default_branch)
        return self._event("schedule", self._default, {"schedule": "17 3 * * *"})

    def workflow_run(self, of: Event, run_id: int, conclusion: str, *, name: str = "PR") -> Event:
        """Run *run_id* of the pull request *of* is complete; the default branch is checked out, as on GitHub."""
        self.checkout(self.default_branch)
        pull = of.payload["pull_request"]
        source = pull["head"]["repo"]
        done = {
            "id": run_id,
            "name": name,
            "run_attempt": 1,
            "event": of.name,
            "status": "completed",
            "conclusion": conclusion,
            "head_branch": pull["head"]["ref"],
            "head_sha": pull["head"]["sha"],
            "head_repository": {
                "full_name": source["full_name"],
                "owner": {"login": source["full_name"].split("/")[0]},
            },
            "html_url": f"https://github.com/{FULL_NAME}/actions/runs/{run_id}",
            "pull_requests": [] if of.fork else [{"number": pull["number"]}],
        }
        return self._event("workflow_run", self._default, {"action": "completed", "workflow_run": done})

    @property
    def _default(self) -> str:
        return f"refs/heads/{self.default_branch}"

    def _event(self, name: str, ref: str, payload: Mapping[str, Any], *, fork: bool = False) -> Event:
        return Event(name, ref, {**payload, "repository": self._repository(), "sender": {"login": "someone"}}, fork)

    def _repository(self) -> dict[str, Any]:
        owner = {"login": OWNER, "type": "Organization"}
        about = {"default_branch": self.default_branch, "private": False, "fork": False, "id": 4711}
        return {
            "full_name": FULL_NAME,
            "name": NAME,
            "owner": owner,
            "html_url": f"https://github.com/{FULL_NAME}",
            **about,
        }


PERSON = {"NAME": "someone", "EMAIL": "someone@example.org", "DATE": WHEN}
