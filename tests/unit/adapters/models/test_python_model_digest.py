"""What stands for a Python model in provenance."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlgate.adapters.models.python_model import PythonModel


def digest(root: Path, target: str = "pkg.mod:f") -> str:
    return PythonModel(target, root).digest


def test_the_digest_is_of_the_source_and_the_target_and_nothing_is_imported(tmp_path: Path) -> None:
    package = tmp_path / "pkg"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    (package / "mod.py").write_text("def f(x): return x")
    before = digest(tmp_path)
    assert before == digest(tmp_path)
    assert before != digest(tmp_path, "pkg.mod:g")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "mod.py").write_text("")
    (package / ".notes.txt").write_text("")
    assert before == digest(tmp_path)
    (package / "deep").mkdir()
    (package / "deep" / "more.py").write_text("")
    assert before != digest(tmp_path)


def test_the_same_source_elsewhere_has_the_same_digest(tmp_path: Path) -> None:
    digests = set()
    for name in ("one", "two"):
        (tmp_path / name / "pkg").mkdir(parents=True)
        (tmp_path / name / "pkg" / "mod.py").write_text("def f(x): return x")
        digests.add(digest(tmp_path / name))
    assert len(digests) == 1


@pytest.mark.parametrize("odd", ["fifo", "link to nowhere", "link to a device", "folder"])
def test_odd_files_do_not_stop_the_digest(tmp_path: Path, odd: str) -> None:
    place = tmp_path / "pkg" / "odd.py"
    place.parent.mkdir()
    match odd:
        case "fifo":
            os.mkfifo(place)
        case "link to nowhere":
            place.symlink_to("nowhere")
        case "link to a device":
            place.symlink_to("/dev/zero")
        case _:
            place.mkdir()
    assert len(digest(tmp_path)) == 64


def test_a_model_that_is_nowhere_has_a_digest_too(tmp_path: Path) -> None:
    assert digest(tmp_path, "nowhere_at_all:f") != digest(tmp_path, "nowhere_else:f")


def test_a_module_is_found_along_the_path_when_the_root_has_it_not(tmp_path: Path) -> None:
    assert digest(tmp_path, "json:dumps") != digest(tmp_path, "nowhere:dumps")
    assert digest(tmp_path, "json:dumps") == digest(tmp_path.parent, "json:dumps")
