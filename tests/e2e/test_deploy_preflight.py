"""Ten mistakes in a manifest: each is told with its place and the next step, and `--fix` mends what it can."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from tests.conftest import Golden
from tests.support.deploy_project import REPOSITORY, DeployProject, image

from mlgate.cli.group import invoke

MANIFEST = f"""\
# The summarizer, as somebody wrote it in a hurry.
apiVersion: serving.kserve.io/v1beta1
kind: InferenceService
metadata:
  name: summarizer
  annotations:
    serving.kserve.io/enable-prometheus-scraping: "true"
spec:
  predictor:
    minReplicas: 1
    canaryTrafficPercent: 10         # "to be careful"
    containers:
      - name: kserve-container
        image: {REPOSITORY}:main
        resources:
          requests: {{memory: 512Mi}}
          limits: {{memory: 512Mi, nvidia.com/gpu: 1}}
        readinessProbe: {{tcpSocket: {{port: 8080}}}}
        startupProbe: {{httpGet: {{path: /v2/health/ready, port: 8080}}, periodSeconds: 10, failureThreshold: 3}}
      - name: proxy
        image: envoyproxy/envoy:latest
        resources: {{limits: {{memory: 64Mi}}}}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> DeployProject:
    monkeypatch.chdir(tmp_path)
    made = DeployProject(Path(), "summarizer", "models", gateway={"name": "kserve/gate"}, steps=[5, 25, 100])
    made.judged(image("1"), memory_mb=900, load_s=45)
    (tmp_path / "manifest.yaml").write_text(MANIFEST)
    return made


def said(capfd: pytest.CaptureFixture[str]) -> str:
    out, err = capfd.readouterr()
    return out + err


def test_ten_mistakes_and_what_is_left_after_fix(
    project: DeployProject, golden: Golden, capfd: pytest.CaptureFixture[str]
) -> None:
    assert invoke(["deploy", "--dry-run"]) == 2
    golden("reports/deploy_mistakes.txt", said(capfd))
    assert invoke(["deploy", "--fix"]) == 2
    golden("reports/deploy_fixed.txt", said(capfd))
    golden("reports/deploy_fixed_manifest.yaml", (project.folder / "manifest.yaml").read_text())


def test_comments_and_everything_sound_stay_as_they_were(project: DeployProject) -> None:
    invoke(["deploy", "--fix"])
    text = (project.folder / "manifest.yaml").read_text()
    assert text.startswith("# The summarizer, as somebody wrote it in a hurry.\n")
    assert "image: envoyproxy/envoy:latest" in text
    before = (project.folder / "manifest.yaml").read_text()
    invoke(["deploy", "--fix"])
    assert (project.folder / "manifest.yaml").read_text() == before


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "the manifest is empty"),
        ("kind: [", "it is not YAML"),
        ("a: 1\n---\n- 1\n", "manifest.yaml:3:1: a document must be an object"),
        ("apiVersion: v1\nkind: Secret\n", "has a Secret"),
    ],
)
def test_a_manifest_that_is_none_is_told_with_its_place(
    project: DeployProject, text: str, says: str, capfd: pytest.CaptureFixture[str]
) -> None:
    (project.folder / "manifest.yaml").write_text(text)
    assert invoke(["deploy", "--dry-run"]) == 2
    assert says in said(capfd)


def test_a_file_without_a_deploy_section_says_how_to_add_one(
    project: DeployProject, capfd: pytest.CaptureFixture[str]
) -> None:
    written = yaml.safe_load(project.config.read_text())
    del written["deploy"]
    project.config.write_text(yaml.safe_dump(written))
    for words in (["deploy"], ["status"], ["reconcile"]):
        assert invoke(words) == 2
        assert "there is no `deploy` section" in said(capfd)
