import sys
from pathlib import Path
from types import ModuleType

import pytest

from mlgate.adapters.data.fields import Fields
from mlgate.adapters.data.huggingface import read
from mlgate.core.check import Example
from mlgate.core.errors import ConfigError, EvidenceError

ROWS = [
    {"id": 1, "input": "x", "answers": {"text": ["y", "z"]}, "domain": "d", "unused": 0.5},
    {"id": 2, "input": "w", "answers": {"text": ["v"]}, "domain": None, "unused": float("nan")},
]


@pytest.fixture
def datasets(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    module: ModuleType = pytest.importorskip("datasets", reason="pip install 'mlgate[datasets]'")
    return module


@pytest.mark.needs_datasets
def test_a_saved_folder_is_read(datasets: ModuleType, tmp_path: Path) -> None:
    datasets.Dataset.from_list(ROWS).save_to_disk(str(tmp_path / "saved"))
    data = read(tmp_path / "saved", Fields(references=("answers.text",), slices=("domain",)))
    assert data.examples == (
        Example("1", "x", ("y", "z"), (("domain", "d"),)),
        Example("2", "w", ("v",), (("domain", "(none)"),)),
    )


@pytest.mark.needs_datasets
def test_one_of_several_splits_must_be_chosen(datasets: ModuleType, tmp_path: Path) -> None:
    rows = [{"input": "x", "reference": name} for name in ("train", "test")]
    splits = {str(row["reference"]): datasets.Dataset.from_list([row]) for row in rows}
    datasets.DatasetDict(splits).save_to_disk(str(tmp_path / "saved"))
    with pytest.raises(ConfigError) as caught:
        read(tmp_path / "saved")
    assert caught.value.hint == "choose one of: train, test"
    with pytest.raises(ConfigError):
        read(tmp_path / "saved", split="dev")
    assert read(tmp_path / "saved", split="test").examples[0].references == ("test",)


@pytest.mark.needs_datasets
def test_the_only_split_needs_no_choice(datasets: ModuleType, tmp_path: Path) -> None:
    only = datasets.Dataset.from_list([{"input": "x", "reference": "y"}])
    datasets.DatasetDict({"validation": only}).save_to_disk(str(tmp_path / "saved"))
    assert len(read(tmp_path / "saved").examples) == 1


@pytest.mark.needs_datasets
def test_a_table_saved_alone_is_its_own_split_or_any_when_it_has_no_name(datasets: ModuleType, tmp_path: Path) -> None:
    for split in (None, "train"):
        table = datasets.Dataset.from_list([{"input": "x", "reference": "y"}], split=split)
        table.save_to_disk(str(tmp_path / str(split)))
    assert len(read(tmp_path / "None", split="test").examples) == 1
    assert len(read(tmp_path / "train", split="train").examples) == 1
    with pytest.raises(ConfigError) as caught:
        read(tmp_path / "train", split="test")
    assert caught.value.hint == "choose the one there is: train"


@pytest.mark.needs_datasets
def test_a_row_that_cannot_be_used_is_named(datasets: ModuleType, tmp_path: Path) -> None:
    rows = [{"input": "x", "reference": "y"}, {"input": "a\0b", "reference": "y"}]
    datasets.Dataset.from_list(rows).save_to_disk(str(tmp_path / "saved"))
    with pytest.raises(ConfigError) as caught:
        read(tmp_path / "saved")
    assert caught.value.where == f"{tmp_path}/saved:2"


@pytest.mark.needs_datasets
@pytest.mark.usefixtures("datasets")
def test_a_folder_of_something_else_and_a_hub_out_of_reach_are_no_evidence(tmp_path: Path) -> None:
    for path in (tmp_path, Path("mlgate-tests/out-of-reach")):
        with pytest.raises(EvidenceError) as caught:
            read(path)
        assert caught.value.where == str(path)
        assert caught.value.hint


def test_without_datasets_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(ConfigError) as caught:
        read(tmp_path)
    assert caught.value.hint == "pip install 'mlgate[datasets]'"
