"""A real MLflow server for tests: a process of its own with one worker, a store and a folder for artifacts."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from tests.support.child_environment import child_environment
from tests.support.own_process import begin, end, listens, ready
from tests.support.postgres import postgres
from tests.support.waiting import PATIENCE, until

PROGRAM = Path(__file__).parents[2] / ".cache/mlflow/bin/mlflow"
ADMIN, PASSWORD = "admin", "a-password-of-the-tests"

_AUTH = """\
[mlflow]
default_permission = READ
database_uri = sqlite:///{folder}/auth.db
admin_username = {admin}
authorization_function = mlflow.server.auth:authenticate_request_basic_auth
"""


class Server:
    """One server at one address, which stays its own while it is down."""

    def __init__(self, folder: Path, backend: str, *, auth: bool = False) -> None:
        self.folder = folder
        self.backend = backend
        """The store's URI."""
        self.auth = auth
        self.log = folder / "mlflow.log"
        self.process: subprocess.Popen[bytes] | None = None
        """None while it is down."""
        self._place = socket.socket()  # bound for good, but not listening: nobody else is given this port
        self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._place.bind(("127.0.0.1", 0))
        self.port = int(self._place.getsockname()[1])

    @property
    def uri(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def uri_of_admin(self) -> str:
        """Return the address with the administrator's name and password in it."""
        return f"http://{ADMIN}:{PASSWORD}@127.0.0.1:{self.port}"

    @property
    def artifacts(self) -> Path:
        """Return the folder in which the server itself keeps the files."""
        return self.folder / "artifacts"

    def start(self) -> None:
        """Bring it up; return when it answers."""
        assert self.process is None, "it is up"
        words = [str(PROGRAM), "server", "--host", "127.0.0.1", "--port", str(self.port), "--workers", "1"]
        words += ["--backend-store-uri", self.backend, "--artifacts-destination", str(self.artifacts)]
        words += ["--app-name", "basic-auth"] if self.auth else []
        self.process = begin(words, self.log, env=self._env())
        ready(self.process, self._is_healthy, self.log)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Take it down: its connections are refused. Again is nothing."""
        if self.process is not None:
            end(self.process, how)
            self.process = None
            until(lambda: not listens(self.port))

    def close(self) -> None:
        self.stop()
        self._place.close()

    def add_user(self, name: str, password: str) -> None:
        """Make an account that may read everything, and write what it made itself."""
        self.call("POST", "/api/2.0/mlflow/users/create", {"username": name, "password": password})

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Ask the server past every client: as the administrator, for JSON."""
        line = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            basic = b64encode(f"{ADMIN}:{PASSWORD}".encode()).decode()
            headers = {"Content-Type": "application/json"} | ({"Authorization": f"Basic {basic}"} if self.auth else {})
            line.request(method, path, None if body is None else json.dumps(body), headers)
            reply = line.getresponse()
            content = reply.read()
            assert reply.status == 200, f"{reply.status}: {content.decode()}"
            return json.loads(content)
        finally:
            line.close()

    def _is_healthy(self) -> bool:
        line = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            line.request("GET", "/health")
            return line.getresponse().status == 200
        except OSError:
            return False
        finally:
            line.close()

    def _env(self) -> dict[str, str]:
        env = child_environment(
            HOME=str(self.folder),
            XDG_CONFIG_HOME=str(self.folder),
            MLFLOW_DISABLE_TELEMETRY="true",
            MLFLOW_SERVER_ENABLE_JOB_EXECUTION="false",  # three more processes, for what no test asks
        )
        if self.auth:
            ini = self.folder / "auth.ini"
            ini.write_text(_AUTH.format(folder=self.folder, admin=ADMIN))
            env |= {
                "MLFLOW_AUTH_CONFIG_PATH": str(ini),
                "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
                "MLFLOW_FLASK_SERVER_SECRET_KEY": "of-the-tests",
            }
        return env


def met() -> bool:
    return PROGRAM.is_file()


@contextmanager
def server(folder: Path, *, backend: str = "sqlite", auth: bool = False) -> Iterator[Server]:
    """Yield a running server that keeps everything in *folder*.

    *backend*: `sqlite`, `postgres` (a cluster of its own: mark the test needs_postgres too), or a store's URI.
    *auth*: MLflow's own basic-auth app; `/health` alone is open.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        if backend == "sqlite":
            backend = f"sqlite:///{folder}/mlflow.db"
        elif backend == "postgres":
            backend = stack.enter_context(postgres()).uri
        made = Server(folder, backend, auth=auth)
        stack.callback(made.close)
        made.start()
        yield made
