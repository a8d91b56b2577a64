"""What every action of mlgate runs: `start.py key`, `start.py setup`, then `start.py run VERB`.

mlgate gets an environment of its own, made by the interpreter that the model runs on: its packages come from a lock
file by their hashes, and nothing is installed where the model's own packages are. What runs is the code beside this
file, so it is the ref that `uses:` named. Standard library only: nothing is installed when this begins.

Reads MLGATE_PYTHON (the model's interpreter), MLGATE_PACKAGES (one of LOCKS), MLGATE_REQUIREMENTS (the model's own
requirements file), MLGATE_HOME (where environments are made; a job's own folder unless told otherwise).
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
import time
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {
    "base": "action.txt",
    "mlflow": "action-mlflow.txt",
    "deploy": "action-deploy.txt",
    "all": "action-all.txt",
}
BEFORE = "setuptools"
"""What builds the one package that is published as source only. It is installed first, by the same lock file."""
SOURCE_ONLY = "rouge-score"
KEYS = ("MLFLOW_", "MLGATE_KUBECONFIG", "MLGATE_GITHUB_TOKEN", "MLGATE_KEY", "PROMETHEUS_TOKEN")
"""What begins so may be a secret, and is for mlgate alone."""
RUN = "from mlgate.cli import main; main()"


def main() -> None:
    """Do what the first argument says."""
    verbs = {"key": key, "setup": setup}
    if sys.argv[1:2] == ["run"] and len(sys.argv) > 2:  # noqa: PLR2004 - run and a verb
        run(sys.argv[2:])
    elif len(sys.argv) == 2 and sys.argv[1] in verbs:  # noqa: PLR2004 - the verb alone
        verbs[sys.argv[1]]()
    else:
        die(f"usage: start.py key | setup | run VERB, not {sys.argv[1:]}")


def key() -> None:
    """Say by which key, and from where, the packages are cached."""
    digest = hashlib.sha256(lock().read_bytes()).hexdigest()[:16]
    machine = f"{platform.system()}-{platform.machine()}-py{sys.version_info.major}.{sys.version_info.minor}"
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as out:
        out.write(f"key=mlgate-packages-{machine}-{digest}\nwheels={wheels()}\n")


def setup() -> None:
    """Make the environment where there is none, and say how long it took."""
    began = time.monotonic()
    home().mkdir(parents=True, exist_ok=True)
    with (home() / "lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)  # where several jobs share one home
        there = (python().parent / "ready").exists()
        known = wheels().is_dir()
        if not there:
            make()
        if os.environ.get("MLGATE_REQUIREMENTS"):
            model()
    how = "it was there" if there else "packages from the cache" if known else "packages fetched"
    say(f"mlgate {version()} is set up in {time.monotonic() - began:.1f} s ({how}; Python {platform.python_version()})")


def make() -> None:
    """Make mlgate's environment from the lock file: by hashes, wheels only but for one."""
    folder = python().parent.parent
    shutil.rmtree(folder, ignore_errors=True)
    call(sys.executable, "-I", "-m", "venv", "--without-pip", str(folder))
    first = folder / "first.txt"
    first.write_text(entry(lock().read_text(encoding="utf-8"), BEFORE), encoding="utf-8")
    fetch, source = not wheels().is_dir(), wheels()
    if fetch:
        source = wheels().with_suffix(".arriving")  # what is cut off halfway is no cache
        shutil.rmtree(source, ignore_errors=True)
    for chosen in (first, lock()):  # what builds the one source is there before it is built
        locked = ("--require-hashes", "--no-deps", "--no-build-isolation", "--requirement", str(chosen))
        binary = ("--only-binary", ":all:", "--no-binary", SOURCE_ONLY)
        if fetch:
            pip(python(), "download", "--quiet", "--dest", str(source), *binary, *locked)
        offline = ("--no-index", "--find-links", str(source))
        pip(python(), "install", "--quiet", "--no-compile", *offline, *binary, *locked)
    if fetch:
        source.rename(wheels())
    site = next(folder.glob("lib*/python*/site-packages"))
    shutil.copytree(ROOT / "gate/mlgate", site / "mlgate", ignore=shutil.ignore_patterns("__pycache__"))
    (python().parent / "ready").touch()


def entry(text: str, name: str) -> str:
    """Return one package's lines of a lock file, with its hashes."""
    lines = text.splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(f"{name}=="))
    end = start
    while lines[end].endswith("\\"):
        end += 1
    return "\n".join(lines[start : end + 1]) + "\n"


def model() -> None:
    """Install the model's own requirements into an environment of the model's, not into mlgate's."""
    refuse_strangers()
    wanted = Path(os.environ["MLGATE_REQUIREMENTS"]).absolute()
    if not wanted.is_file():
        die("there is no such requirements file", os.environ["MLGATE_REQUIREMENTS"])
    if not models_python().exists():
        call(sys.executable, "-I", "-m", "venv", "--without-pip", str(models_python().parent.parent))
    pip(models_python(), "install", "--quiet", "-r", str(wanted))


def refuse_strangers() -> None:
    """Refuse a fork's requirements on a machine that outlives the job: installing them runs its code."""
    if os.environ.get("RUNNER_ENVIRONMENT") != "self-hosted" or os.environ.get("MLGATE_ALLOW_FORKS") == "true":
        return
    try:
        event = json.loads(Path(os.environ["GITHUB_EVENT_PATH"]).read_bytes())
        change = event.get("pull_request")
        ours = change is None or change["head"]["repo"]["full_name"] == change["base"]["repo"]["full_name"]
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        ours = False
    if not ours:
        die("a fork's change on a self-hosted machine: run forks on GitHub's, or set `allow-forks: true`", code=5)


def run(arguments: list[str]) -> None:
    """Become mlgate. Isolated: neither the workspace nor PYTHON* variables can put a module in front of ours."""
    if not python().exists():
        die("mlgate is not set up: the step before this one did not run")
    chosen = models_python() if os.environ.get("MLGATE_REQUIREMENTS") else Path(sys.executable)
    os.environ["MLGATE_PYTHON"] = str(chosen)
    os.environ["MLGATE_MODEL_PATH"] = packages_of(chosen)
    for name in [name for name, value in os.environ.items() if name.startswith(KEYS) and not value]:
        del os.environ[name]  # a secret that is not set arrives as an empty text
    os.execv(str(python()), [str(python()), "-I", "-c", RUN, *arguments])  # noqa: S606 - no shell, our own words


@cache
def python() -> Path:
    """Return the interpreter of mlgate's environment: another lock, another interpreter, other code: another one."""
    named = hashlib.sha256(f"{sys.executable}{sys.version}".encode())
    for file in (lock(), *sorted((ROOT / "gate/mlgate").rglob("*.py"))):
        named.update(f"{file.relative_to(ROOT)}\0".encode() + file.read_bytes())
    return home() / named.hexdigest()[:16] / "bin" / "python"


def models_python() -> Path:
    """Return the interpreter of the environment with the model's own requirements."""
    return home() / "model" / "bin" / "python"


def packages_of(interpreter: Path) -> str:
    """Return the folders of an interpreter's packages: what the model's own tests may import."""
    asks = "import os, sysconfig as s; print(os.pathsep.join({s.get_path('purelib'), s.get_path('platlib')}))"
    done = subprocess.run([str(interpreter), "-I", "-c", asks], capture_output=True, text=True, check=False)  # noqa: S603 - our own words, no shell
    return done.stdout.strip()


def lock() -> Path:
    """Return the lock file that was chosen."""
    chosen = os.environ.get("MLGATE_PACKAGES") or "base"
    if chosen not in LOCKS:
        die(f"the input `packages` is {chosen[:40]!r}: write base, mlflow, deploy or all")
    return ROOT / "requirements" / LOCKS[chosen]


def wheels() -> Path:
    """Return the folder of packages as they were downloaded; each is checked by its hash when it is installed."""
    return home() / f"wheels-{lock().stem}"


def home() -> Path:
    """Return the folder for environments: the job's own, so that nothing of it meets another job."""
    given = os.environ.get("MLGATE_HOME") or str(Path(os.environ.get("RUNNER_TEMP") or ".") / "mlgate")
    return Path(given).absolute()


def version() -> str:
    """Return mlgate's version, as it is written beside this file."""
    text = (ROOT / "gate/mlgate/__init__.py").read_text(encoding="utf-8")
    return text.partition('__version__ = "')[2].partition('"')[0]


def pip(interpreter: Path, *arguments: str) -> None:
    """Run this interpreter's own pip for another one's environment."""
    quiet = ("--disable-pip-version-check", "--no-input")
    call(sys.executable, "-I", "-m", "pip", "--python", str(interpreter), *quiet, *arguments)


def call(*command: str) -> None:
    """Run a command to its end, or end with its output. Never in the workspace: a change could put modules there."""
    env = {name: value for name, value in os.environ.items() if not name.startswith(KEYS)}  # what is built may look
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=home(), env=env)  # noqa: S603 - no shell
    if done.returncode:
        print(done.stdout, done.stderr, sep="\n", file=sys.stderr)
        last = (done.stderr.strip() or done.stdout.strip() or "no word").splitlines()[-1]
        die(f"setting up failed: {last[:300]}")


def say(text: str) -> None:
    """Print a line."""
    print(text, flush=True)


def die(message: str, file: str = "", *, code: int = 2) -> None:
    """End with an error that GitHub shows: by default 2, for nothing was measured."""
    escaped = message.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    place = file.replace("%", "%25").replace(",", "%2C").replace(":", "%3A").replace("\r", "").replace("\n", "")
    say(f"::error {f'file={place},' if place else ''}title=mlgate::{escaped}")
    if summary := os.environ.get("GITHUB_STEP_SUMMARY"):
        with Path(summary).open("a", encoding="utf-8", errors="backslashreplace") as page:
            page.write(f"### \u2298 ERRORED: mlgate was not set up\n\n    {' '.join(message.split())}\n")
    sys.exit(code)


if __name__ == "__main__":
    if sys.version_info < (3, 11):  # noqa: UP036 - the interpreter is the user's, and may be any
        die(f"mlgate needs Python 3.11 or newer, and python3 is {platform.python_version()}: use actions/setup-python")
    main()
