"""What the documentation shows works: files that it links exist, configurations parse, exit codes are the real ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from mlgate.config.load import parse
from mlgate.core.errors import ConfigError, EvidenceError, Refused
from mlgate.core.outcome import Outcome

ROOT = Path(__file__).parents[2]
PAGES = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / "examples").rglob("README.md")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_file_that_a_page_links_exists(page: Path) -> None:
    links = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL))
    missing = [link for link in links if "://" not in link and not (page.parent / link).exists()]
    assert missing == []


CONFIGURATIONS = [
    (page, text)
    for page in PAGES
    for text in re.findall(r"```yaml\n(.*?)```", page.read_text(), flags=re.DOTALL)
    if text.startswith("version:")
]


@pytest.mark.parametrize(("page", "text"), CONFIGURATIONS, ids=lambda value: getattr(value, "name", "yaml"))
def test_every_configuration_that_a_page_shows_is_sound(page: Path, text: str) -> None:
    assert parse(text, page.name).checks


def test_the_readme_tells_the_exit_codes_that_there_are() -> None:
    told = {int(code) for code in re.findall(r"^\| (\d) \|", (ROOT / "README.md").read_text(), flags=re.MULTILINE)}
    errors = {error.exit_code for error in (ConfigError, EvidenceError, Refused)}
    assert told == {outcome.exit_code for outcome in Outcome} | errors


def test_no_page_names_a_path_of_somebodys_machine() -> None:
    for page in PAGES:
        assert not re.search(r"/(work|root|home)/\w", page.read_text()), page
