"""An edit of what recorded tests import, read or are configured by is told; another one is not."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from tests.support.child_environment import child_environment

from mlgate.adapters.git import test_dependencies
from mlgate.adapters.git.base_commit import BaseCommit
from mlgate.adapters.git.python_references import mentions

TEST = "import pytest\n{}\ndef test_tone(gate):\n    pass\n"


def git(root: Path, *arguments: str) -> None:
    words = ["git", "-c", "user.name=t", "-c", "user.email=t@example.invalid", *arguments]
    subprocess.run(words, cwd=root, check=True, capture_output=True, env=child_environment())


def write(root: Path, files: dict[str, str | None]) -> None:
    for name, text in files.items():
        path = root / name
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    git(root, "add", "-A")
    git(root, "commit", "-qm", "c", "--allow-empty")


def edits(
    root: Path, before: dict[str, str | None], after: dict[str, str | None], test: str = "tests/t.py"
) -> list[str]:
    git(root, "init", "-q", "-b", "main")
    write(root, {"mlgate.yaml": "version: 1\n", "m.py": "import lib\n", "lib.py": "", "README.md": "", **before})
    git(root, "checkout", "-qb", "change")
    write(root, after)
    found = test_dependencies.edits(BaseCommit(root, "main"), [test], model="m", known=["mlgate.yaml"])
    return [f"{one.path} {one.how}" for one in found]


HOLES = (
    "def f(lang):\n    return ROOT / f'gold_{lang}.json'",
    "def f(lang):\n    return open('gold_' + lang + '.json')",
    "def f(lang):\n    return open('gold_{}.json'.format(lang))",
    "def f(lang):\n    return open('gold_%s.json' % lang)",
    "def f(lang):\n    return open('gold_%(lang)s.json' % locals())",
    "def f(lang):\n    return (ROOT / lang).with_suffix('.json')",
    "def f(lang):\n    return ROOT / ('go' + 'ld_en' + '.json')",
    "P = sorted(ROOT.glob('g*.json'))",
    "P = ROOT.glob('gold_[de]n.json')",
    "P = ROOT.glob('gold_e?.json')",
    "from pathlib import Path\nP = [p.read_text() for p in Path(__file__).parents[1].iterdir()]",
    "import os\nP = os.listdir('.')",
    "from pathlib import Path\nR = Path(__file__).parents[1]\ndef f(name):\n    return R / name",
    "import os\ndef f(name):\n    return os.path.join(ROOT, name)",
    "from pathlib import Path\nP = Path(__file__).parents[1] / ''.join(['gold', '_en.json'][::1])",
)

BEARS: list[tuple[str, str, dict[str, str | None], dict[str, str | None], list[str]]] = [
    (
        "a helper beside",
        "import helper",
        {"tests/helper.py": "1"},
        {"tests/helper.py": "2"},
        ["tests/helper.py edited"],
    ),
    ("a package", "from a.b import c", {"a/b/c.py": "1"}, {"a/b/c.py": "2"}, ["a/b/c.py edited"]),
    ("its __init__", "from a.b import c", {"a/b/c.py": "1"}, {"a/__init__.py": "2"}, ["a/__init__.py added"]),
    ("one import further", "import a", {"a.py": "import b", "b.py": "1"}, {"b.py": "2"}, ["b.py edited"]),
    (
        "relative",
        "from . import helper",
        {"tests/helper.py": "1"},
        {"tests/helper.py": None},
        ["tests/helper.py removed"],
    ),
    ("two dots", "from ..lab import x", {"lab/x.py": "1"}, {"lab/x.py": "2"}, ["lab/x.py edited"]),
    ("on sys.path", "import far", {"tools/deep/far.py": "1"}, {"tools/deep/far.py": "2"}, ["tools/deep/far.py edited"]),
    (
        "under src",
        "import far",
        {"src/far/__init__.py": "1"},
        {"src/far/__init__.py": "2"},
        ["src/far/__init__.py edited"],
    ),
    ("a name in the middle", "def f():\n    import late", {"late.py": "1"}, {"late.py": "2"}, ["late.py edited"]),
    (
        "importlib",
        "import importlib\nimportlib.import_module('o' + 'dd')",
        {"x/odd.py": "1"},
        {"x/odd.py": "2"},
        ["x/odd.py edited"],
    ),
    ("exec", "exec(open('o' + 'dd').read())", {"x/odd.py": "1"}, {"x/odd.py": "2"}, ["x/odd.py edited"]),
    ("importorskip", "pytest.importorskip('odd')", {"x/odd.py": "1"}, {"x/odd.py": "2"}, ["x/odd.py edited"]),
    (
        "a process",
        "RUN = 'python tools/judge.py'",
        {"tools/judge.py": "1"},
        {"tools/judge.py": "2"},
        ["tools/judge.py edited"],
    ),
    ("a conftest beside", "", {}, {"tests/conftest.py": "1"}, ["tests/conftest.py added"]),
    ("a conftest above", "", {"conftest.py": "1"}, {"conftest.py": None}, ["conftest.py removed"]),
    ("what a conftest imports", "", {"conftest.py": "import z", "z.py": "1"}, {"z.py": "2"}, ["z.py edited"]),
    (
        "a plug-in of a conftest",
        "",
        {"conftest.py": "pytest_plugins = ['p.q']", "p/q.py": "1"},
        {"p/q.py": "2"},
        ["p/q.py edited"],
    ),
    (
        "a plug-in of the settings",
        "",
        {"pytest.ini": "[pytest]\naddopts = -p mine", "mine.py": "1"},
        {"mine.py": "2"},
        ["mine.py edited"],
    ),
    ("settings of its own", "", {}, {"pytest.ini": "[pytest]"}, ["pytest.ini added"]),
    ("settings below", "", {}, {"tests/pytest.ini": "[pytest]"}, ["tests/pytest.ini added"]),
    (
        "pyproject",
        "",
        {"pyproject.toml": ""},
        {"pyproject.toml": "[tool.pytest.ini_options]\npythonpath = ['x']"},
        ["pyproject.toml edited"],
    ),
    ("setup.cfg", "", {"setup.cfg": ""}, {"setup.cfg": "[tool:pytest]\naddopts = -p x"}, ["setup.cfg edited"]),
    ("tox.ini", "", {}, {"tox.ini": "[pytest]\naddopts = -p x"}, ["tox.ini added"]),
    ("a file that cannot be read", "", {"pyproject.toml": ""}, {"pyproject.toml": "["}, ["pyproject.toml edited"]),
    ("data beside", "", {"tests/gold/a.json": "1"}, {"tests/gold/a.json": "2"}, ["tests/gold/a.json edited"]),
    (
        "data that is named",
        "P = 'shared/gold.json'",
        {"shared/gold.json": "1"},
        {"shared/gold.json": "2"},
        ["shared/gold.json edited"],
    ),
    (
        "a folder that is named",
        "P = 'shared'",
        {"shared/gold.json": "1"},
        {"shared/gold.json": "2"},
        ["shared/gold.json edited"],
    ),
    ("a new module that hides one", "", {}, {"statistics.py": "1"}, ["statistics.py added"]),
    (
        "a folder with a hole",
        "def f(lang):\n    return ROOT / f'gold_{lang}' / 'a.json'",
        {"gold_en/b.json": "1"},
        {"gold_en/b.json": "2"},
        ["gold_en/b.json edited"],
    ),
    (
        "a folder of data, and a path that is not said",
        "from pathlib import Path\nR = Path(__file__).parents[1]\ndef f(name):\n    return R / name",
        {"lab/fixtures/a.txt": "1", "docs/a.json": "1"},
        {"lab/fixtures/a.txt": "2", "docs/a.json": "2"},
        ["lab/fixtures/a.txt edited"],
    ),
    ("what the model imports, too", "from lib import score", {}, {"lib.py": "2"}, ["lib.py edited"]),
    (
        "what the model imports, and a helper",
        "import helper, m",
        {"tests/helper.py": "import lib"},
        {"lib.py": "2"},
        ["lib.py edited"],
    ),
    (
        "what the model imports, run as a process",
        "RUN = 'python lib.py'",
        {},
        {"lib.py": "2"},
        ["lib.py edited"],
    ),
    (
        "what the model imports, by importlib",
        "import importlib\nimportlib.import_module('lib')",
        {},
        {"lib.py": "2"},
        ["lib.py edited"],
    ),
    ("what the model shares", "import lib, shared", {"shared.py": "1"}, {"shared.py": "2"}, ["shared.py edited"]),
]


@pytest.mark.parametrize(("use", "before", "after", "found"), [one[1:] for one in BEARS], ids=[one[0] for one in BEARS])
def test_what_bears_on_the_tests_is_told(
    tmp_path: Path, use: str, before: dict[str, str | None], after: dict[str, str | None], found: list[str]
) -> None:
    assert edits(tmp_path, {"tests/t.py": TEST.format(use), **before}, after) == found


@pytest.mark.parametrize("use", HOLES)
def test_a_file_that_a_test_opens_by_a_name_with_holes_is_told(tmp_path: Path, use: str) -> None:
    before: dict[str, str | None] = {"tests/t.py": TEST.format(use), "gold_en.json": "1"}
    assert edits(tmp_path, before, {"gold_en.json": "2"}) == ["gold_en.json edited"]


FREE: list[tuple[str, str, dict[str, str | None], dict[str, str | None]]] = [
    ("the model", "import m", {}, {"m.py": "import lib\n2"}),
    ("what the model is made of", "import m", {}, {"lib.py": "2"}),
    (
        "what a package of the model is made of",
        "from m import f",
        {"lib.py": "import deep", "deep.py": "1"},
        {"deep.py": "2"},
    ),
    (
        "a message with holes",
        "def f(a, b):\n    return f'{a}-{b}: n{a} of {b}/{a}.'",
        {"n1.json": "1"},
        {"n1.json": "2"},
    ),
    ("a number", "def f(hits, total):\n    return hits / total", {"gold.json": "1"}, {"gold.json": "2"}),
    (
        "a path that is said",
        "from pathlib import Path\nR = Path(__file__).parent\nN = 'a.json'\nX = [R / N, R / 'b' / 'c.json']",
        {"data/x.json": "1"},
        {"data/x.json": "2"},
    ),
    (
        "a folder of the test's own",
        "def f(tmp_path, name):\n    return (tmp_path / 'x' / name), list(tmp_path.iterdir())",
        {"data/x.json": "1"},
        {"data/x.json": "2"},
    ),
    (
        "paths of a loop over texts",
        "from pathlib import Path\nX = [Path(__file__).parent / n for n in ('a.json', 'b.json')]",
        {"data/x.json": "1"},
        {"data/x.json": "2"},
    ),
    ("a question", "Q = 'Do you know data? * really'", {"gold.json": "1"}, {"gold.json": "2"}),
    ("another module", "import helper", {"tests/helper.py": "", "train.py": "1"}, {"train.py": "2"}),
    ("another test", "", {"tests/other.py": "1"}, {"tests/other.py": "2"}),
    ("the gate's file, a page", "", {}, {"mlgate.yaml": "version: 1\n# x\n", "README.md": "2"}),
    ("other settings", "", {"pyproject.toml": ""}, {"pyproject.toml": "[tool.ruff]\nline-length = 9"}),
    ("data elsewhere", "", {"docs/a.json": "1"}, {"docs/a.json": "2"}),
    ("nothing", "import importlib\nimportlib.import_module('x')", {}, {}),
]


@pytest.mark.parametrize(("use", "before", "after"), [one[1:] for one in FREE], ids=[one[0] for one in FREE])
def test_what_has_nothing_to_do_with_them_is_not(
    tmp_path: Path, use: str, before: dict[str, str | None], after: dict[str, str | None]
) -> None:
    assert edits(tmp_path, {"tests/t.py": TEST.format(use), **before}, after) == []


def test_tests_at_the_top_have_the_top_beside_them(tmp_path: Path) -> None:
    after: dict[str, str | None] = {
        "helper.py": "2",
        "gold.json": "2",
        "m.py": "2",
        "data/x.json": "2",
        "train.py": "2",
    }
    before = dict.fromkeys(after, "1")
    assert edits(tmp_path, {"t.py": TEST.format("import helper"), **before}, after, "t.py") == [
        "gold.json edited",
        "helper.py edited",
    ]


def test_a_source_that_is_no_python_cannot_be_followed() -> None:
    assert mentions(b"\xff def").is_dynamic
    assert not mentions(b"import re\nre.compile('x')\n").is_dynamic
