"""Both sides of a run are ended, whatever happens while that is done."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from mlgate.adapters.files import safe_file
from mlgate.core.check import Suite
from mlgate.core.errors import ModelError
from mlgate.wiring.images import Images
from mlgate.wiring.model_pair import ModelPair


class Server:
    """Stands for a container: it has printed something, and can be ended once more after it has ended."""

    def __init__(self, logs: Callable[[Path], None], close: Callable[[], None] = lambda: None) -> None:
        self.sandbox = self
        self.logs = logs
        self.ended = 0
        self._close = close

    def close(self) -> None:
        self.ended += 1
        self._close()


def sides(tmp_path: Path, **servers: Server) -> ModelPair:
    made = ModelPair(tmp_path, Suite(()), Images(tmp_path), {}, {}, tmp_path)
    made._servers = cast("Any", {name == "baseline": server for name, server in servers.items()})
    return made


def prints(path: Path) -> None:
    safe_file.write(path, path.name.encode())


def raises(error: BaseException) -> Callable[..., None]:
    def fail(*_: object) -> None:
        raise error

    return fail


def test_what_both_printed_is_kept_and_both_are_ended_once(tmp_path: Path) -> None:
    one, other = Server(prints), Server(prints)
    both = sides(tmp_path, candidate=one, baseline=other)
    both.close()
    both.close()
    assert (one.ended, other.ended) == (1, 1)
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {
        name: name for name in ("model.log", "baseline.log")
    }


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), ModelError("it has gone")])
def test_a_log_that_cannot_be_kept_is_a_notice(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    one, other = Server(raises(error)), Server(raises(error))
    sides(tmp_path, candidate=one, baseline=other).close()
    assert (one.ended, other.ended) == (1, 1)
    assert capsys.readouterr().err.count("mlgate: notice: what the model printed is not kept: ") == 2


def test_a_folder_in_a_logs_place_ends_both(tmp_path: Path) -> None:
    (tmp_path / "model.log").mkdir()
    one, other = Server(prints), Server(prints)
    sides(tmp_path, candidate=one, baseline=other).close()
    assert (one.ended, other.ended) == (1, 1)
    assert (tmp_path / "baseline.log").read_text() == "baseline.log"


@pytest.mark.parametrize("where", ["logs", "close"])
def test_a_second_interrupt_ends_both_and_is_not_lost(tmp_path: Path, where: str) -> None:
    stop = raises(KeyboardInterrupt())
    one, other = (Server(stop) if where == "logs" else Server(prints, stop) for _ in range(2))
    with pytest.raises(KeyboardInterrupt):
        sides(tmp_path, candidate=one, baseline=other).close()
    assert (one.ended, other.ended) == (1, 1)
