"""Both sides of a run are ended, whatever happens while that is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import pytest

from mlgate.adapters.docker.server import ModelServer
from mlgate.adapters.files import safe_file
from mlgate.config.sections.model import ModelSection
from mlgate.core.check import Bound, Check, Example, Rule, Suite
from mlgate.core.errors import GateError, ModelError
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


class Started(Images):
    """Stands for images that start, or do not: `alone` and `together` say which were started how."""

    def __init__(self, root: Path, failing: str = "") -> None:
        super().__init__(root)
        self.alone: list[str] = []
        self.together: list[str] = []
        self._failing = failing

    def reap(self) -> tuple[str, ...]:
        return ()

    def start(self, section: ModelSection, run: str) -> ModelServer:
        assert run
        assert section.image is not None
        self.alone.append(str(section.image.ref))
        return cast("ModelServer", Server(prints))

    def start_together(self, sections: Sequence[ModelSection], run: str) -> list[ModelServer | GateError]:
        assert run
        names = [str(one.image.ref) for one in sections if one.image is not None]
        self.together += names
        return [
            ModelError(f"{name} does not start") if name == self._failing else cast("ModelServer", Server(prints))
            for name in names
        ]


def image(ref: str) -> dict[str, Any]:
    return {"name": "m", "image": {"ref": ref, "protocol": "kserve-v1"}}


def pair_of(tmp_path: Path, images: Images, *, rule: str = "p50_ms", timed: bool = True) -> ModelPair:
    example = Example("1", "x", ("y",))
    rules = (Rule(rule, Bound.MAX, 1000.0),)
    check = Check("speed", "latency", (example,), rules=rules, rounds=1 if timed else 0)
    suite = Suite((check, replace(check, id="baseline/speed", baseline_of="speed")))
    return ModelPair(tmp_path, suite, images, image("pr"), image("main"), tmp_path)


def test_images_whose_times_are_compared_start_at_one_moment(tmp_path: Path) -> None:
    images = Started(tmp_path)
    pair = pair_of(tmp_path, images)
    for baseline in (False, True, False):
        pair._server(pair._section(baseline=baseline), baseline=baseline)
    assert (images.together, images.alone) == (["pr", "main"], [])


@pytest.mark.parametrize(("rule", "timed"), [("start_s", True), ("load_s", True), ("p50_ms", False)])
def test_images_start_in_turn_where_a_start_is_what_is_timed_or_nothing_is(
    tmp_path: Path, rule: str, timed: bool
) -> None:
    images = Started(tmp_path)
    pair = pair_of(tmp_path, images, rule=rule, timed=timed)
    for baseline in (False, True):
        pair._server(pair._section(baseline=baseline), baseline=baseline)
    assert (images.together, images.alone) == ([], ["pr", "main"])


@pytest.mark.parametrize("failing", ["pr", "main"])
def test_a_side_that_did_not_start_says_so_where_it_is_needed_and_the_other_one_serves(
    tmp_path: Path, failing: str
) -> None:
    images = Started(tmp_path, failing)
    pair = pair_of(tmp_path, images)
    for baseline in (False, True):
        section = pair._section(baseline=baseline)
        if section == pair._section(baseline=failing == "main"):
            with pytest.raises(ModelError, match=f"{failing} does not start"):
                pair._server(section, baseline=baseline)
        else:
            assert pair._server(section, baseline=baseline)
    assert images.alone == []
