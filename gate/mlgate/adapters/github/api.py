"""What mlgate does on GitHub: finds a pull request, keeps one comment on it, and sets a commit's status."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, TypeGuard
from urllib.parse import urlencode

from mlgate.adapters.github.client import GithubClient
from mlgate.adapters.github.replies import Purpose
from mlgate.core.errors import AdapterError

PAGES = 50
"""Of a list, at most; each has a hundred things."""

_LIST_PULLS = Purpose("list the pull requests", "pull-requests: write")
_LIST = Purpose("list the pull request's comments", "pull-requests: write")
_CREATE = Purpose("write a comment", "pull-requests: write")
_UPDATE = Purpose("change its own comment", "pull-requests: write")
_STATUS = Purpose("set the commit's status", "statuses: write")


@dataclass(frozen=True, slots=True)
class PullRequest:
    """An open pull request."""

    number: int
    sha: str
    """Its head commit, as it is now."""
    head: str
    """`owner/name` of the repository that its branch is in; empty when that was deleted."""


class CommentOutcome(Enum):
    """What became of a comment."""

    CREATED = "written"
    UPDATED = "updated"
    UNCHANGED = "as it was"


class Github:
    """One repository on GitHub. Every method raises AdapterError when GitHub says no or cannot be asked."""

    def __init__(self, line: GithubClient, repository: str) -> None:
        self._line = line
        self._path = f"/repos/{repository}"

    def pull_requests(self, owner: str, branch: str) -> list[PullRequest]:
        """Return the open pull requests of *branch* in any repository of *owner*.

        GitHub drops a filter that it does not understand and lists them all, so whoever asks looks at each.
        """
        query = urlencode({"state": "open", "head": f"{owner}:{branch}", "per_page": "100"})
        return [_pull_request(value) for value in self._each(f"{self._path}/pulls?{query}", _LIST_PULLS)]

    def upsert(self, number: int, marker: str, body: str) -> CommentOutcome:
        """Make *body*, which begins with *marker*, the gate's one comment on issue or pull request *number*.

        Only a bot's comment counts as the gate's own: anybody can write the marker.
        """
        own = self._own_comment(number, marker)
        if own is None:
            create = f"{self._path}/issues/{number}/comments"
            self._line.ask(
                "POST", create, _CREATE, {"body": body}, done=lambda: self._own_comment(number, marker) is not None
            )
            return CommentOutcome.CREATED
        if _same(own["body"], body):
            return CommentOutcome.UNCHANGED
        self._line.ask("PATCH", f"{self._path}/issues/comments/{own['id']}", _UPDATE, {"body": body})
        return CommentOutcome.UPDATED

    def set_status(self, sha: str, context: str, state: str, description: str, url: str) -> None:
        """Set the status *context* of a commit. The newest counts, so that setting it twice does no harm."""
        body = {"state": state, "context": context, "description": description, "target_url": url}
        self._line.ask("POST", f"{self._path}/statuses/{sha}", _STATUS, body)

    def _own_comment(self, number: int, marker: str) -> Mapping[str, Any] | None:
        """Return the gate's comment, the oldest if there are several."""
        for comment in self._each(f"{self._path}/issues/{number}/comments?per_page=100", _LIST):
            body, user = comment.get("body"), comment.get("user")
            bot = isinstance(user, dict) and user.get("type") == "Bot"
            if bot and isinstance(body, str) and body.startswith(marker) and _is_number(comment.get("id")):
                return comment
        return None

    def _each(self, target: str, purpose: Purpose) -> Iterator[Mapping[str, Any]]:
        """Yield the objects of a list, page by page."""
        for _ in range(PAGES):
            page = self._line.ask("GET", target, purpose)
            if page is None or not isinstance(page.value, list) or not all(isinstance(v, dict) for v in page.value):
                raise AdapterError(f"could not {purpose.words}: GitHub's answer is no list")
            yield from page.value
            if not page.next:
                return
            target = page.next
        raise AdapterError(f"could not {purpose.words}: there are more than {PAGES} pages of them")


def _pull_request(value: Mapping[str, Any]) -> PullRequest:
    number, head = value.get("number"), value.get("head")
    if not _is_number(number) or not isinstance(head, dict) or not isinstance(head.get("sha"), str):
        raise AdapterError(f"could not {_LIST_PULLS.words}: GitHub's answer has one without a head")
    repo = head.get("repo")
    name = repo.get("full_name") if isinstance(repo, dict) else None
    return PullRequest(number, head["sha"], name if isinstance(name, str) else "")


def _is_number(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0


def _same(left: str, right: str) -> bool:
    """Compare as GitHub may keep them: with other line ends, and without blanks at the end."""
    return left.replace("\r\n", "\n").rstrip() == right.replace("\r\n", "\n").rstrip()
