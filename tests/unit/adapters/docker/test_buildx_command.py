"""What buildx is told."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from mlgate.adapters.docker import image_build
from mlgate.adapters.docker.buildx_command import Cache, Order, command, output, sources, targets
from mlgate.adapters.docker.image_build import Recipe
from mlgate.core.errors import ConfigError

RECIPE = Recipe(Path("/ctx"), tag="m:candidate")
REF = "ghcr.io/acme/summarizer:buildcache"


def told(order: Order) -> list[str]:
    return command(("buildx",), order, Path("/m.json"))


def test_no_value_becomes_an_option_of_its_own() -> None:
    recipe = Recipe(Path("/ctx"), dockerfile="-f", args={"A": "--network=host"}, target="-rf", tag="m:1")
    line = told(Order(recipe))
    assert line[:2] == ["buildx", "build"]
    assert line[-2:] == ["--", "/ctx"]
    assert {"--build-arg=A=--network=host", "--target=-rf", "--file=/ctx/-f"} <= set(line)
    assert all(word.startswith("--") for word in line[2:-1])


@pytest.mark.parametrize(
    "name", ["-x", "--push", "A:1", "a b", "a,push=true", 'a"b', "a:1@sha256:00", "a\nb", "a/", "a::1"]
)
def test_what_is_no_image_name_is_refused(name: str) -> None:
    with pytest.raises(ConfigError, match=r"push: .* no image's name"):
        Order(RECIPE, push=name)
    with pytest.raises(ConfigError, match=r"tag: .* no image's name"):
        Order(Recipe(Path("/ctx"), tag=name))
    with pytest.raises(ConfigError, match=r"cache: .* no image's name"):
        Order(RECIPE, Cache("registry", name))


@pytest.mark.parametrize("name", ["m", "m:PR-7", "localhost:5000/a/b", "ghcr.io/a/b__c:1.0", "127.0.0.1:5/x-y.z"])
def test_image_names_are_taken(name: str) -> None:
    assert Order(RECIPE, push=name).repository == name.removesuffix(":PR-7").removesuffix(":1.0")


@pytest.mark.parametrize("word", ["-x", "a,b", "a b", "", "x" * 129])
def test_a_scope_and_a_builder_are_one_word(word: str) -> None:
    with pytest.raises(ConfigError, match="no scope's name"):
        Order(RECIPE, Cache("gha", word))
    if word:
        with pytest.raises(ConfigError, match="no builder's name"):
            Order(RECIPE, builder=word)


def test_a_pushed_image_without_a_tag_has_its_digest_alone() -> None:
    assert output(Order(RECIPE, push="r/m:pr")) == "type=image,name=r/m:pr,push=true"
    assert output(Order(RECIPE, push="r/m")) == "type=image,name=r/m,push=true,push-by-digest=true,name-canonical=true"


def test_an_image_goes_into_the_engine_unless_it_is_told_otherwise() -> None:
    assert output(Order(RECIPE)) == "type=docker,name=m:candidate"


def test_a_comma_in_a_path_begins_no_field() -> None:
    archive = Path('/a,push=true/"x".tar')
    (fields,) = csv.reader([output(Order(RECIPE, archive=archive))])
    assert fields == ["type=docker", "name=m:candidate", f"dest={archive}"]
    (fields,) = csv.reader(targets(Cache("local", "/a,mode=min", write=True)))
    assert "dest=/a,mode=min" in fields


def test_layers_are_read_always_and_written_only_when_asked() -> None:
    assert sources(Cache("registry", REF)) == [f"type=registry,ref={REF}"]
    assert targets(Cache("registry", REF)) == []
    assert targets(Cache("registry", REF, write=True)) == [
        f"type=registry,ref={REF},mode=max,image-manifest=true,ignore-error=true"
    ]
    assert sources(Cache("gha", "m-linux-amd64")) == ["type=gha,scope=m-linux-amd64"]
    assert targets(Cache("gha", "m-linux-amd64", write=True)) == [
        "type=gha,scope=m-linux-amd64,mode=max,ignore-error=true"
    ]
    assert (sources(Cache("inline", REF)), targets(Cache("inline", REF, write=True))) == (
        [f"type=registry,ref={REF}"],
        ["type=inline"],
    )
    assert (sources(Cache()), targets(Cache(write=True))) == ([], [])


def test_a_folder_without_layers_is_not_read(tmp_path: Path) -> None:
    assert sources(Cache("local", str(tmp_path))) == []
    (tmp_path / "index.json").write_text("{}")
    assert sources(Cache("local", str(tmp_path))) == [f"type=local,src={tmp_path}"]


def test_only_what_is_pushed_is_attested_and_nothing_else_says_when_it_was_built() -> None:
    assert {"--provenance=mode=max", "--sbom=true"} <= set(told(Order(RECIPE, push="r/m", attest=True)))
    assert "--provenance=false" in told(Order(RECIPE, push="r/m"))
    with pytest.raises(ConfigError, match="pushed can be attested"):
        Order(RECIPE, attest=True)


def test_a_check_reads_the_same_layers_as_a_build_and_writes_none(tmp_path: Path) -> None:
    recipe = Recipe(tmp_path, cache="ghcr.io/acme/m:buildcache")
    words = image_build.command("docker", recipe, tmp_path / "id")
    assert "--cache-from=type=registry,ref=ghcr.io/acme/m:buildcache" in words
    assert not [word for word in words if word.startswith("--cache-to")]
    assert not [word for word in image_build.command("docker", Recipe(tmp_path), tmp_path / "id") if "cache" in word]
