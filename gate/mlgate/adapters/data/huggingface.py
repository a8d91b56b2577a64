"""Examples from a Hugging Face dataset, by `datasets`: a saved folder, or a name on the hub."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from mlgate.adapters.data import git_lfs
from mlgate.adapters.data.examples import Dataset, gather
from mlgate.adapters.data.fields import USUAL, Fields
from mlgate.adapters.data.lines import LARGEST_FILE, refuse_pointer, too_large
from mlgate.core.errors import ConfigError, EvidenceError

if TYPE_CHECKING:
    import datasets


def read(path: Path, fields: Fields = USUAL, *, split: str = "", config: str = "") -> Dataset:
    """Read every example of one split; errors name the row, from 1 on. Needs the extra `datasets`.

    A folder is what `save_to_disk` wrote; anything else is a name on the hub, with *config* when it has several. No
    code that comes with a dataset is run. *split* may be left out when there is only one; a table
    that was saved without a split's name is any split. A class label is a number
    here, as it is stored. Raises ConfigError for a row, a split or a config that cannot be used or when `datasets` is
    missing, EvidenceError when nothing can be loaded.
    """
    table = _one_split(_load(path, config), split, str(path))
    table = table.select_columns(fields.columns(table.column_names))
    if table.data.nbytes > LARGEST_FILE:
        raise too_large(str(path))
    return gather(_rows(table, str(path)), fields, source=str(path), unit="row")


def _load(path: Path, config: str) -> datasets.Dataset | datasets.DatasetDict:
    try:
        import datasets
    except ImportError as error:
        raise ConfigError(
            "reading a Hugging Face dataset needs `datasets`", hint="pip install 'mlgate[datasets]'", where=str(path)
        ) from error
    datasets.config.HF_DATASETS_TRUST_REMOTE_CODE = False  # before 3.0 a dataset's own script ran unless this is set
    try:
        if path.is_dir():
            return datasets.load_from_disk(str(path))
        return datasets.load_dataset(path.as_posix(), config or None)
    except (OSError, datasets.exceptions.DatasetsError) as error:
        _refuse_pointers(path)
        hint = "a folder is what save_to_disk wrote" if path.is_dir() else "check the name, the network and HF_TOKEN"
        raise EvidenceError(f"cannot load the dataset: {_first_line(error)}", hint=hint, where=str(path)) from error
    except (
        ValueError
    ) as error:  # what `datasets` raises for a config that is unknown or must be chosen, or a file that is damaged
        _refuse_pointers(path)
        raise ConfigError(f"cannot load the dataset: {_first_line(error)}", where=str(path)) from error


def _refuse_pointers(folder: Path) -> None:
    """Refuse what save_to_disk wrote, when Git LFS keeps a file of it: in the folder, or in that of a split."""
    with contextlib.suppress(OSError):  # then the reason is another one
        for path in sorted((*folder.glob("*"), *folder.glob("*/*"))):
            if path.is_file():
                with path.open("rb") as file:
                    refuse_pointer(file.read(git_lfs.LARGEST_POINTER), str(path))


def _one_split(loaded: datasets.Dataset | datasets.DatasetDict, split: str, where: str) -> datasets.Dataset:
    if not isinstance(loaded, dict):  # one split, saved alone
        if split and loaded.split is not None and str(loaded.split) != split:
            raise ConfigError(
                f"there is no split `{split}`", hint=f"choose the one there is: {loaded.split}", where=where
            )
        return loaded
    if not split and len(loaded) == 1:
        return next(iter(loaded.values()))
    if split not in loaded:
        raise ConfigError(
            f"there is no split `{split}`" if split else "the dataset has several splits",
            hint=f"choose one of: {', '.join(loaded)}",
            where=where,
        )
    return loaded[split]


def _rows(table: Iterable[Mapping[str, object]], where: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    number = 0
    try:
        for number, row in enumerate(table, 1):
            yield number, row
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors, and so is text that is not UTF-8
        raise ConfigError(f"the row cannot be read: {_first_line(error)}", where=f"{where}:{number + 1}") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
