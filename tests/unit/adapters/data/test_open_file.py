import csv
import gzip
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from mlgate.adapters.data import csv_file, huggingface, jsonl_file, open_file, parquet_file, text_files
from mlgate.adapters.data.dialect import TABS
from mlgate.adapters.data.lines import numbered
from mlgate.adapters.data.packing import unpacked
from mlgate.adapters.models import answers_file
from mlgate.core.errors import EvidenceError

POINTER = f"version https://git-lfs.github.com/spec/v1\noid sha256:{'4d' * 32}\nsize 12345\n"
READERS: dict[str, Callable[[Path], object]] = {
    "x.jsonl": jsonl_file.read,
    "x.csv": csv_file.read,
    "x.tsv": partial(csv_file.read, dialect=TABS),
    "x.txt": lambda path: text_files.read(path, [path]),
}


def refusal(read: Callable[[Path], object], path: Path) -> EvidenceError:
    with pytest.raises(EvidenceError) as caught:
        read(path)
    return caught.value


@pytest.mark.parametrize("packed", ["", ".gz"])
@pytest.mark.parametrize("name", READERS)
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_pointer_of_git_lfs_is_never_data(tmp_path: Path, name: str, packed: str, ends: str) -> None:
    path = tmp_path / (name + packed)
    path.write_bytes(POINTER.replace("\n", ends).encode())
    error = refusal(READERS[name], path)
    assert error.message == "it is a Git LFS pointer, not the data"
    assert error.hint == "fetch it: git lfs pull (in Actions: `lfs: true`)"
    assert error.where == str(path)


def test_a_pointer_is_known_however_its_bytes_come() -> None:
    for size in (1, 7, 60):
        pieces = [POINTER.encode()[i : i + size] for i in range(0, len(POINTER), size)]
        for lines in (numbered(pieces, "x"), unpacked(pieces, "x")):
            with pytest.raises(EvidenceError, match="Git LFS pointer"):
                list(lines)


def test_a_reference_file_may_be_the_pointer(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("a\nb\nc\n")
    (tmp_path / "r").write_text(POINTER)
    error = refusal(lambda path: text_files.read(path, [tmp_path / "r"]), tmp_path / "s")
    assert error.where == str(tmp_path / "r")


def test_a_pointer_is_no_answers(tmp_path: Path) -> None:
    (tmp_path / "answers.txt").write_text(POINTER)
    error = refusal(lambda path: answers_file.AnswersFile(path).texts(), tmp_path / "answers.txt")
    assert "Git LFS pointer" in error.message


@pytest.mark.needs_parquet
def test_a_pointer_is_no_parquet(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow", reason="pip install 'mlgate[parquet]'")
    (tmp_path / "x.parquet").write_text(POINTER)
    error = refusal(parquet_file.read, tmp_path / "x.parquet")
    assert error.message == "it is a Git LFS pointer, not the data"


@pytest.mark.needs_datasets
@pytest.mark.parametrize("kept", ["*/*.arrow", "*/state.json", "*/dataset_info.json", "dataset_dict.json"])
def test_a_saved_dataset_whose_files_were_not_fetched_says_which(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: str
) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    datasets = pytest.importorskip("datasets", reason="pip install 'mlgate[datasets]'")
    split = datasets.Dataset.from_list([{"input": "x", "reference": "y"}])
    datasets.DatasetDict({"test": split}).save_to_disk(str(tmp_path / "saved"))
    [path] = (tmp_path / "saved").glob(kept)
    path.write_text(POINTER)
    error = refusal(huggingface.read, tmp_path / "saved")
    assert error.message == "it is a Git LFS pointer, not the data"
    assert error.where == str(path)


def test_a_text_that_speaks_of_git_lfs_is_data(tmp_path: Path) -> None:
    first = POINTER.partition("\n")[0]
    for text in (f"{first}, it says\n", f"x\n{POINTER}", POINTER * 20, f" {POINTER}"):
        (tmp_path / "x.txt").write_text(text)
        assert [line for _, line in open_file.lines(tmp_path / "x.txt")] == text.splitlines()


@pytest.mark.parametrize("name", [*READERS, pytest.param("x.parquet", marks=pytest.mark.needs_parquet)])
def test_data_that_dvc_keeps_and_nobody_pulled_says_how_to(tmp_path: Path, name: str) -> None:
    if name == "x.parquet":
        pytest.importorskip("pyarrow", reason="pip install 'mlgate[parquet]'")
    read = {**READERS, "x.parquet": parquet_file.read}[name]
    error = refusal(read, tmp_path / name)
    assert (error.message, error.hint) == (
        "cannot read the data: no such file or directory",
        "check the path in `data:`",
    )
    (tmp_path / f"{name}.dvc").write_text(f"outs:\n- md5: {'0' * 32}\n  hash: md5\n  path: {name}\n")
    error = refusal(read, tmp_path / name)
    assert error.message == "cannot read the data: no such file or directory"
    assert error.hint == "fetch it: dvc pull"
    assert error.where == str(tmp_path / name)


def test_a_file_that_is_here_but_cannot_be_read_is_not_pulled(tmp_path: Path) -> None:
    (tmp_path / "x.csv").mkdir()
    (tmp_path / "x.csv.dvc").touch()
    assert refusal(csv_file.read, tmp_path / "x.csv").hint == "check the path in `data:`"


def test_packed_and_plain_are_the_same_lines(tmp_path: Path) -> None:
    text = "input,reference\na,b\n"
    (tmp_path / "x.csv").write_text(text)
    (tmp_path / "x.csv.gz").write_bytes(gzip.compress(text.encode()))
    plain, packed = (list(open_file.lines(tmp_path / name)) for name in ("x.csv", "x.csv.gz"))
    assert plain == packed
    assert list(csv.reader(line for _, line in plain)) == [["input", "reference"], ["a", "b"]]
