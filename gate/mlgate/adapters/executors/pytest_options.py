"""What a pytest session was asked to do: by its command line, and by settings that the change under test may bring.

pytest puts `addopts` of its settings files, and `PYTEST_ADDOPTS`, in front of the command line. Which file judges, and
whether anybody is asked at all, is for who typed the command: mlgate's own options count from there only.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlgate.adapters.executors.pytest_selection import Selection, named
from mlgate.adapters.files import gate_file
from mlgate.adapters.files.plan_file import LIFELINE
from mlgate.adapters.process.environment_flags import switch
from mlgate.core.errors import ConfigError, GateError

_QUIET = ("collectonly", "showfixtures", "show_fixtures_per_test", "markers", "cacheshow", "setupplan", "setuponly")
"""pytest's options under which it runs no test."""
_ABOUT_PYTEST = ("help", "version", "markers")
"""pytest's options that ask about pytest itself: no test is even collected."""


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What the command line itself said, without pytest's settings."""

    config: str
    is_strict: bool
    plan: str
    """The plan of a session that `mlgate check` started; else empty."""
    no_items: bool
    is_about_pytest: bool
    is_child: bool
    """`mlgate check` started this session."""

    @classmethod
    def of(cls, parser: pytest.Parser, config: pytest.Config) -> CommandLine:
        """Read the command line again, alone."""
        given = parser.parse_known_args(config.invocation_params.args)
        return cls(
            given.mlgate_config,
            given.mlgate_strict or any(map(_is_set, ("MLGATE_STRICT", "CI", "GITHUB_ACTIONS"))),
            given.mlgate_plan,
            given.mlgate_no_items,
            any(getattr(given, name, False) for name in _ABOUT_PYTEST),
            bool(given.mlgate_plan) and LIFELINE in os.environ,
        )

    @property
    def is_judging(self) -> bool:
        """Return whether this is a session of the user's own that runs tests, here and not in a worker of xdist."""
        return not (self.is_child or self.is_about_pytest or "PYTEST_XDIST_WORKER" in os.environ)

    def gate_file(self, rootpath: Path) -> Path:
        """Return the gate's file: where it is from here, or else below pytest's root. Raises ConfigError for two."""
        if self.config:
            path = Path(self.config)
            return path if path.is_absolute() or path.exists() else rootpath / path
        file = Path(os.environ.get("MLGATE_CONFIG") or gate_file.DEFAULT_FILE)
        here = gate_file.found(file)
        return here if here.is_absolute() or here.exists() else gate_file.found(file, rootpath)

    def check(self, whole: argparse.Namespace) -> None:
        """Refuse options of mlgate that *whole*, all that pytest was given, has from elsewhere. Raises ConfigError."""
        own = {"mlgate_config": self.config, "mlgate_plan": self.plan, "mlgate_no_items": self.no_items}
        for name, value in own.items():
            if getattr(whole, name) != value:
                raise ConfigError(
                    "pytest's settings set this option, and only the command line may",
                    where=f"--{name.replace('_', '-')}",
                    hint="take it out of addopts and PYTEST_ADDOPTS; the gate's file can be named in MLGATE_CONFIG",
                )
        if self.plan or self.no_items:
            raise ConfigError(
                "only `mlgate check` gives a session its plan", where="--mlgate-plan", hint="leave the option out"
            )


def _is_set(name: str) -> bool:
    """Say whether a variable is on; one that is neither on nor off is: strict is the safe side."""
    try:
        return switch(name)
    except GateError:
        return True


def is_quiet(options: argparse.Namespace) -> bool:
    """Say whether pytest runs no test under these options."""
    return any(getattr(options, name, False) for name in _QUIET)


def paths(config: pytest.Config) -> list[Path] | None:
    """Return the paths that a person named, None for none."""
    if config.args_source is not pytest.Config.ArgsSource.ARGS:
        return None
    return named(config.args, config.invocation_params.dir)


def has_node_ids(config: pytest.Config) -> bool:
    """Say whether a person named single tests."""
    return any("::" in str(one) for one in paths(config) or ())


def left_out(
    config: pytest.Config, selection: Selection, late: Collection[str], *, stopped: bool
) -> tuple[set[str], str]:
    """Return the checks that this session did not carry out because it was told not to, and why, in words.

    *late* are the checks that are carried out when the tests are done; *stopped*: the session ended before its end.
    """
    option = config.option
    if is_quiet(option):
        return selection.checks | set(late), "this session runs no tests"
    found = selection.left_out(paths(config), last_failed=bool(getattr(option, "lf", False)), stopped=stopped)
    if found or stopped or option.keyword or option.markexpr or option.deselect or has_node_ids(config):
        found |= set(late)
    return found, "this session stopped early" if stopped else "this session runs a selection"
