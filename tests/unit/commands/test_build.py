"""`mlgate build`, up to where a builder is needed."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlgate.cli.group import invoke

CONFIG = """\
version: 1
model:
  name: My Summarizer
  {model}
checks:
  summaries: {{data: data.jsonl, rules: {{rougeL: {{min: 0.1}}}}}}
"""
BUILT = "image: {{build: {}, protocol: kserve-v1}}"


def mlgate(folder: Path, model: str, *options: str) -> int:
    (folder / "mlgate.yaml").write_text(CONFIG.format(model=model))
    return invoke(["build", "-c", str(folder / "mlgate.yaml"), *options])


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Be at a desk without programs and without GitHub."""
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    for name in ("ACTIONS_RUNTIME_TOKEN", "ACTIONS_RESULTS_URL", "GITHUB_ACTIONS"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(
    ("model", "place", "hint"),
    [
        ("python: model:answer", ":2:1: the model is no image", "write model: {image: {build: .}}"),
        ("image: {ref: 'm:pr', protocol: kserve-v1}", ":4:16: the model's image is there", "write build: . in place"),
        (BUILT.format("."), ":4:18: there is no Dockerfile", "write it, or name it"),
    ],
)
def test_what_cannot_be_built_is_told_with_its_place_and_the_next_step(
    model: str, place: str, hint: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlgate(tmp_path, model) == 2
    said = capsys.readouterr().err
    assert place in said
    assert hint in said


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--cache", "registry"], "--cache registry needs a place for layers"),
        (["--cache", "inline"], "--cache inline needs a place for layers"),
        (["--cache", "gha"], "needs ACTIONS_RUNTIME_TOKEN and ACTIONS_RESULTS_URL"),
        (["--cache", "local:"], "'local:' is none of registry, gha, inline, none and local:DIR"),
        (["--cache", "s3"], "'s3' is none of"),
        (["--write-cache"], "there is no cache to write"),
        (["--cache", "none", "--write-cache"], "there is no cache to write"),
        (["--attest"], "only an image that is pushed can be attested"),
        (["--push", "r/m", "--tag", "m:1"], "--push names the image and where it goes"),
        (["--push", "r/m", "--archive", "x.tar"], "--push names the image and where it goes"),
        (["--push", "$(id)"], "push: '$(id)' is no image's name"),
        (["--tag=-rf"], "tag: '-rf' is no image's name"),
        (["--builder=--config=x"], "builder: '--config=x' is no builder's name"),
    ],
)
def test_options_that_make_no_sense_are_told(
    options: list[str], says: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    assert mlgate(tmp_path, BUILT.format("."), *options) == 2
    assert says in capsys.readouterr().err


def test_a_machine_without_buildx_says_what_to_install(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    assert mlgate(tmp_path, BUILT.format("."), "--tag", "m:1") == 2
    assert "next: install docker-buildx-plugin" in capsys.readouterr().err


@pytest.mark.parametrize(
    "place", ["ghcr.io/acme/summarizer:buildcache", "127.0.0.1:5000/a/b", "registry:5000/a__b/c-d.e:V1"]
)
def test_a_place_for_layers_is_a_name_in_a_registry(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    assert mlgate(tmp_path, BUILT.format(f"{{context: ., cache: '{place}'}}")) == 2
    assert "needs buildx" in capsys.readouterr().err


@pytest.mark.parametrize(
    "place", ["summarizer", "-x/y", "https://ghcr.io/a/b", "ghcr.io/A/b", "r/m,mode=min", "r/m@sha256:00", "r/m x"]
)
def test_another_place_for_layers_is_refused_where_it_is_written(
    place: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert mlgate(tmp_path, BUILT.format(f"{{context: ., cache: '{place}'}}")) == 2
    assert "mlgate.yaml:4:38: model.image.build.cache is no name in a registry" in capsys.readouterr().err


def test_a_build_does_not_take_the_name_of_the_baseline(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    text = CONFIG.format(model=BUILT.format(".")) + "baseline: {from: image, ref: 'my-summarizer:candidate'}\n"
    (tmp_path / "mlgate.yaml").write_text(text)
    assert invoke(["build", "-c", str(tmp_path / "mlgate.yaml")]) == 5
    assert "which is the baseline's name" in capsys.readouterr().err
