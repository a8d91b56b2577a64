"""What every test may use: golden files, and marks for what a machine may not have."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:  # this file is tried alone, too
    from tests.support.fake_mlflow import FakeMlflow
    from tests.support.mlflow_server import Server

GOLDEN = Path(__file__).parent / "golden"
CACHE = Path(__file__).parent.parent / ".cache"
Golden = Callable[[str, str], None]

STEERS = (
    *("MLGATE_*", "MLFLOW_*", "_MLFLOW_*", "DATABRICKS_*", "GITHUB_*", "RUNNER_*", "ACTIONS_*", "CI", "GIT_*"),
    *("NO_COLOR", "FORCE_COLOR", "CLICOLOR", "CLICOLOR_FORCE", "TERM", "COLUMNS", "KUBECONFIG", "KUBERNETES_*"),
)
"""What a person's or a job's environment would tell mlgate, git and MLflow: a test that means it sets it itself.

Names, and patterns of names.
"""
STAYS = (
    *("MLGATE_REQUIRE", "MLGATE_UPDATE_GOLDEN", "MLGATE_KSERVE_PYTHON", "MLGATE_KSERVE_OPENAI_PYTHON"),
    *("MLGATE_TEST_KUBECONFIG", "MLGATE_TEST_REACHABLE", "MLGATE_TEST_GATEWAY", "MLGATE_TEST_PROMETHEUS"),
    "GIT_SSL_CAINFO",
)
"""What the suite itself reads, and how this machine reaches a package index."""

settings.register_profile(
    "ci",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
    derandomize=True,
    print_blob=True,
)
settings.register_profile("dev", parent=settings.get_profile("ci"), max_examples=40)
settings.register_profile("search", parent=settings.get_profile("ci"), derandomize=False)
settings.load_profile("dev")
"""How long an example takes says nothing on a busy machine, and every run tries the same examples: `dev` fewer of them
than `ci`. `pytest --hypothesis-profile=search` tries others each time. What repeats a failure is printed."""


@pytest.fixture(autouse=True)
def _environment_of_its_own() -> Iterator[None]:
    """Begin without what steers the code under test, and end with the environment as it was.

    An import of MLflow sets a variable, and mlgate bounds MLflow by others: the next test must not find them.
    """
    for name in list(os.environ):
        if name not in STAYS and any(fnmatchcase(name, pattern) for pattern in STEERS):
            del os.environ[name]
    before = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    yield
    for name in os.environ.keys() - before.keys():
        if not name.startswith("PYTEST_"):  # pytest's own, which it takes away itself
            del os.environ[name]
    os.environ.update(before)


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


@pytest.fixture(scope="session")
def mlflow_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One MLflow server for all tests of a worker: mark them needs_mlflow, never stop it, and use `own_name` in it."""
    from tests.support import mlflow_server as mlflow

    with mlflow.server(tmp_path_factory.mktemp("mlflow")) as server:
        yield server


@pytest.fixture(scope="session")
def mlflow_on_postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One more, whose store is a real PostgreSQL: mark tests needs_postgres, too."""
    from tests.support import mlflow_server as mlflow

    with mlflow.server(tmp_path_factory.mktemp("postgres"), backend="postgres") as server:
        yield server


@pytest.fixture
def fake_mlflow(mlflow_server: Server) -> Iterator[FakeMlflow]:
    """Stand between a client and the real server: everything is passed on, but for what the test scripts."""
    from tests.support.fake_mlflow import faking

    with faking(mlflow_server.uri) as fake:
        yield fake


@pytest.fixture
def own_name(request: pytest.FixtureRequest) -> str:
    """Name an experiment or a model that no other test has."""
    return f"{re.sub(r'[^a-z0-9]+', '-', request.node.name.lower())[:80].strip('-')}-{secrets.token_hex(4)}"


def _kserve() -> bool:
    local = Path(__file__).parent.parent / ".cache/kserve/bin/python"
    return Path(os.environ.get("MLGATE_KSERVE_PYTHON", local)).is_file()


@cache
def _docker() -> bool:
    """Ask in a process of its own: an SDK that found no engine leaves an open socket behind, which is a warning."""
    asks = "from mlgate.adapters.docker.engine import connect; connect().close()"
    return subprocess.run([sys.executable, "-c", asks], capture_output=True, check=False).returncode == 0


def _act() -> bool:
    return all(map(shutil.which, ("git", "bash", "node"))) and Path(sys.prefix, "bin/act").is_file()


def _buildkit() -> bool:
    from tests.support import builders

    return builders.met()


def _mlflow() -> bool:
    from tests.support import mlflow_server

    return mlflow_server.met()


def _cluster() -> bool:
    """Only by a name of its own: a test must never meet the cluster that a person works with."""
    return Path(os.environ.get("MLGATE_TEST_KUBECONFIG", "")).is_file()


def _reachable_cluster() -> bool:
    return bool(os.environ.get("MLGATE_TEST_REACHABLE")) and _cluster()


def _postgres() -> bool:
    from tests.support import postgres

    return postgres.met()


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
    "mlflow": (_mlflow, "make mlflow"),
    "cluster": (_cluster, "make test-cluster (as root on Linux), or make test-cluster KUBECONFIG=…"),
    "reachable_cluster": (_reachable_cluster, "make test-cluster (as root on Linux)"),
    "postgres": (_postgres, ".ci/engine; as root also setpriv and the user postgres: initdb refuses root"),
}
"""Each `needs_*` mark: whether the thing is there, and how to get it."""


def pytest_configure() -> None:
    """Refuse a misspelt MLGATE_REQUIRE: it would require nothing."""
    if unknown := _required() - NEEDS.keys():
        raise pytest.UsageError(f"MLGATE_REQUIRE knows {', '.join(sorted(NEEDS))}, not {', '.join(sorted(unknown))}")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is `wide` where MLGATE_TEST_WIDE is no."""
    if os.environ.get("MLGATE_TEST_WIDE") != "no":
        return
    left_out = [item for item in items if item.get_closest_marker("wide")]
    if needing := [item.nodeid for item in left_out if any(item.get_closest_marker(f"needs_{need}") for need in NEEDS)]:
        raise pytest.UsageError(f"wide, and nobody would ask it: `make test` may skip {needing[0]}")
    items[:] = [item for item in items if not item.get_closest_marker("wide")]
    config.hook.pytest_deselected(items=left_out)


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose need is not met, with the command that meets it; fail where MLGATE_REQUIRE names the need."""
    for need, (met, get) in NEEDS.items():
        if item.get_closest_marker(f"needs_{need}") and not met():
            if need in _required():
                pytest.fail(f"MLGATE_REQUIRE has {need}, which is not here: {get}", pytrace=False)
            pytest.skip(f"needs {need}: {get}")


def _required() -> set[str]:
    return {name for name in os.environ.get("MLGATE_REQUIRE", "").split(",") if name}
