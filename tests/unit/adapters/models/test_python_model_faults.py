"""How a model's process may end, hang or lie, and that nothing of it is left behind."""

from __future__ import annotations

import os
import select
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.support.child_environment import child_environment
from tests.support.waiting import PATIENCE
from tests.unit.adapters.models.python_functions import Make, ask, written_to

from mlgate.adapters.models.python_process import LOG_TAIL, start
from mlgate.core.ports import Failure


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    with written_to(tmp_path) as write:
        yield write


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
    model = make(f"import re, time\ndef f(x):\n if x == 'bad':\n  {hang}\n return x")
    assert ask(model, "a") == ["a"]
    model._timeout_s = 0.5  # of the one that hangs: the others may take what a busy machine takes
    assert ask(model, "bad") == [Failure("no answer within 0.5 s")]
    model._timeout_s = PATIENCE
    assert ask(model, "b") == ["b"]


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
    process = start(tmp_path, child_environment())
    process.exchange(b'{"target": "model:f", "batch": 1}\n', PATIENCE, 1000)
    process.exchange(b'{"number": 1, "inputs": ["a"]}\n', PATIENCE, 1000)
    process.finish()
    assert len(process.printed) <= LOG_TAIL


def test_an_answer_on_the_gates_own_pipe_is_not_taken(make: Make) -> None:
    forger = """
        import os
        def f(x):
            if x == "bad":
                for pipe in range(3, 1024):
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
        "from pathlib import Path; from mlgate.adapters.models.python_model import PythonModel;"
        "from mlgate.core.check import Example;"
        f"list(PythonModel('model:f', Path({str(tmp_path)!r})).answer([Example('a', 'x')]))"
    )
    with subprocess.Popen([sys.executable, "-c", gate], env=child_environment()) as process:
        pids = (tmp_path / "pids").read_text().split()
        process.kill()
    assert len(pids) == 2
    assert all(gone(int(pid)) for pid in pids)
