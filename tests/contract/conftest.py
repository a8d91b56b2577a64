"""The stores that a tracker and a registry are held against: each is real."""

from __future__ import annotations

import pytest

from mlgate.adapters.mlflow.client import Server, StoreAddress

ON_SERVER = pytest.mark.needs_mlflow
ON_POSTGRES = (pytest.mark.needs_mlflow, pytest.mark.needs_postgres)


@pytest.fixture(scope="session")
def local_store(tmp_path_factory: pytest.TempPathFactory) -> StoreAddress:
    """One file for all tests of a worker: they use `own_name` in it."""
    folder = tmp_path_factory.mktemp("sqlite")
    return StoreAddress(f"sqlite:///{folder}/mlflow.db", folder / "artifacts", 30.0)


@pytest.fixture(
    params=[
        "sqlite",
        pytest.param("server", marks=ON_SERVER),
        pytest.param("postgres", marks=ON_POSTGRES),
    ]
)
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> StoreAddress:
    """Return a store that others use, too."""
    if request.param == "sqlite":
        found: StoreAddress = request.getfixturevalue("local_store")
        return found
    server = request.getfixturevalue("mlflow_server" if request.param == "server" else "mlflow_on_postgres")
    return StoreAddress(server.uri, tmp_path_factory.getbasetemp() / "nowhere", 30.0)


@pytest.fixture
def server(place: StoreAddress) -> Server:
    return Server(place)
