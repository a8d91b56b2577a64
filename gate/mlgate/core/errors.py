"""Why mlgate could not go on, what to do next, and the exit code that says so."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar


class GateError(Exception):
    """Something that stops a run: what, where, and the next step. Shown in one place, the CLI."""

    exit_code: ClassVar[int] = 3
    """3: we do not know whether the model is good."""

    def __init__(self, message: str, *, hint: str = "", where: str = "") -> None:
        super().__init__(message)
        self.message = message
        """What is wrong: lower case, no full stop."""
        self.hint = hint
        """What to do next: a command or a line to write. May be empty."""
        self.where = where
        """`file:line:column` or a path. May be empty."""

    def pass_through(self, hidden: Callable[[str], str]) -> None:
        """Let all that this error says pass through what takes secrets out."""
        self.message, self.hint, self.where = map(hidden, (self.message, self.hint, self.where))
        self.args = (self.message,)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        step = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.message}{step}"


class ConfigError(GateError):
    """mlgate.yaml, an option or a data file's shape cannot be used; nothing ran."""

    exit_code = 2

    def __init__(self, message: str, *, hint: str = "", where: str = "", more: tuple[ConfigError, ...] = ()) -> None:
        super().__init__(message, hint=hint, where=where)
        self.more = more
        """Further errors of the same file, in its order."""

    def pass_through(self, hidden: Callable[[str], str]) -> None:
        """Let this error and the further ones pass."""
        super().pass_through(hidden)
        for one in self.more:
            one.pass_through(hidden)


class EvidenceError(GateError):
    """Evidence or data is damaged, cut off or missing: nothing can be concluded from it."""


class ModelError(GateError):
    """The model under test cannot be reached or started at all."""


class AdapterError(GateError):
    """An outside thing (a disk, git, a server) failed."""


class Refused(GateError):  # noqa: N818 - the design's name for it: a trust check said no, nothing broke
    """A trust check said no: evidence that contradicts itself, is of another run, or is not what was planned."""

    exit_code = 5


class Outdated(Refused):
    """A verdict, or what attests it, was good, and is too old by now."""


class Busy(GateError):  # noqa: N818 - what it says, not what broke
    """Another live process rolls this service out."""


class Overtaken(GateError):  # noqa: N818
    """Somebody else carries this rollout on: whoever did so until now must not touch it any more."""


class Denied(GateError):  # noqa: N818
    """The cluster will never take an object: a webhook, a quota or its schema refuses it."""

    exit_code = 2


class NotAtRest(GateError):  # noqa: N818
    """A rollout was decided, and the cluster does not come to rest: some of it is left to the next verb."""


class NothingBefore(GateError):  # noqa: N818
    """There is no model to go back to."""
