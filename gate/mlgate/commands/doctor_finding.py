"""One thing that the doctor looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

FindingState = Literal["ok", "note", "bad"]


@dataclass(frozen=True, slots=True)
class DoctorFinding:
    """What was found, and what to do about it."""

    state: FindingState
    what: str
    said: str
    hint: str = ""
    exit_code: int = 3
    """What the doctor ends with where this is bad: that of the error behind it."""
