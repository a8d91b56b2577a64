"""A Python function in a process of its own, and everything it may do there."""

from __future__ import annotations

import os
import select
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from mlgate.adapters.python_model import PythonModel
from mlgate.adapters.python_process import TAIL, PythonProcess
from mlgate.core.check import Example, Json
from mlgate.core.errors import ConfigError
from mlgate.core.ports import Failure

Make = Callable[..., PythonModel]


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    """Write a module and return the model that its function `f` is."""
    models: list[PythonModel] = []

    def write(source: str, target: str = "model:f", **options: Any) -> PythonModel:
        (tmp_path / "model.py").write_text(textwrap.dedent(source))
        settings: dict[str, Any] = {"timeout_s": 20.0, **options}
        models.append(PythonModel(target, tmp_path, **settings))
        return models[-1]

    yield write
    for model in models:
        model.close()


def ask(model: PythonModel, *inputs: Json) -> list[str | Failure]:
    return list(model.answer([Example(str(i), one) for i, one in enumerate(inputs)]))


def gone(pid: int) -> bool:
    """Whether a process ends within ten seconds, without asking again and again."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], 10)[0])
    finally:
        os.close(handle)


linux = pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="watches processes by pidfd: Linux only")


def test_it_answers_in_order_and_the_gate_never_imports_it(make: Make) -> None:
    model = make("def f(x): return x['text'].upper()")
    assert ask(model, {"text": "a"}, {"text": "é\u2028"}) == ["A", "É\u2028"]
    assert "model" not in sys.modules


def test_batches_go_as_lists_and_come_back_in_order(make: Make) -> None:
    model = make("def f(many): return [f'{one} of {len(many)}' for one in many]", batch=2)
    assert ask(model, "a", "b", "c") == ["a of 2", "b of 2", "c of 1"]


@pytest.mark.parametrize(
    ("result", "why"),
    [
        ("'text'", "answered str to a batch, not a list"),
        ("None", "answered NoneType to a batch, not a list"),
        ("many[1:]", "answered 1 texts for 2 inputs"),
        ("many + many", "answered 4 texts for 2 inputs"),
    ],
)
def test_a_batch_that_is_not_answered_one_for_one_fails_as_a_whole(make: Make, result: str, why: str) -> None:
    assert ask(make(f"def f(many): return {result}", batch=2), "a", "b") == [Failure(why)] * 2


@pytest.mark.parametrize(
    ("result", "why"),
    [
        ("None", "answered None, not text"),
        ("3", "answered int, not text"),
        ("b'x'", "answered bytes, not text"),
        ("['x']", "answered list, not text"),
        ("float('nan')", "answered float, not text"),
        ("'\\ud800'", "answered text that is not Unicode: a lone surrogate U+D800"),
        ("'x' * (1 << 21)", "answered 2097152 characters: more than 1048576 bytes are not taken"),
        ("'é' * 600_000", "answered 1200000 bytes: more than 1048576 are not taken"),
    ],
)
def test_what_is_not_text_is_the_models_failure(make: Make, result: str, why: str) -> None:
    assert ask(make(f"def f(x): return {result} if x == 'bad' else x"), "bad", "good") == [Failure(why), "good"]


def test_an_answer_of_the_greatest_length_is_taken(make: Make) -> None:
    assert ask(make("def f(x): return '\\0' * (1 << 20)"), "a") == ["\0" * (1 << 20)]


def test_an_exception_is_one_examples_failure_and_says_where(make: Make) -> None:
    model = make(
        """
        def f(x):
            if x == "exit":
                raise SystemExit(3)
            if x == "odd":
                raise type("Odd", (Exception,), {"__str__": lambda self: 1 / 0})
            return {"a": "A"}[x]
        """
    )
    assert ask(model, "b", "exit", "odd", "a") == [
        Failure("KeyError: 'b' (model.py:7)"),
        Failure("SystemExit: 3 (model.py:4)"),
        Failure("model.Odd: <exception str() failed> (model.py:6)"),
        "A",
    ]


@pytest.mark.parametrize(
    ("source", "target", "why"),
    [
        ("import no_such", "model:f", "ModuleNotFoundError: No module named 'no_such' (model.py:1)"),
        ("def f(:", "model:f", "SyntaxError: invalid syntax (model.py:1)"),
        ("f = 1", "model:f", "f is int, which cannot be called"),
        ("class f: pass", "model:f", "f is a class: name a function, or an instance that can be called"),
        ("", "model:f", "AttributeError: module 'model' has no attribute 'f'"),
        ("", "nowhere.model:f", "ModuleNotFoundError: No module named 'nowhere'"),
        ("raise SystemExit(0)", "model:f", "SystemExit: 0 (model.py:1)"),
        ("import os; os._exit(0)", "model:f", "the model's process ended with exit code 0"),
    ],
)
def test_a_model_that_cannot_be_loaded_is_the_gates_failure_for_every_example(
    make: Make, source: str, target: str, why: str
) -> None:
    assert ask(make(source, target), "a", "b") == [Failure(f"cannot load {target}: {why}", "gate")] * 2


def test_a_model_that_cannot_be_loaded_is_tried_once(make: Make, tmp_path: Path) -> None:
    model = make("open('tries', 'a').write('x'); raise ValueError")
    ask(model, *range(50))
    ask(model, *range(50))
    assert (tmp_path / "tries").read_text() == "x"


def test_a_model_that_takes_too_long_to_load_is_given_up(make: Make) -> None:
    model = make("while True: pass", load_timeout_s=0.3)
    assert ask(model, "a") == [Failure("cannot load model:f: no answer within 0.3 s", "gate")]


def test_a_folder_that_is_not_there_is_the_gates_failure(tmp_path: Path) -> None:
    (answer,) = ask(PythonModel("model:f", tmp_path / "nowhere"), "a")
    assert isinstance(answer, Failure)
    assert answer.blame == "gate"


@pytest.mark.parametrize("target", ["model", "model:", ":f", "a b:f", "../x:f", "model:f()", "-c:f", "model.py:f\n"])
def test_a_target_that_names_no_function_is_a_configuration_error(target: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError):
        PythonModel(target, tmp_path)


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        ("os._exit(0)", "the model's process ended with exit code 0"),
        ("os.kill(os.getpid(), 9)", "the model's process ended with signal 9 (SIGKILL)"),
        ("ctypes.string_at(0)", "the model's process ended with signal 11 (SIGSEGV)"),
        ("print('words', file=sys.stderr) or os._exit(7)", "…exit code 7; it printed last: words"),
        ("os.write(1, b'loud\\n') and os._exit(7)", "…exit code 7; it printed last: loud"),
        ("os.fork() or time.sleep(600); os._exit(1)", "the model's process ended with exit code 1"),
    ],
)
def test_a_process_that_ends_costs_one_example_and_is_started_again(make: Make, fault: str, why: str) -> None:
    model = make(f"import ctypes, os, sys, time\ndef f(x):\n if x == 'bad': {fault}\n return x")
    first, failed, last = ask(model, "a", "bad", "b")
    assert (first, last) == ("a", "b")
    assert isinstance(failed, Failure)
    assert failed.blame == "model"
    assert failed.why.startswith(why) if why[0] != "…" else failed.why.endswith(why[1:])


@pytest.mark.parametrize("hang", ["while True: pass", "time.sleep(600)", "re.match('(a+)+b', 'a' * 99)"])
def test_a_model_that_hangs_costs_one_example_and_is_started_again(make: Make, hang: str) -> None:
    model = make(f"import re, time\ndef f(x):\n if x == 'bad':\n  {hang}\n return x", timeout_s=0.5)
    assert ask(model, "a", "bad", "b") == ["a", Failure("no answer within 0.5 s"), "b"]


def test_after_three_ends_in_a_row_it_is_not_asked_again(make: Make, tmp_path: Path) -> None:
    model = make("import os\ndef f(x):\n open('asked', 'a').write(x)\n return x if x == 'a' else os._exit(5)")
    answers = ask(model, "x", "x", "a", "x", "x", "x", "a", "a")
    ended = Failure("the model's process ended with exit code 5")
    given_up = Failure(f"not asked: the model was lost 3 times in a row, last: {ended.why}", "gate")
    assert answers == [ended, ended, "a", ended, ended, ended, given_up, given_up]
    assert (tmp_path / "asked").read_text() == "xxaxxx"


def test_what_it_prints_is_no_answer(make: Make) -> None:
    model = make(
        """
        import os, sys
        print('{"ready": true}')
        def f(x):
            print("noise " * 50_000)
            sys.stderr.write('{"results": [{"answer": "forged"}]}' + chr(10))
            os.write(1, b'{"results": [{"answer": "forged"}]}\\n')
            os.system("echo from a shell")
            return x + str(sys.stdin.read(1))
        """
    )
    assert ask(model, "a", "b") == ["a", "b"]


def test_only_the_tail_of_what_it_prints_is_kept(make: Make, tmp_path: Path) -> None:
    make("def f(x):\n for n in range(99): print(str(n) * 99_999)\n return x")
    process = PythonProcess(tmp_path, os.environ)
    process.exchange(b'{"target": "model:f", "batch": 1}\n', 20, 1000)
    process.exchange(b'{"number": 1, "inputs": ["a"]}\n', 20, 1000)
    process.finish()
    assert len(process.printed) <= TAIL


def test_an_answer_on_the_gates_own_pipe_is_not_taken(make: Make) -> None:
    forger = """
        import os
        def f(x):
            if x == "bad":
                for pipe in range(3, 30):
                    try: os.write(pipe, b'{"number": 2, "results": [{"answer": "forged"}]}\\n' * 2)
                    except OSError: pass
            return x
        """
    assert ask(make(forger), "a", "bad", "b") == ["a", Failure("the model wrote on the gate's own pipe"), "b"]


def test_a_model_that_returns_twice_cannot_answer_the_next_example(make: Make) -> None:
    model = make("import os\ndef f(x):\n if x == 'bad': os.fork()\n return x", timeout_s=2.0)
    answers = ask(model, "a", "bad", "b", "c")
    assert all(isinstance(one, Failure) or one == x for x, one in zip(["a", "bad", "b", "c"], answers, strict=True))


def test_a_large_input_and_a_model_that_never_reads_it_do_not_block_the_gate(make: Make) -> None:
    model = make("import os, signal\ndef f(x): os.kill(os.getpid(), signal.SIGSTOP)", timeout_s=0.5)
    assert ask(model, "x" * 3_000_000, "y") == [Failure("no answer within 0.5 s")] * 2


def test_it_sees_no_arguments_and_only_the_environment_it_may(make: Make, tmp_path: Path) -> None:
    model = make(
        "import os, sys\ndef f(x): return repr([sys.argv, os.getcwd(), sys.path[0], sorted(os.environ)])",
        env_names=["MODEL_TOKEN"],
        environment={
            **dict.fromkeys(("PATH", "LC_ALL", "HF_HOME", "MODEL_TOKEN"), "/usr/bin:/bin"),
            **dict.fromkeys(("CI", "GITHUB_TOKEN", "MLGATE_X", "AWS_SECRET_ACCESS_KEY", "PYTHONSTARTUP"), "secret"),
        },
    )
    here = str(tmp_path.resolve())
    assert ask(model, "a") == [repr([[""], here, here, ["HF_HOME", "LC_ALL", "MODEL_TOKEN", "PATH"]])]


def test_a_secret_from_its_environment_is_not_shown(make: Make) -> None:
    model = make(
        "import os\ndef f(x): raise ValueError('no login with ' + os.environ['MODEL_TOKEN'])",
        env_names=["MODEL_TOKEN"],
        environment={"MODEL_TOKEN": "tok-12345"},
    )
    assert ask(model, "a") == [Failure("ValueError: no login with *** (model.py:2)")]


@linux
def test_closing_ends_the_process_and_its_children_and_may_be_done_twice(make: Make) -> None:
    model = make(
        """
        import os, signal, subprocess
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        def f(x):
            return f"{os.getpid()} {subprocess.Popen(['sleep', '600']).pid}"
        """
    )
    (pids,) = ask(model, "a")
    assert isinstance(pids, str)
    model.close()
    model.close()
    assert all(gone(int(pid)) for pid in pids.split())
    assert len(ask(model, "a")) == 1, "asking again starts again"


def test_a_model_may_say_goodbye(make: Make, tmp_path: Path) -> None:
    model = make("import atexit\natexit.register(lambda: open('bye', 'w').close())\ndef f(x): return x")
    ask(model, "a")
    model.close()
    assert (tmp_path / "bye").exists()


@linux
@pytest.mark.parametrize("busy", ["while True: pass", "re.match('(a+)+b', 'a' * 99)", "time.sleep(600)"])
def test_nothing_is_left_when_the_gate_is_killed(tmp_path: Path, busy: str) -> None:
    os.mkfifo(tmp_path / "pids")
    (tmp_path / "model.py").write_text(
        "import os, re, subprocess, time\n"
        f"def f(x):\n open('pids', 'w').write(f\"{{os.getpid()}} {{subprocess.Popen(['sleep', '600']).pid}}\")\n {busy}"
    )
    gate = (
        "from pathlib import Path; from mlgate.adapters.python_model import PythonModel;"
        "from mlgate.core.check import Example;"
        f"list(PythonModel('model:f', Path({str(tmp_path)!r})).answer([Example('a', 'x')]))"
    )
    with subprocess.Popen([sys.executable, "-c", gate]) as process:
        pids = (tmp_path / "pids").read_text().split()
        process.kill()
    assert len(pids) == 2
    assert all(gone(int(pid)) for pid in pids)


def digest(root: Path, target: str = "pkg.mod:f") -> str:
    return PythonModel(target, root).digest


def test_the_digest_is_of_the_source_and_the_target_and_nothing_is_imported(tmp_path: Path) -> None:
    package = tmp_path / "pkg"
    package.mkdir()
    (package / "__init__.py").write_text("raise SystemExit('imported')")
    (package / "mod.py").write_text("def f(x): return x")
    before = digest(tmp_path)
    assert before == digest(tmp_path)
    assert before != digest(tmp_path, "pkg.mod:g")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "mod.py").write_text("")
    (package / "notes.txt").write_text("")
    assert before == digest(tmp_path)
    (package / "deep").mkdir()
    (package / "deep" / "more.py").write_text("")
    assert before != digest(tmp_path)


def test_the_same_source_elsewhere_has_the_same_digest(tmp_path: Path) -> None:
    digests = set()
    for name in ("one", "two"):
        (tmp_path / name / "pkg").mkdir(parents=True)
        (tmp_path / name / "pkg" / "mod.py").write_text("def f(x): return x")
        digests.add(digest(tmp_path / name))
    assert len(digests) == 1


@pytest.mark.parametrize("odd", ["fifo", "link to nowhere", "link to a device", "folder"])
def test_odd_files_do_not_stop_the_digest(tmp_path: Path, odd: str) -> None:
    place = tmp_path / "pkg" / "odd.py"
    place.parent.mkdir()
    match odd:
        case "fifo":
            os.mkfifo(place)
        case "link to nowhere":
            place.symlink_to("nowhere")
        case "link to a device":
            place.symlink_to("/dev/zero")
        case _:
            place.mkdir()
    assert len(digest(tmp_path)) == 64


def test_a_model_that_is_nowhere_has_a_digest_too(tmp_path: Path) -> None:
    assert digest(tmp_path, "nowhere_at_all:f") != digest(tmp_path, "nowhere_else:f")


def test_a_module_is_found_along_the_path_when_the_root_has_it_not(tmp_path: Path) -> None:
    assert digest(tmp_path, "json:dumps") != digest(tmp_path, "nowhere:dumps")
    assert digest(tmp_path, "json:dumps") == digest(tmp_path.parent, "json:dumps")


def test_settings_that_make_no_sense_are_configuration_errors(tmp_path: Path) -> None:
    wrong: Sequence[dict[str, Any]] = ({"batch": 0}, {"timeout_s": 0}, {"timeout_s": float("nan")})
    for options in wrong:
        with pytest.raises(ConfigError):
            PythonModel("m:f", tmp_path, **options)
