"""What a pytest session leaves out of the plan: checks that were deselected, or that it stopped before."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from mlgate.adapters.files.plan_file import WorkerPlan
from mlgate.core.check import Check, Example


def batches(plan: WorkerPlan) -> Iterator[tuple[str, Check, Sequence[Example]]]:
    """Yield the items that the plan adds to a session: name, check, and the examples of one batch."""
    for check in plan.suite.checks:
        if "tests" in check.params:
            continue
        for start in range(0, len(check.examples), plan.batch):
            examples = check.examples[start : start + plan.batch]
            yield f"{check.id}[{start + 1}-{start + len(examples)}]", check, examples


def node(name: str) -> str:
    """Return the node id of an item that the plan adds."""
    return f"mlgate::{name}"


class Selection:
    """What one session selected, what was taken out of it, and what ran to its end; by node id."""

    def __init__(self, plan: WorkerPlan, rootpath: Path) -> None:
        self._root, self._rootpath = Path(plan.root), rootpath
        self._batches: dict[str, set[str]] = {}
        for name, check, _ in batches(plan):
            self._batches.setdefault(check.id, set()).add(node(name))
        self._tests = {check.id: _texts(check) for check in plan.suite.checks if "tests" in check.params}
        self._selected: set[str] = set()
        self._ended: set[str] = set()
        self.dropped: set[str] = set()
        """Checks of which a test was deselected."""

    @property
    def checks(self) -> set[str]:
        """Return the checks of the plan."""
        return {*self._batches, *self._tests}

    def select(self, nodes: Iterable[str]) -> bool:
        """Note what will run; return whether anything of a check is among it."""
        self._selected.update(nodes)
        return any(map(self._owners, self._selected))

    def drop(self, nodes: Iterable[str]) -> None:
        """Note what was deselected."""
        self.dropped.update(owner for one in nodes for owner in self._owners(one))

    def end(self, one: str) -> None:
        """Note that an item ran to its end, well or not."""
        self._ended.add(one)

    def left_out(self, arguments: Sequence[Path] | None, *, last_failed: bool, stopped: bool) -> set[str]:
        """Return the checks that this session did not carry out whole, because it was told not to.

        *arguments* are the paths that a person named, None for none; *stopped*: it ended before its end. What was to
        run and got lost otherwise, in a worker that died, is no such check: that one is judged.
        """
        found = set(self.dropped)
        for check, wanted in self._batches.items():
            if not wanted <= (self._selected & self._ended if stopped else self._selected):
                found.add(check)
        for check, paths in self._tests.items():
            own = {one for one in self._selected if check in self._owners(one)}
            if (
                (arguments is not None and not all(self._is_within(path, arguments) for path in paths))
                or (last_failed and not own)
                or (stopped and (not own or not own <= self._ended))
            ):
                found.add(check)
        return found

    def _is_within(self, test: str, arguments: Sequence[Path]) -> bool:
        path = _without_links(self._root / test)
        return any(path == one or ("::" not in str(one) and _file(path).is_relative_to(one)) for one in arguments)

    def _owners(self, one: str) -> Sequence[str]:
        place = self._rootpath / one
        batch = [check for check, wanted in self._batches.items() if one in wanted]
        return batch or [
            check for check, paths in self._tests.items() if any(_holds(self._root / path, place) for path in paths)
        ]


def _texts(check: Check) -> tuple[str, ...]:
    paths = check.params["tests"]
    return tuple(map(str, paths)) if isinstance(paths, Sequence) and not isinstance(paths, str) else (str(paths),)


def _holds(test: Path, place: Path) -> bool:
    """Say whether the item at *place* is of the file, the folder or the test that a check names."""
    named, found = _without_links(test), _without_links(place)
    if "::" not in str(named):
        return _file(found).is_relative_to(named)
    return str(found) == str(named) or str(found).startswith((f"{named}[", f"{named}::"))


def _without_links(path: Path) -> Path:
    """Return *path* without links; what stands behind `::` stays."""
    file, separator, inside = str(path).partition("::")
    return Path(f"{Path(file).resolve()}{separator}{inside}")


def _file(path: Path) -> Path:
    return Path(str(path).partition("::")[0])


def named(arguments: Sequence[str], folder: Path) -> list[Path]:
    """Return the paths that a person named on the command line, relative to *folder*, with what stands behind `::`."""
    return [_without_links(folder / one) for one in arguments]
