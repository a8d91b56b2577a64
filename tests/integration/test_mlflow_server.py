"""The MLflow servers that other tests talk to: they run, they go, and the fake before them is as bad as it says."""

from __future__ import annotations

import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest
import urllib3
from tests.support.child_environment import child_environment
from tests.support.fake_mlflow import API, ARTIFACTS, FakeMlflow, Script, faking
from tests.support.mlflow_faults import (
    after,
    climbing,
    garbage,
    meanwhile,
    outside,
    redirect,
    reset,
    silent,
    status,
    times,
)
from tests.support.mlflow_server import ADMIN, PASSWORD, Server, server
from tests.support.own_process import listens
from tests.support.postgres import postgres
from tests.support.waiting import PATIENCE, alive, until

CREATE = ("POST", f"{API}/runs/create")


def made(uri: str, experiment: str) -> str:
    """Make an experiment past every client; return its id."""
    reply = urllib3.request("POST", f"{uri}{API}/experiments/create", json={"name": experiment}, retries=False)
    assert reply.status == 200, reply.data
    return str(reply.json()["experiment_id"])


def begin_run(uri: str, experiment_id: str = "0") -> urllib3.BaseHTTPResponse:
    body = {"experiment_id": experiment_id, "start_time": 1}
    return urllib3.request("POST", f"{uri}{API}/runs/create", json=body, retries=False, timeout=PATIENCE)


def runs(uri: str, experiment_id: str) -> int:
    body = {"experiment_ids": [experiment_id]}
    reply = urllib3.request("POST", f"{uri}{API}/runs/search", json=body, retries=False)
    return len(reply.json().get("runs", []))


# The server


@pytest.mark.needs_mlflow
def test_what_the_server_was_told_is_there_after_it_was_down_at_the_same_address(tmp_path: Path) -> None:
    with server(tmp_path / "s") as real:
        uri, number = real.uri, made(real.uri, "kept")
        begin_run(uri, number)
        real.stop()
        with pytest.raises(urllib3.exceptions.NewConnectionError):
            begin_run(uri, number)
        real.start()
        assert real.uri == uri
        assert runs(uri, number) == 1
        real.stop(signal.SIGKILL)
        real.stop()
    assert not listens(real.port)


@pytest.mark.needs_mlflow
def test_files_go_through_the_server_into_its_own_folder(mlflow_server: Server, own_name: str) -> None:
    number = made(mlflow_server.uri, own_name)
    info = begin_run(mlflow_server.uri, number).json()["run"]["info"]
    assert info["artifact_uri"].startswith("mlflow-artifacts:/")
    path = f"{number}/{info['run_id']}/artifacts/report.json"
    for content in (b"{}", b""):
        put = urllib3.request("PUT", f"{mlflow_server.uri}{ARTIFACTS}/{path}", body=content, retries=False)
        assert put.status == 200
        assert (mlflow_server.artifacts / path).read_bytes() == content


@pytest.mark.needs_mlflow
def test_a_server_with_accounts_lets_a_reader_read_and_a_stranger_do_nothing(tmp_path: Path) -> None:
    with server(tmp_path / "s", auth=True) as real:
        number = real.call("POST", f"{API}/experiments/create", {"name": "of the admin"})["experiment_id"]
        real.add_user("reader", "another-password")
        body = {"experiment_id": number}

        def status_for(user: str, password: str, call: str) -> int:
            headers = urllib3.make_headers(basic_auth=f"{user}:{password}")
            return urllib3.request("POST", real.uri + API + call, json=body, headers=headers, retries=False).status

        assert status_for(ADMIN, PASSWORD, "/runs/create") == 200
        assert status_for(ADMIN, "wrong", "/runs/create") == 401
        assert begin_run(real.uri, number).status == 401
        assert status_for("reader", "another-password", "/runs/search") == 200
        assert status_for("reader", "another-password", "/runs/create") == 403
        with faking(real.uri) as fake:
            headers = urllib3.make_headers(basic_auth=f"{ADMIN}:{PASSWORD}")
            url = f"{fake.uri}{API}/runs/create"
            assert urllib3.request("POST", url, json=body, headers=headers, retries=False).status == 200


@pytest.mark.needs_mlflow
@pytest.mark.needs_postgres
def test_the_server_keeps_its_runs_in_postgresql(tmp_path: Path) -> None:
    with postgres() as base:
        with server(tmp_path / "s", backend=base.uri) as real:
            begin_run(real.uri, made(real.uri, "kept"))
        assert base.query("select e.name, count(*) from runs join experiments e using (experiment_id) group by 1") == (
            "kept|1"
        )
        folder = base.socket
    assert not folder.exists()
    assert base.process.poll() == 0


@pytest.mark.needs_mlflow
def test_a_server_that_cannot_start_says_why_and_leaves_nothing(tmp_path: Path) -> None:
    with (
        pytest.raises(pytest.fail.Exception, match="does not serve"),
        server(tmp_path / "s", backend="sqlite:////dev/null/none.db"),
    ):
        pass
    assert not left(tmp_path)


@pytest.mark.needs_mlflow
@pytest.mark.needs_postgres
@pytest.mark.skipif(sys.platform != "linux", reason="what dies with its parent is Linux's to say")
def test_a_killed_test_process_takes_its_servers_with_it(tmp_path: Path) -> None:
    script = textwrap.dedent("""\
        import sys
        from pathlib import Path
        from tests.support.mlflow_server import server
        with server(Path(sys.argv[1]), backend="postgres") as real:
            print(real.backend.rpartition("=")[2], flush=True)
            sys.stdin.read()
        """)
    env = child_environment(PYTHONPATH=str(Path(__file__).parents[2]))
    words = [sys.executable, "-c", script, str(tmp_path / "s")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=env) as test:
        assert test.stdout is not None
        cluster = Path(test.stdout.readline().strip())
        master = int((cluster / "data/postmaster.pid").read_text().splitlines()[0])
        assert left(tmp_path)
        test.kill()
    until(lambda: not left(tmp_path) and not alive(master))
    shutil.rmtree(cluster)


def left(folder: Path) -> list[int]:
    """Return the processes that work in a folder, or below it."""
    found = []
    for place in Path("/proc").glob("[0-9]*/cwd"):
        try:
            inside = place.readlink().is_relative_to(folder)
        except OSError:
            continue
        if inside:
            found.append(int(place.parent.name))
    return found


# The fake before it


@pytest.mark.needs_mlflow
def test_what_is_not_scripted_is_passed_on_and_counted(fake_mlflow: FakeMlflow, own_name: str) -> None:
    number = made(fake_mlflow.uri, own_name)
    begin_run(fake_mlflow.uri, number)
    assert runs(fake_mlflow.uri, number) == 1
    assert fake_mlflow.calls == [f"POST {API}/{call}" for call in ("experiments/create", "runs/create", "runs/search")]
    assert fake_mlflow.count("POST", f"{API}/runs/*") == 2
    assert fake_mlflow.requests[0].json == {"name": own_name}


@pytest.mark.needs_mlflow
def test_files_pass_through_the_fake_whole_and_empty(fake_mlflow: FakeMlflow, own_name: str) -> None:
    for number, content in enumerate((bytes(range(256)) * 4096, b"")):
        url = f"{fake_mlflow.uri}{ARTIFACTS}/{own_name}/{number}"
        put = urllib3.request(
            "PUT", url, body=iter([content]), retries=False
        )  # in chunks, as MLflow sends an empty one
        assert put.status == 200, put.data
        assert urllib3.request("GET", url, retries=False).data == content


@pytest.mark.parametrize("code", [400, 401, 403, 404, 409, 429, 500, 503])
def test_an_error_is_worded_as_mlflow_words_it(code: int) -> None:
    with faking() as fake:
        fake[CREATE] = status(code, "no")
        reply = begin_run(fake.uri)
        assert reply.status == code
        assert reply.json()["message"] == "no"
        assert reply.json()["error_code"].isupper()


@pytest.mark.parametrize(
    ("fault", "raised"),
    [(reset, urllib3.exceptions.ProtocolError), (silent, urllib3.exceptions.ReadTimeoutError)],
)
def test_a_connection_is_reset_or_says_nothing_until_the_client_gives_up(
    fault: Script, raised: type[Exception]
) -> None:
    with faking() as fake:
        fake[CREATE] = fault
        seconds = 0.05 if fault is silent else PATIENCE
        with pytest.raises(raised):
            urllib3.request("POST", f"{fake.uri}{CREATE[1]}", timeout=seconds, retries=False)
        until(lambda: fake.count() == 1)


def test_the_end_of_a_test_ends_a_silence_that_nobody_gave_up() -> None:
    with faking() as fake:
        fake["GET", "/*"] = silent
        host, port = fake.uri.removeprefix("http://").split(":")
        line = urllib3.connection.HTTPConnection(host, int(port))
        line.request("GET", "/health")
        until(lambda: fake.count() == 1)
    with pytest.raises(ConnectionError):
        line.getresponse()
    line.close()


def test_garbage_is_no_json_and_a_redirect_leads_elsewhere() -> None:
    with faking() as fake, faking() as other:
        fake[CREATE] = garbage
        reply = begin_run(fake.uri)
        assert reply.status == 200
        with pytest.raises(ValueError, match="decode"):
            reply.json()
        fake[CREATE] = redirect(f"{other.uri}/inside")
        reply = urllib3.request("POST", f"{fake.uri}{CREATE[1]}", redirect=True, retries=1)
        assert other.calls == ["POST /inside"]


@pytest.mark.needs_mlflow
@pytest.mark.parametrize(
    ("fault", "name", "value"), [(outside, "artifact_uri", "file:///etc"), (climbing, "run_id", "../../etc")]
)
def test_a_hostile_field_stands_in_an_otherwise_real_reply(
    fake_mlflow: FakeMlflow, own_name: str, fault: Script, name: str, value: str
) -> None:
    number = made(fake_mlflow.uri, own_name)
    fake_mlflow[CREATE] = fault
    info = begin_run(fake_mlflow.uri, number).json()["run"]["info"]
    assert info[name] == value
    assert info["experiment_id"] == number


@pytest.mark.needs_mlflow
@pytest.mark.parametrize(("fault", "there"), [(lambda: times(1, status(500)), 0), (lambda: after(reset), 1)])
def test_a_fault_comes_instead_of_the_request_or_after_it(
    mlflow_server: Server, fake_mlflow: FakeMlflow, own_name: str, fault: Callable[[], Script], there: int
) -> None:
    number = made(fake_mlflow.uri, own_name)
    fake_mlflow[CREATE] = fault()
    try:
        assert begin_run(fake_mlflow.uri, number).status == 500
        assert begin_run(fake_mlflow.uri, number).status == 200
    except urllib3.exceptions.ProtocolError:
        assert runs(mlflow_server.uri, number) == 1
    else:
        assert runs(mlflow_server.uri, number) == 1
        assert there == 0


@pytest.mark.needs_mlflow
def test_somebody_else_acts_just_before_our_request(
    mlflow_server: Server, fake_mlflow: FakeMlflow, own_name: str
) -> None:
    fake_mlflow["POST", f"{API}/experiments/create"] = meanwhile(lambda: made(mlflow_server.uri, own_name))
    with pytest.raises(AssertionError, match="RESOURCE_ALREADY_EXISTS"):
        made(fake_mlflow.uri, own_name)


@pytest.mark.needs_mlflow
@pytest.mark.parametrize(("lost", "there"), [(False, 1), (True, 2)])
def test_a_cut_comes_after_so_many_requests_and_lasts_until_it_is_mended(
    fake_mlflow: FakeMlflow, own_name: str, lost: bool, there: int
) -> None:
    number = made(fake_mlflow.uri, own_name)
    fake_mlflow.cut_after(1, lost=lost)
    begin_run(fake_mlflow.uri, number)
    for _ in range(3):
        with pytest.raises(urllib3.exceptions.ProtocolError):
            begin_run(fake_mlflow.uri, number)
    fake_mlflow.mend()
    assert runs(fake_mlflow.uri, number) == there
