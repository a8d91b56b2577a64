from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from tests.support.child_environment import child_environment

from mlgate.adapters.models import python_source
from mlgate.adapters.models.python_source import source_digest


def package(root: Path) -> Path:
    (root / "pkg").mkdir(parents=True)
    (root / "pkg/__init__.py").write_text("")
    (root / "pkg/weights.bin").write_bytes(b"w" * 1000)
    return root / "pkg"


def digest(root: Path) -> str:
    return source_digest("pkg:answer", root)


def test_a_module_that_the_model_imports_from_beside_it_changes_the_digest(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("import json, words\n")
    (tmp_path / "words.py").write_text("from deeper.down import x\n")
    (tmp_path / "deeper").mkdir()
    (tmp_path / "deeper/down.py").write_text("x = 1\n")
    seen = {source_digest("model:answer", tmp_path)}
    for name in ("words.py", "deeper/down.py"):
        (tmp_path / name).write_text((tmp_path / name).read_text() + "# changed\n")
        seen.add(source_digest("model:answer", tmp_path))
    assert len(seen) == 3


def test_a_file_that_the_model_does_not_import_changes_nothing(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("import json\n")
    before = source_digest("model:answer", tmp_path)
    (tmp_path / "test_model.py").write_text("import model\n")
    assert source_digest("model:answer", tmp_path) == before


def test_modules_that_import_each_other_or_are_no_python_still_have_a_digest(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text("import other\n")
    (tmp_path / "other.py").write_text("import model\nthis is no python\n")
    assert len(source_digest("model:answer", tmp_path)) == 64
    (tmp_path / "other.py").write_bytes(b"import model\0" + b"(" * 100_000)
    assert len(source_digest("model:answer", tmp_path)) == 64


def test_weights_in_the_models_package_change_the_digest(tmp_path: Path) -> None:
    place = package(tmp_path)
    seen = {digest(tmp_path)}
    for change in (
        lambda: (place / "weights.bin").write_bytes(b"v" * 1000),
        lambda: (place / "weights.bin").rename(place / "other.bin"),
        (place / "other.bin").unlink,
        lambda: (place / "words.txt").write_text(""),
    ):
        change()
        seen.add(digest(tmp_path))
    assert len(seen) == 5


def test_a_package_without_an_init_file_counts_as_a_whole_too(tmp_path: Path) -> None:
    place = package(tmp_path)
    (place / "__init__.py").unlink()
    before = digest(tmp_path)
    (place / "weights.bin").write_bytes(b"v" * 1000)
    assert digest(tmp_path) != before


def test_what_a_link_to_a_folder_leads_to_is_not_looked_at_but_what_a_link_to_a_file_leads_to_is(
    tmp_path: Path,
) -> None:
    place = package(tmp_path)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/file").write_text("a")
    (place / "folder").symlink_to("../outside")
    before = digest(tmp_path)
    (tmp_path / "outside/file").write_text("b")
    assert digest(tmp_path) == before
    (place / "file").symlink_to("../outside/file")
    linked = digest(tmp_path)
    (tmp_path / "outside/file").write_text("c")
    assert len({before, linked, digest(tmp_path)}) == 3


def test_weights_in_a_package_that_a_single_module_imports_change_the_digest(tmp_path: Path) -> None:
    place = package(tmp_path)
    (tmp_path / "model.py").write_text("from pkg import load\n")
    before = source_digest("model:answer", tmp_path)
    (place / "weights.bin").write_bytes(b"v" * 1000)
    assert source_digest("model:answer", tmp_path) != before


def test_what_lies_beside_a_single_module_or_in_a_folder_that_only_has_an_imports_name_changes_nothing(
    tmp_path: Path,
) -> None:
    (tmp_path / "model.py").write_text("import datasets\n")
    (tmp_path / "datasets").mkdir()
    before = source_digest("model:answer", tmp_path)
    (tmp_path / "weights.bin").write_text("x")
    (tmp_path / "datasets/log.txt").write_text("x")
    assert source_digest("model:answer", tmp_path) == before


def test_hidden_files_caches_and_times_change_nothing(tmp_path: Path) -> None:
    place = package(tmp_path)
    before = digest(tmp_path)
    for name in (".mlgate", "__pycache__"):
        (place / name).mkdir()
        (place / name / "file").write_text("x")
    (place / ".hidden").write_text("x")
    os.utime(place / "weights.bin", (1, 1))
    assert digest(tmp_path) == before


def test_beyond_the_limit_sizes_count_and_weights_never_push_source_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(python_source, "LARGEST_SOURCE", 2000)
    place = package(tmp_path)
    (place / "a.bin").write_bytes(b"a" * 5000)
    (place / "z.py").write_text("z = 1\n")
    seen = {digest(tmp_path)}
    (place / "z.py").write_text("z = 2\n")
    seen.add(digest(tmp_path))
    (place / "a.bin").write_bytes(b"b" * 5000)  # its first bytes are within the limit
    seen.add(digest(tmp_path))
    (place / "weights.bin").write_bytes(b"w" * 1001)
    seen.add(digest(tmp_path))
    assert len(seen) == 4
    (place / "weights.bin").write_bytes(b"v" * 1001)
    assert digest(tmp_path) in seen


@pytest.mark.parametrize("suffix", ["", ".py"])
@pytest.mark.parametrize(
    "odd", ["surrogates", "loop of folders", "loop of links", "link to nowhere", "fifo", "unreadable", "device"]
)
def test_a_hostile_package_has_a_digest(tmp_path: Path, odd: str, suffix: str) -> None:
    place = package(tmp_path)
    before = digest(tmp_path)
    path = place / f"odd{suffix}"
    match odd:
        case "surrogates":
            Path(os.fsdecode(b"%s/\xff\xed\xa0\x80%s" % (os.fsencode(place), suffix.encode()))).write_text("x")
        case "loop of folders":
            path.symlink_to(place)
        case "loop of links":
            path.symlink_to(path)
        case "link to nowhere":
            path.symlink_to("nowhere")
        case "fifo":
            os.mkfifo(path)
        case "unreadable":
            path.write_text("x")
            path.chmod(0)
        case _:
            path.symlink_to("/dev/zero")
    after = digest(tmp_path)
    assert after != before
    assert after == digest(tmp_path)


def test_folders_deeper_than_python_recurses_have_a_digest(tmp_path: Path) -> None:
    at = os.open(package(tmp_path), os.O_RDONLY)
    try:
        for _ in range(1500):
            os.mkdir("d", dir_fd=at)
            inner = os.open("d", os.O_RDONLY, dir_fd=at)
            os.close(at)
            at = inner
        assert len(digest(tmp_path)) == 64
    finally:
        os.close(at)
        subprocess.run(
            ["rm", "-rf", str(tmp_path / "pkg")], check=True, env=child_environment()
        )  # pytest's own cleaning recurses


def test_an_import_of_a_name_that_no_file_can_have_is_no_import(tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(f"import {'a' * 5000}\n")
    assert len(source_digest("model:answer", tmp_path)) == 64
    assert len(source_digest("\ud800\0:answer", tmp_path)) == 64


def test_a_package_of_too_many_files_is_looked_at_in_one_order(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(python_source, "_ENTRIES", 10)
    seen = set()
    for name, order in (("one", range(30)), ("two", reversed(range(30)))):
        place = package(tmp_path / name)
        for i in order:
            (place / f"{i:02}.bin").write_text(str(i))
        seen.add(digest(tmp_path / name))
    assert len(seen) == 1


def test_a_package_of_endlessly_many_folders_is_not_walked_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(python_source, "_ENTRIES", 10)
    place = package(tmp_path)
    for i in range(5):
        (place / f"d{i}").mkdir()
        for j in range(5):
            (place / f"d{i}" / str(j)).write_text("")
    assert len(list(python_source._walk(place))) <= 10
