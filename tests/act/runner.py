"""Run a workflow for real, offline, with act in host mode, and read what it did from act's log.

What act does not do: permissions, concurrency, cancelling, timeouts of jobs, approval. tests/workflows reads those from
the YAML.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path

from tests.act import staging
from tests.act.consumer import Consumer, Event
from tests.act.ran import Ran, read_log
from tests.support.child_environment import TO_THE_INDEX, only
from tests.support.waiting import PATIENCE

ROOT = Path(__file__).resolve().parents[2]
_LOOK_S = 0.5
LABELS = ("ubuntu-24.04", "ubuntu-latest", "ubuntu-22.04", "self-hosted")
TOKEN = "ghs-act-4f1d9c7a0b"  # noqa: S105 - a long odd value: act masks it everywhere in its log, and nothing else looks like it


def run(
    consumer: Consumer,
    event: Event,
    *,
    product: Path,
    home: Path,
    workflow: str = ".github/workflows/pr.yml",
    env: Mapping[str, str] | None = None,
    secrets: Mapping[str, str] | None = None,
    faults: Mapping[str, str] | None = None,
    edit: staging.Edit | None = None,
    labels: tuple[str, ...] = (),
    hangs_after: str = "",
) -> Ran:
    """Run *workflow* of *consumer* for *event*.

    *product*: what staging.stage() made. *home*: MLGATE_HOME, where the actions install, shared by a session's runs.
    *secrets*: never reach a fork's run. *faults*: see doubles/step.py.
    *hangs_after*: words after which it is ended; else it is only when it never ends.
    *edit*: a change of the product's own YAML, as it is written there. *labels*: further labels of runners that exist.
    """
    run_id = consumer.next_run_id()
    work = consumer.folder / f"run-{run_id}"
    work.mkdir()
    product = staging.prepare(product, work / "product", edit)
    payload = work / "event.json"
    payload.write_text(json.dumps(event.payload))
    command = [_act(), event.name, "-W", workflow, "-e", str(payload), "--json", "--rm", "--no-skip-checkout"]
    command += ["--action-offline-mode", "--action-cache-path", str(work / "actions"), "--pull=false"]
    command += [
        "--no-cache-server",
        "--defaultbranch",
        consumer.default_branch,
        "--actor",
        "someone",
    ]  # the doubles keep caches and artifacts
    command += [o for label in (*LABELS, *labels) for o in ("-P", f"{label}=-self-hosted")]
    for repository, ref in sorted(staging.pins(product, consumer.root)):
        command += ["--local-repository", f"{repository}@{ref}={staging.stands_in_for(repository, product)}"]
    tools = home.parent / "tools"
    about = {"GITHUB_REF": event.ref, "GITHUB_REF_NAME": event.ref.split("/", 2)[2]}
    seen = {**about, **_given(consumer, run_id, tools, faults or {}), "MLGATE_HOME": str(home), **(env or {})}
    command += [o for name, value in seen.items() for o in ("--env", f"{name}={value}")]
    known = {"GITHUB_TOKEN": TOKEN, **({} if event.fork else secrets or {})}
    command += [o for name, value in known.items() for o in ("-s", f"{name}={value}")]
    start = time.monotonic()
    code, log = _finish(command, consumer.root, _environment(work, tools), hangs_after)
    (work / "act.log").write_text(log)
    return read_log(
        log, code=code, run_id=run_id, artifacts=consumer.artifacts(run_id), seconds=time.monotonic() - start
    )


def _given(consumer: Consumer, run_id: int, tools: Path, faults: Mapping[str, str]) -> dict[str, str]:
    """What the doubles need to know."""
    return {
        "GITHUB_RUN_ID": str(run_id),
        "ACT_PYTHON": sys.executable,
        "ACT_TESTS": str(ROOT),
        "ACT_TOOLS": str(tools),
        "ACT_STATE": str(consumer.state),
        "ACT_REPOSITORIES": str(consumer.folder / "repositories"),
        "ACT_DEFAULT_BRANCH": consumer.default_branch,
        "ACT_FAULTS": json.dumps(dict(faults)),
    }


def _environment(work: Path, tools: Path) -> dict[str, str]:
    """A runner's environment: a home of its own, Python, this machine's way to the package index, and nothing else.

    act in host mode hands its own environment to every step, so what is left out here cannot leak.
    """
    tools.mkdir(exist_ok=True)  # one place for all runs: environments remember their Python
    base = Path(sys.base_prefix, "bin", f"python{sys.version_info.major}.{sys.version_info.minor}")
    for name in ("python", "python3", base.name):
        if not (tools / name).exists():
            with suppress(FileExistsError):  # another worker of pytest was faster
                (tools / name).symlink_to(base)
    kept = only((*TO_THE_INDEX, "LANG", "LC_ALL", "TZ"))
    mine = Path(sys.prefix).resolve()
    path = [p for p in os.environ["PATH"].split(os.pathsep) if not Path(p).resolve().is_relative_to(mine)]
    for user in ("~/.config/pip/pip.conf", "~/.pip/pip.conf"):  # HOME changes, the way to the index does not
        if Path(user).expanduser().is_file():
            kept.setdefault("PIP_CONFIG_FILE", str(Path(user).expanduser()))
    kept.setdefault("PIP_CACHE_DIR", str(Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser() / "pip"))
    return {
        **kept,
        "HOME": str(work),
        "XDG_CACHE_HOME": str(work / "xdg"),
        "PATH": os.pathsep.join([str(tools), *path]),
    }


def _act() -> str:
    return str(Path(sys.prefix, "bin", "act"))


def _finish(command: list[str], cwd: Path, env: Mapping[str, str], hangs_after: str) -> tuple[int, str]:
    """Run to the end, or end act and all that it started: steps have process groups of their own."""
    with subprocess.Popen(
        command, cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        try:
            return _end(process, _log(process, hangs_after))
        except subprocess.TimeoutExpired:
            for pid in [*_descendants(process.pid), process.pid]:
                _kill(pid)
            log = process.communicate()[0]
            raise AssertionError(f"act did not end:\n{log[-4000:]}") from None


def _log(process: subprocess.Popen[str], hangs_after: str) -> str:
    """Return all that it says; raise TimeoutExpired when it has said *hangs_after*, or never ends."""
    over = time.monotonic() + 2 * PATIENCE
    while True:
        try:
            return process.communicate(timeout=_LOOK_S)[0]
        except subprocess.TimeoutExpired as late:
            said = late.output or b""
            if time.monotonic() > over or (hangs_after and hangs_after.encode() in said):
                raise


def _end(process: subprocess.Popen[str], log: str) -> tuple[int, str]:
    return process.wait(), log


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _descendants(pid: int) -> Iterator[int]:
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        for child in map(int, task.read_text().split()):
            yield child
            yield from _descendants(child)
