"""What a container needs to run mlgate's load generator: this very Python, its libraries, and a few of our files."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import re
import ssl
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath

from mlgate.core.errors import AdapterError

PACKAGE_HOME = "/mlgate"
"""Where our own files are, in the image; its PYTHONPATH."""
_PACKAGE = Path(__file__).parents[2]
_RUN = ("adapters/load/worker.py", "adapters/docker/probe_inside.py")
_IMPORT = re.compile(r"^from mlgate\.([\w.]+) import", re.MULTILINE)
_UNUSED = {
    *("site-packages", "dist-packages", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3"),
    *("pydoc_data", "distutils", "curses", "sqlite3", "dbm", "wsgiref", "xmlrpc", "venv", "unittest", "msilib"),
}
"""Folders of the standard library that a load generator has no use for."""
_UNUSED_MODULE = re.compile(r"_?(test|xx|tkinter|curses|readline|sqlite3|gdbm|dbm|lsprof|codecs_|ctypes_test)")
_LIBRARY = re.compile(r"(?<!\S)(/\S+) \(0x[0-9a-f]+\)$")
_LDD_S = 120


def files(python: Path | None = None) -> dict[PurePosixPath, Path]:
    """Return what goes into the image: the place inside, and the file here. Places are this machine's own.

    Raises AdapterError where this Python is not one of files and shared libraries that can be copied.
    """
    python = python or Path(os.path.realpath(sys.executable))
    library = Path(os.__file__).parent
    if not library.is_dir():
        raise AdapterError(f"this Python's standard library is no folder: {library}", hint="set MLGATE_DRIVER_IMAGE")
    modules = list(_extension_modules(library))
    found = {PurePosixPath(path): path for path in [python, *modules, *_sources(library), *certificates()]}
    found |= {PurePosixPath(path): Path(path).resolve() for path in _libraries([python, *modules])}
    return found | {PurePosixPath(PACKAGE_HOME, "mlgate", name): _PACKAGE / name for name in own_files()}


def own_files() -> set[str]:
    """Return our own files: what is run, and what that imports, in turn."""
    found, new = set[str](), set(_RUN)
    while new:
        found |= new
        texts = [(_PACKAGE / name).read_text(encoding="utf-8") for name in new]
        new = {f"{module.replace('.', '/')}.py" for text in texts for module in _IMPORT.findall(text)} - found
    return found | {f"{folder}/__init__.py" for name in found for folder in PurePosixPath(name).parents}


def _sources(library: Path) -> Iterator[Path]:
    """Yield the library's modules, compiled ones too: in a read-only container they could not be compiled for later."""
    compiled = f".{sys.implementation.cache_tag}.pyc"
    for folder, names, entries in os.walk(library):
        names[:] = sorted(name for name in names if name not in _UNUSED and not name.startswith("config-"))
        for entry in sorted(entries):
            if entry.endswith((".py", compiled)):
                yield Path(folder, entry)


def _extension_modules(library: Path) -> Iterator[Path]:
    folders = {library / "lib-dynload", Path(str(sysconfig.get_config_var("DESTSHARED") or library / "lib-dynload"))}
    spec = importlib.util.find_spec("_ssl")
    if spec and spec.origin and spec.origin.endswith(".so"):
        folders.add(Path(spec.origin).parent)
    for folder in sorted({folder.resolve() for folder in folders if folder.is_dir()}):
        yield from (path for path in sorted(folder.glob("*.so")) if not _UNUSED_MODULE.match(path.name))


def certificates() -> list[Path]:
    """Return the file of certificate authorities that TLS looks for, where there is one."""
    places = ssl.get_default_verify_paths()
    return [Path(path) for path in {places.cafile, places.openssl_cafile} if path and Path(path).is_file()]


def _libraries(binaries: Iterable[Path]) -> list[str]:
    """Return the shared libraries that *binaries* load, the loader included, where they look for them."""
    try:
        done = subprocess.run(  # noqa: S603 - our own Python and its modules; nothing of a model
            ["ldd", *map(str, binaries)],  # noqa: S607 - where it is differs from system to system
            capture_output=True,
            text=True,
            check=False,
            timeout=_LDD_S,
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise AdapterError(f"ldd does not run: {error}", hint="install it, or set MLGATE_DRIVER_IMAGE") from error
    return sorted(libraries(done.stdout))


def libraries(said: str) -> set[str]:
    """Return the paths in what `ldd` printed."""
    found = (_LIBRARY.search(line) for line in said.splitlines() if line.startswith("\t"))
    return {match[1] for match in found if match}


def digest(found: Mapping[PurePosixPath, Path], recipe: str) -> str:
    """Return the SHA-256 of all places and contents but compiled modules, which follow from their sources."""
    total = hashlib.sha256(recipe.encode())
    for place in sorted(found):
        if place.suffix != ".pyc":
            with found[place].open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            total.update(f"{place}\0{content}\n".encode())
    return total.hexdigest()
