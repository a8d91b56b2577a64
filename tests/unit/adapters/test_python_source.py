from __future__ import annotations

from pathlib import Path

from mlgate.adapters.python_source import source_digest


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
