"""Layers between machines: a BuildKit that never built anything, a registry, an image as big as a model's."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tarfile
import urllib.error
import urllib.request
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.support.builders import CONFIG, Done, Workshop, change_code, project, python_base, workshop
from tests.support.child_environment import child_environment
from tests.support.waiting import PATIENCE, alive, until

pytestmark = pytest.mark.needs_buildkit

LARGE = 300_000_000
"""Bytes: what the dependencies of a model have at least."""


@dataclass(frozen=True)
class Site:
    """A workshop, and the base image in its registry."""

    shop: Workshop
    base: str

    def name(self, what: str) -> str:
        return f"{self.shop.registry}/acme/{what}"

    def small(self, folder: Path, dockerfile: str, *, cache: str = "") -> Path:
        """Write a project whose image is built in no time."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "Dockerfile").write_text(f"ARG BASE\nFROM ${{BASE}}\n{dockerfile}")
        (folder / "code.py").write_text("print('one')\n")
        (folder / "data.jsonl").write_text('{"id": "a", "input": "One.", "reference": "One."}\n')
        place = cache or self.name(f"{folder.name}:buildcache")
        (folder / "mlgate.yaml").write_text(CONFIG.format(base=self.base, cache=place))
        return folder

    def manifest(self, image: str) -> dict[str, Any]:
        """Return what the registry has of `name@sha256:…`."""
        name, _, digest = image.partition("@")
        path = name.partition("/")[2]
        request = urllib.request.Request(f"http://{self.shop.registry}/v2/{path}/manifests/{digest}")
        request.add_header("Accept", "application/vnd.oci.image.manifest.v1+json")
        with urllib.request.urlopen(request, timeout=PATIENCE) as said:  # noqa: S310
            found: dict[str, Any] = json.load(said)
        return found


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("workshop")
    with workshop(folder) as shop:
        yield Site(shop, python_base(shop))
    shutil.rmtree(folder, ignore_errors=True)


def image(done: Done) -> str:
    assert done.code == 0, done.err
    found = re.search(r"^  image    (\S+)$", done.out, re.MULTILINE)
    assert found
    return found[1]


def test_a_change_of_code_builds_one_layer_on_a_machine_that_never_built(site: Site, tmp_path: Path) -> None:
    shop, name = site.shop, site.name("summarizer")
    model = project(tmp_path / "model", site.base, f"{name}:buildcache")
    assert unpacked(model / "wheels") > LARGE

    shop.cold()
    before = shop.mlgate("build", "--push", name, "--write-cache", cwd=model)
    old = [layer["digest"] for layer in site.manifest(image(before))["layers"]]
    assert before.cached == (0, 5)

    shop.cold()
    change_code(model, "a pull request")
    after = shop.mlgate("build", "--push", name, cwd=model)
    new = [layer["digest"] for layer in site.manifest(image(after))["layers"]]
    assert after.cached == (4, 5)
    assert new[:-1] == old[:-1]
    assert new[-1] != old[-1]
    ratio = after.seconds / before.seconds
    print(f"\n{ratio:.1%}: {before.seconds} s without cached layers, {after.seconds} s after a change of code")  # noqa: T201 - asked for


def unpacked(wheels: Path) -> int:
    return sum(info.file_size for wheel in wheels.glob("*.whl") for info in zipfile.ZipFile(wheel).infolist())


def test_an_unchanged_tree_is_the_same_image_on_another_machine(site: Site, tmp_path: Path) -> None:
    model = site.small(tmp_path / "same", "WORKDIR /app\nCOPY --link code.py /app/\n")
    first = site.shop.mlgate("build", "--push", site.name("same"), "--write-cache", cwd=model)
    site.shop.cold()
    os.utime(model / "code.py", (1_000_000_000, 1_000_000_000))  # checked out anew
    second = site.shop.mlgate("build", "--push", site.name("same"), cwd=model)
    assert second.cached == (2, 2)
    assert image(second) == image(first)


def test_a_date_that_changes_with_each_commit_makes_all_behind_workdir_anew(site: Site, tmp_path: Path) -> None:
    """Why mlgate sets no SOURCE_DATE_EPOCH: BuildKit makes it a part of WORKDIR's cache key."""
    model = site.small(tmp_path / "dated", 'WORKDIR /app\nRUN --network=none ["python", "-c", "1"]\n')

    def cached(date: str) -> tuple[int, int]:
        done = site.shop.mlgate("build", "--push", site.name("dated"), cwd=model, env={"SOURCE_DATE_EPOCH": date})
        return done.cached

    cached("1000000000")
    assert cached("1000000000") == (2, 2)
    assert cached("1000000001") == (0, 2)


def test_a_tag_that_is_given_is_pushed_and_without_one_there_is_only_the_digest(site: Site, tmp_path: Path) -> None:
    model = site.small(tmp_path / "tagged", "COPY code.py /\n")
    name = site.name("tagged")
    built = image(site.shop.mlgate("build", "--push", name, cwd=model))
    assert re.fullmatch(rf"{re.escape(name)}@sha256:[0-9a-f]{{64}}", built)
    assert tags(site, "tagged") in ([], None)
    assert image(site.shop.mlgate("build", "--push", f"{name}:pr-7", cwd=model)) == built
    assert tags(site, "tagged") == ["pr-7"]


def tags(site: Site, name: str) -> list[str] | None:
    try:
        with urllib.request.urlopen(f"http://{site.shop.registry}/v2/acme/{name}/tags/list", timeout=PATIENCE) as said:
            found: list[str] | None = json.load(said)["tags"]
    except urllib.error.HTTPError:
        return None
    return found


def test_an_archive_holds_the_image_that_is_named(site: Site, tmp_path: Path) -> None:
    model = site.small(tmp_path / "archived", "COPY code.py /\n")
    done = site.shop.mlgate("build", "--archive", "a, b.tar", "--tag", "m:1", cwd=model)
    with tarfile.open(model / "a, b.tar") as tar:
        (listed,) = json.load(tar.extractfile("manifest.json") or sys.stdin)
    assert listed["RepoTags"] == ["m:1"]
    assert image(done) == f"sha256:{Path(listed['Config']).name.removesuffix('.json')}"


@pytest.mark.parametrize("kind", ["registry", "inline", "local"])
def test_every_cache_serves_a_machine_that_never_built(kind: str, site: Site, tmp_path: Path) -> None:
    name = site.name(f"by-{kind}")
    place = f"{name}:main" if kind == "inline" else f"{name}:buildcache"
    model = site.small(tmp_path / kind, "COPY mlgate.yaml /\nCOPY --link code.py /\n", cache=place)
    given = ["--cache", f"local:{tmp_path}/layers, of all" if kind == "local" else kind]
    site.shop.mlgate("build", "--push", f"{name}:main", *given, "--write-cache", cwd=model)
    site.shop.cold()
    (model / "code.py").write_text("print('two')\n")
    assert site.shop.mlgate("build", "--push", name, *given, cwd=model).cached == (1, 2)
    site.shop.cold()
    assert site.shop.mlgate("build", "--push", name, "--cache", "none", cwd=model).cached == (0, 2)


def test_a_cache_that_was_never_written_and_cannot_be_is_told_and_fails_nothing(site: Site, tmp_path: Path) -> None:
    model = site.small(tmp_path / "absent", "COPY code.py /\n", cache="127.0.0.1:9/acme/none:buildcache")
    done = site.shop.mlgate("build", "--push", site.name("absent"), "--write-cache", cwd=model)
    assert done.code == 0
    assert "  but      importing cache manifest from 127.0.0.1:9/acme/none:buildcache: " in done.out
    assert "exporting cache to registry: " in done.out


def test_a_step_that_fails_is_shown_with_its_last_words_made_harmless(site: Site, tmp_path: Path) -> None:
    code = "print('::set-output name=image::sha256:0'); print(chr(27) + '[2Jthe wheel is missing'); raise SystemExit(3)"
    model = site.small(tmp_path / "failing", f'RUN --network=none ["python", "-c", "{code}"]\n')
    summary, handed = tmp_path / "summary.md", tmp_path / "outputs"
    here = {"GITHUB_ACTIONS": "true", "GITHUB_STEP_SUMMARY": str(summary), "GITHUB_OUTPUT": str(handed)}
    done = site.shop.mlgate("build", "--push", site.name("failing"), cwd=model, env=here)
    assert done.code == 3
    assert "the wheel is missing" in done.err
    assert "exit code: 3" in done.err
    assert "\x1b" not in done.err
    assert not re.search(r"^\s*::", done.err, re.MULTILINE)
    assert "the wheel is missing" in summary.read_text()
    assert not handed.exists()


def test_a_dockerfile_that_cannot_be_read_is_told_by_its_line(site: Site, tmp_path: Path) -> None:
    model = site.small(tmp_path / "odd", "BOGUS x\n")
    done = site.shop.mlgate("build", "--push", site.name("odd"), cwd=model)
    assert (done.code, "unknown instruction: BOGUS" in done.err) == (3, True)


def test_a_base_that_is_not_there_is_told(site: Site, tmp_path: Path) -> None:
    model = site.small(tmp_path / "baseless", "COPY code.py /\n")
    text = (model / "mlgate.yaml").read_text().replace(site.base, f"{site.shop.registry}/library/absent:1")
    (model / "mlgate.yaml").write_text(text)
    done = site.shop.mlgate("build", "--push", site.name("baseless"), cwd=model)
    assert (done.code, "library/absent:1: not found" in done.err) == (3, True)


def test_a_workflows_step_hands_on_the_digest_and_the_cached_share(site: Site, tmp_path: Path) -> None:
    model = site.small(tmp_path / "handed", "COPY mlgate.yaml /\nCOPY code.py /\n")
    summary, handed = tmp_path / "summary.md", tmp_path / "outputs"
    here = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(summary),
        "GITHUB_OUTPUT": str(handed),
        "MLGATE_PUSH": site.name("handed"),
        "MLGATE_WRITE_CACHE": "false",
        "MLGATE_TAG": "",
    }
    done = site.shop.mlgate("build", cwd=model, env=here)
    (model / "code.py").write_text("print('two')\n")
    handed.unlink()
    done = site.shop.mlgate("build", cwd=model, env=here)
    outputs = dict(line.partition("=")[::2] for line in handed.read_text().splitlines())
    assert outputs["image"] == image(done)
    assert outputs["image"].endswith(f"@{outputs['digest']}")
    assert (outputs["cached"], outputs["seconds"].isdecimal()) == ("50", True)
    assert "1 of 2 steps cached (50 %)" in summary.read_text()


def test_a_build_that_is_broken_off_leaves_no_process(site: Site, tmp_path: Path) -> None:
    model = site.small(tmp_path / "long", 'RUN --network=none ["python", "-c", "import time; time.sleep(600)"]\n')
    words = [sys.executable, "-c", "from mlgate.cli import main; main()", "build", "--push", site.name("long")]
    with (tmp_path / "said").open("wb") as said:
        gate = subprocess.Popen(words, cwd=model, env=site.shop.env, stdout=said, stderr=said)
    until(lambda: b"building: " in (tmp_path / "said").read_bytes())  # told every few seconds: it runs
    children = [int(pid) for pid in Path(f"/proc/{gate.pid}/task/{gate.pid}/children").read_text().split()]
    assert children
    gate.send_signal(signal.SIGTERM)
    assert gate.wait(PATIENCE) == 143
    until(lambda: not any(alive(pid) for pid in children))


@pytest.mark.needs_docker
def test_an_image_for_the_engine_is_known_to_it_by_its_id(site: Site, tmp_path: Path) -> None:
    model = site.small(tmp_path / "loaded", "COPY code.py /\n")
    (model / "Dockerfile").write_text("FROM scratch\nCOPY code.py /\n")
    done = site.shop.mlgate("build", "--tag", "mlgate-test-loaded:1", "--cache", "none", cwd=model)
    asked = ["docker", "image", "inspect", "--format", "{{.Id}}", "mlgate-test-loaded:1"]
    known = subprocess.run(asked, capture_output=True, text=True, check=True, env=child_environment()).stdout.strip()
    subprocess.run(["docker", "rmi", "mlgate-test-loaded:1"], capture_output=True, check=True, env=child_environment())
    assert image(done) == known
