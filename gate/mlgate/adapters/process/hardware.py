"""Where this run happens: what a number may depend on."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mlgate import __version__
from mlgate.core.evidence import Environment

_PACKAGES = ("mlgate", "numpy", "rapidfuzz", "rouge-score", "sacrebleu")


def observe() -> Environment:
    """Return this machine's Python, platform, processor and the versions of what scores."""
    found = tuple((name, _version(name)) for name in _PACKAGES)
    return Environment(platform.python_version(), f"{platform.system()} {platform.machine()}", _cpu(), found)


def _version(name: str) -> str:
    if name == "mlgate":
        return __version__  # it runs from a checkout, too, where no metadata is
    try:
        return version(name)
    except PackageNotFoundError:
        return "absent"


def _cpu() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or "unknown"
