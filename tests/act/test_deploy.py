"""From a merge to production and back: workflows-examples/ as a user copies them, to a real cluster with KServe.

Real BuildKit, registry, engine, Kubernetes API, KServe, gateway and Prometheus; GitHub's API is a fake that holds every
call against GitHub's own description.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.act.conftest import Act
from tests.act.consumer import Consumer
from tests.act.project import EXAMPLES, rows, write
from tests.act.ran import Ran
from tests.act.runner import TOKEN
from tests.act.site import Site, opened
from tests.act.staging import readable
from tests.support import fake_github, rollout_cluster
from tests.support.deploy_project import image, inference_service
from tests.support.fake_github import FakeGithub, states
from tests.support.images import SERVER
from tests.support.rollout_cluster import Place, place
from tests.support.users import Way, asking
from tests.support.waiting import until

from mlgate.config.load import load
from mlgate.wiring.mlflow import Mlflow

pytestmark = [
    pytest.mark.needs_act,
    pytest.mark.needs_buildkit,
    pytest.mark.needs_docker,
    pytest.mark.needs_openapi,
    pytest.mark.needs_reachable_cluster,
]

WORKFLOWS = ".github/workflows"


@dataclass(frozen=True)
class Team:
    """A repository, the cluster that it deploys to, and what GitHub shows."""

    act: Act
    consumer: Consumer
    site: Site
    place: Place
    github: FakeGithub

    def merged(self, **server: str) -> Ran:
        """Merge a change, and let deploy.yml run."""
        self.change(**server)
        return self.run("deploy.yml", self.consumer.push())

    def change(self, **server: str) -> None:
        """Commit a model on main that is served with these variables."""
        manifest = inference_service(**server)
        container = manifest["spec"]["predictor"]["containers"][0]
        container["image"] = f"{self.site.image}:main"
        self.consumer.checkout("main")
        files = {"model.py": SERVER.format(code=""), "deploy/summarizer.yaml": yaml.safe_dump(manifest)}
        gate = yaml.safe_load((self.consumer.root / "mlgate.yaml").read_text())
        if self.place.record.accepted is not None:  # nobody asks a service that has no model yet
            gate["deploy"]["analysis"] = analysis()
        write(self.consumer, {**files, "mlgate.yaml": yaml.safe_dump(gate)}, "a change")

    def judged(self, image: str, **more: Any) -> Ran:
        """Let deploy.yml bring an image to the cluster that was judged before."""
        project = self.place.project
        project.judged(image)
        kept = project.folder / ".mlgate"
        digest = json.loads((kept / "verdict.json").read_text())["report_sha256"]
        workflow = JUDGED.replace("FOLDER", str(self.place.project.folder / "kept")).replace("DIGEST", digest)
        shutil.copytree(kept, project.folder / "kept", dirs_exist_ok=True)
        self.consumer.checkout("main")
        names = ("mlgate.yaml", "manifest.yaml", "data.jsonl")
        files = {name: (project.folder / name).read_text() for name in names}
        write(self.consumer, {**files, f"{WORKFLOWS}/judged.yml": workflow}, "a change")
        return self.run("judged.yml", self.consumer.push(), **more)

    def run(self, workflow: str, event: Any, *, env: Mapping[str, str] | None = None, **more: Any) -> Ran:
        env = {**self.site.env, "GITHUB_API_URL": self.github.url, **(env or {})}
        secrets = {"KUBECONFIG": self.kubeconfig}
        return self.act(
            self.consumer,
            event,
            workflow=f"{WORKFLOWS}/{workflow}",
            env=env,
            secrets=secrets,
            **{"edit": offline, **more},
        )

    @property
    def kubeconfig(self) -> str:
        """The text of a kubeconfig that needs no further file, as a secret has it."""
        command = ["kubectl", "config", "view", "--raw", "--flatten", "--minify"]
        env = {"KUBECONFIG": str(self.place.kubeconfig), "PATH": f".cache/cluster/bin:{os.environ['PATH']}"}
        return subprocess.run(command, env=env, check=True, capture_output=True, text=True).stdout

    @property
    def champion(self) -> int:
        """Which version MLflow's champion is; 0: none."""
        return Mlflow.demanded(load(self.consumer.root / "mlgate.yaml")).registry().live("champion")

    @property
    def shown(self) -> list[list[str]]:
        """How each deployment on GitHub went."""
        return [states(one) for one in self.github.deployments]


JUDGED = """\
name: judged
on: push
permissions: {}
jobs:
  judge:
    name: judge
    runs-on: ubuntu-24.04
    steps:
      - uses: actions/upload-artifact@043fb46d1a93c77aae656e7c1c64a875d1fc6a0a # v7.0.1
        with:
          name: mlgate-whole
          path: FOLDER
          if-no-files-found: error
  deploy:
    name: deploy
    needs: judge
    permissions: {contents: read, packages: read, deployments: write}
    uses: org/mlgate/.github/workflows/deploy.yml@0123456789abcdef0123456789abcdef01234567 # v0.1.0
    with:
      image: ''
      verdict: DIGEST
      environment: production
    secrets:
      kubeconfig: ${{ secrets.KUBECONFIG }}
"""
"""A model that was judged before, and whose verdict names its image: deployed without a build."""


def analysis() -> dict[str, Any]:
    prometheus = {"url": os.environ["MLGATE_TEST_PROMETHEUS"], "interval": "1s"}
    return {"prometheus": prometheus, "rules": {"error_rate": {"max": 0.1}, "p95_ms": {"max": 800}}}


def offline(path: str, text: str) -> str:
    """The list of an image's contents is made by an image of a public registry."""
    return (
        text.replace("attest: ${{ inputs.attest }}", "attest: 'false'")
        if path.endswith("workflows/build.yml")
        else text
    )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with opened(tmp_path_factory.mktemp("site"), "modelserver") as one:
        yield one


@pytest.fixture
def team(act: Act, consumer: Consumer, site: Site, tmp_path: Path) -> Iterator[Team]:
    with place("route", tmp_path / "place") as somewhere, fake_github.serving(TOKEN) as github:
        deploy = {
            "service": "summarizer",
            "namespace": somewhere.namespace,
            "mode": "route",
            "manifest": "deploy/summarizer.yaml",
            "gateway": {"name": rollout_cluster.GATEWAY, "hosts": [somewhere.host]},
            "steps": [50, 100],
            "hold": "5s",
            "patience": "1m",
            "deadline": "10m",
        }
        built = {"build": yaml.safe_load(site.build), "protocol": "kserve-v1", "memory": "256MB"}
        load = {"rate": 30, "duration": "2s", "block": "200ms", "warmup": "200ms"}
        gate = {
            "version": 1,
            "model": {"name": "summarizer", "image": built},
            "checks": {
                "notes": {"data": "data.jsonl", "rules": {"rougeL": {"min": 0.6}}},
                "speed": {"kind": "latency", "data": "data.jsonl", "load": load, "rules": {"error_rate": {"max": 0}}},
            },
            "deploy": deploy,
            "tracking": {"mlflow": {"uri": f"sqlite:///{tmp_path / 'mlflow.db'}", "registry": {"name": "summarizer"}}},
        }
        files = {
            f"{WORKFLOWS}/{name}": readable((EXAMPLES / name).read_text())
            for name in ("deploy.yml", "rollback.yml", "watch.yml")
        }
        files[f"{WORKFLOWS}/deploy.yml"] = (
            files[f"{WORKFLOWS}/deploy.yml"]
            .replace("ghcr.io/acme/summarizer", site.image)
            .replace("      tag: production\n", "      tag: production\n      packages: mlflow\n")
        )
        write(
            consumer,
            {**files, "Dockerfile": site.dockerfile, "mlgate.yaml": yaml.safe_dump(gate), "data.jsonl": rows()},
        )
        yield Team(act, consumer, site, somewhere, github)


def test_a_merge_reaches_production_and_a_slower_model_is_taken_back(team: Team) -> None:
    first = team.merged(MODEL_VERSION="one", MODEL_LATENCY="0.05")
    assert first.code == 0, first
    assert team.shown == [["in_progress", "success"]]
    serves = team.place.record.accepted
    assert serves is not None
    assert serves.release.image == f"{team.site.image}@{first.output('image', 'digest')}"
    assert serves.release.commit == team.consumer.sha("main")
    assert (first.artifact("mlgate-rollout") / "rollout.json").is_file()
    assert team.champion == 1
    with asking(os.environ["MLGATE_TEST_GATEWAY"], team.place.host, *[Way()] * 8) as seen:
        until(lambda: seen.answered > 200)
        slower = team.merged(MODEL_VERSION="two", MODEL_LATENCY="1.2")
    assert slower.job("verdict") == "success", slower
    assert slower.job("deploy") == "failure", slower
    assert "rolled back: p95_ms" in slower.log
    assert team.shown[1:] == [["in_progress", "failure"]]
    assert team.github.deployments[1]["statuses"][-1]["description"].startswith("rolled back: p95_ms")
    assert team.place.record.accepted == serves
    assert team.champion == 1
    until(lambda: team.place.is_at_rest(serves.release.image) == "")
    assert not seen.lost


HALF = {"steps": [50, 100], "hold": "5m", "deadline": "20m"}


def test_a_job_that_dies_in_mid_rollout_is_ended_by_the_schedule_once_its_time_is_over(team: Team) -> None:
    first = team.judged(image("1"))
    assert first.code == 0, first
    team.place.project.changed(**HALF | {"hold": "35s", "deadline": "80s"})
    team.place.manifest(MODEL_VERSION="two")
    with pytest.raises(AssertionError, match="act did not end"):
        team.judged(image("2"), hangs_after="holding for 35 s")
    assert team.place.weight == 50
    assert team.shown[1:] == [["in_progress"]]

    def watched() -> Ran:
        return team.run("watch.yml", team.consumer.schedule())

    early = watched()
    assert "a rollout stopped half-way; after its deadline" in early.log, early
    assert "`deploy` has no rules for users' requests, and no checks" in early.log, "there is nothing to watch by"
    assert team.place.weight == 50
    rollout = team.place.record.rollout
    assert rollout is not None
    until(lambda: time.time() > rollout.plan.deadline)
    late = watched()
    assert "rolled back: " in late.log, late
    assert team.shown[1:] == [["in_progress", "in_progress", "failure"]]
    until(lambda: team.place.is_at_rest(image("1")) == "")


def test_a_step_that_is_killed_leaves_the_rollout_to_the_next_one(team: Team) -> None:
    first = team.judged(image("1"))
    assert first.code == 0, first
    team.place.project.changed(**HALF)
    team.place.manifest(MODEL_VERSION="two")
    with killed_once_it_holds(team):
        ran = team.judged(image("2"))
    assert ran.job("deploy") == "failure", ran
    assert "rolled back: its process is gone" in ran.log, ran
    assert team.shown[1:] == [["in_progress", "in_progress", "failure"]]
    until(lambda: team.place.is_at_rest(image("1")) == "")


@contextmanager
def killed_once_it_holds(team: Team) -> Iterator[None]:
    """Kill the process that deploys when its candidate has half of the traffic."""

    def kill() -> None:
        until(lambda: team.place.record.rollout is not None and team.place.weight == 50)
        (pid,) = (one for one in Path("/proc").glob("[0-9]*") if deploys(one, team.consumer.folder))
        os.kill(int(pid.name), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    yield
    killer.join()


def deploys(process: Path, folder: Path) -> bool:
    """Whether a process is the deploy of a workflow that runs in *folder*."""
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
        own = str(folder).encode() in (process / "environ").read_bytes()
    except OSError:
        return False
    return own and words[-2:-1] == [b"deploy"]


def test_a_button_goes_back_to_the_model_before(team: Team) -> None:
    for digit in "12":
        team.place.manifest(MODEL_VERSION=digit)
        ran = team.judged(image(digit))
        assert ran.code == 0, ran
    back = team.run("rollback.yml", team.consumer.dispatch())
    assert back.code == 0, back
    assert "went back: summarizer is summarizer-" in back.log
    assert [one[-1] for one in team.shown] == ["inactive", "inactive", "success"]
    until(lambda: team.place.is_at_rest(image("1")) == "")


def test_a_verdict_that_another_job_put_in_its_place_is_refused(team: Team) -> None:
    team.place.project.judged(image("1"))
    ran = team.judged(
        image("1"), edit=lambda path, text: offline(path, text).replace("${{ inputs.verdict }}", "f" * 64)
    )
    assert ran.job("deploy") == "failure", ran
    assert "the verdict is another one than ffffffffffff…" in ran.log, ran
    assert team.shown == []


def test_what_passed_is_rendered_into_a_branch_for_another_tool(team: Team) -> None:
    consumer, page = team.consumer, EXAMPLES / "gitops.yml"
    write(consumer, {f"{WORKFLOWS}/gitops.yml": page.read_text().replace("ghcr.io/acme/summarizer", team.site.image)})
    gate = yaml.safe_load((consumer.root / "mlgate.yaml").read_text())
    write(consumer, {"mlgate.yaml": yaml.safe_dump({name: gate[name] for name in gate if name != "tracking"})})
    nothing = consumer.git("hash-object", "-t", "tree", "-w", "/dev/null")
    consumer.git("branch", "production", consumer.git("commit-tree", "-m", "empty", nothing))
    team.change(MODEL_VERSION="one")
    github = {
        "GIT_CONFIG_COUNT": "1",
        "GIT_CONFIG_KEY_0": f"url.{consumer.root.as_uri()}.insteadOf",
        "GIT_CONFIG_VALUE_0": f"https://x-access-token:{TOKEN}@github.com/acme/model",
    }
    ran = team.run("gitops.yml", consumer.push(), env=github)
    assert ran.code == 0, ran
    deployed = f"{team.site.image}@{ran.output('image', 'digest')}"
    assert consumer.git("grep", "--name-only", deployed, "production", "--", "summarizer/inferenceservice-*.yaml")
    assert consumer.git("log", "--format=%s", "-1", "production") == f"summarizer: {consumer.sha('main')}"
