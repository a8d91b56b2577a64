"""What every test may use: golden files, and marks for what a machine may not have."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from importlib.util import find_spec
from pathlib import Path

import pytest

GOLDEN = Path(__file__).parent / "golden"
CACHE = Path(__file__).parent.parent / ".cache"
Golden = Callable[[str, str], None]


@pytest.fixture
def golden() -> Golden:
    """Compare a text with the committed file of that name, byte for byte; MLGATE_UPDATE_GOLDEN=1 writes it instead."""

    def compare(name: str, text: str) -> None:
        path = GOLDEN / name
        if os.environ.get("MLGATE_UPDATE_GOLDEN") == "1":
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode())
        assert path.exists(), f"{path} is missing: run with MLGATE_UPDATE_GOLDEN=1 and review it"
        assert text == path.read_bytes().decode(), f"{name} changed: if that is right, MLGATE_UPDATE_GOLDEN=1"

    return compare


def _kserve() -> bool:
    local = Path(__file__).parent.parent / ".cache/kserve/bin/python"
    return Path(os.environ.get("MLGATE_KSERVE_PYTHON", local)).is_file()


@cache
def _docker() -> bool:
    """Ask in a process of its own: an SDK that found no engine leaves an open socket behind, which is a warning."""
    asks = "from mlgate.adapters.docker_engine import connect; connect().close()"
    return subprocess.run([sys.executable, "-c", asks], capture_output=True, check=False).returncode == 0


def _act() -> bool:
    return all(map(shutil.which, ("git", "bash", "node"))) and Path(sys.prefix, "bin/act").is_file()


def _buildkit() -> bool:
    from tests import builders

    return builders.met()


NEEDS: dict[str, tuple[Callable[[], bool], str]] = {
    "parquet": (lambda: find_spec("pyarrow") is not None, "pip install 'mlgate[parquet]'"),
    "datasets": (lambda: find_spec("datasets") is not None, "pip install 'mlgate[datasets]'"),
    "mecab": (lambda: find_spec("MeCab") is not None, "pip install 'mlgate[ja]'"),
    "docker": (_docker, "install docker and start dockerd"),
    "act": (_act, "pip install -r requirements/dev.txt; git, bash and node 20"),
    "buildkit": (_buildkit, ".ci/builders"),
    "openapi": ((CACHE / "openapi/api.github.com-23.0.2.json").is_file, "make openapi (needs npm)"),
    "root": (lambda: os.geteuid() == 0, "run as root on Linux"),
    "kserve": (_kserve, "make kserve, or set MLGATE_KSERVE_PYTHON"),
}
"""Each `needs_*` mark: whether the thing is there, and how to get it."""


def pytest_configure() -> None:
    """Refuse a misspelt MLGATE_REQUIRE: it would require nothing."""
    if unknown := _required() - NEEDS.keys():
        raise pytest.UsageError(f"MLGATE_REQUIRE knows {', '.join(sorted(NEEDS))}, not {', '.join(sorted(unknown))}")


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose need is not met, with the command that meets it; fail where MLGATE_REQUIRE names the need."""
    for need, (met, get) in NEEDS.items():
        if item.get_closest_marker(f"needs_{need}") and not met():
            if need in _required():
                pytest.fail(f"MLGATE_REQUIRE has {need}, which is not here: {get}", pytrace=False)
            pytest.skip(f"needs {need}: {get}")


def _required() -> set[str]:
    return {name for name in os.environ.get("MLGATE_REQUIRE", "").split(",") if name}
