"""The environment of a process that a test starts: a few names of this machine's, and what the test itself names.

What else `os.environ` holds depends on who ran the suite, and on what the tests before this one imported or set.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from fnmatch import fnmatchcase

PASSED_ON = (
    *("PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_*", "TZ", "TMPDIR", "VIRTUAL_ENV", "LD_LIBRARY_PATH"),
    *("XDG_CACHE_HOME", "XDG_RUNTIME_DIR", "DOCKER_*"),
)
"""Where this machine keeps its programs, its files and its engine."""
TO_THE_INDEX = (
    *("PIP_*", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY", "http_proxy", "https_proxy", "all_proxy"),
    *("no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR", "GIT_SSL_CAINFO", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
)
"""How this machine reaches a package index."""


def child_environment(**named: str) -> dict[str, str]:
    """Return the environment for a child process: the names of `PASSED_ON`, and what the test names over them."""
    return {**only(PASSED_ON), **named}


def only(names: Iterable[str]) -> dict[str, str]:
    """Return of this process's environment the variables with these names; a name may be a pattern."""
    patterns = tuple(names)
    return {k: v for k, v in os.environ.items() if any(fnmatchcase(k, pattern) for pattern in patterns)}
