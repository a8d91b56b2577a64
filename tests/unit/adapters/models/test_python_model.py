"""A Python function in a process of its own: answers, loading, and what it sees of the world."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from tests.support.child_environment import child_environment
from tests.unit.adapters.models.python_functions import Make, ask, written_to

from mlgate.adapters.models.python_model import PythonModel
from mlgate.core.errors import ConfigError
from mlgate.core.ports import Failure

OF_MANY = "; a function that takes a list of inputs needs a batch: write python: {target: …, batch: 32}"


@pytest.fixture
def make(tmp_path: Path) -> Iterator[Make]:
    with written_to(tmp_path) as write:
        yield write


def test_it_answers_in_order_and_the_gate_never_imports_it(make: Make) -> None:
    model = make("def f(x): return x['text'].upper()")
    assert ask(model, {"text": "a"}, {"text": "é\u2028"}) == ["A", "É\u2028"]
    assert "model" not in sys.modules


def test_the_models_tree_is_left_as_it_was(make: Make, tmp_path: Path) -> None:
    """A file of bytecode would outlive a change of the source within the same second."""
    assert ask(make("import json\ndef f(x): return 'a'"), "x") == ["a"]
    assert not [*tmp_path.rglob("__pycache__")]


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
        ("b'x'", "answered bytes, not text"),
        ("['x']", f"answered list, not text{OF_MANY}"),
        ("__import__('numpy').array(['x'])", f"answered ndarray, not text{OF_MANY}"),
        ("float('nan')", "answered nan, not text"),
        ("1 << 99999", "answered a number of too many digits"),
        ("'\\ud800'", "answered text that is not Unicode: a lone surrogate U+D800"),
        ("'x' * (1 << 21)", "answered 2097152 characters: more than 1048576 bytes are not taken"),
        ("'é' * 600_000", "answered 1200000 bytes: more than 1048576 are not taken"),
    ],
)
def test_what_is_not_text_is_the_models_failure(make: Make, result: str, why: str) -> None:
    assert ask(make(f"def f(x): return {result} if x == 'bad' else x"), "bad", "good") == [Failure(why), "good"]


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ("1", "1"),
        ("1.0", "1"),
        ("0.5", "0.5"),
        ("True", "true"),
        ("numpy.int64(3)", "3"),
        ("numpy.float32(0.5)", "0.5"),
        ("numpy.bool_(False)", "false"),
        ("numpy.str_('a')", "a"),
        ("numpy.array(7)", "7"),
    ],
)
def test_a_number_or_a_truth_value_is_an_answer_as_it_is_a_reference(make: Make, result: str, text: str) -> None:
    assert ask(make(f"import numpy\ndef f(x): return {result}"), "a") == [text]


def test_a_batch_may_be_answered_by_an_array(make: Make) -> None:
    model = make("import numpy\ndef f(many): return numpy.array([len(x) for x in many])", batch=2)
    assert ask(model, "a", "bb") == ["1", "2"]


ASKS_FOR = """
import os
from os import environ, getenv

def f(x):
    if x == "get":
        return os.environ.get("MODEL_A", "") + getenv("MODEL_B", "") + environ.get("MODEL_C", "")
    return os.environ["MODEL_D"]
"""


def test_a_variable_that_is_set_and_not_passed_on_is_named_where_the_model_misses_it(make: Make) -> None:
    there = dict.fromkeys(["MODEL_A", "MODEL_C", "MODEL_D", "OTHER"], "x")
    model = make(ASKS_FOR, environment=child_environment(**there), env_names=["MODEL_C"])
    assert model.unseen == ("MODEL_A", "MODEL_D")
    answered, failed = ask(model, "get", "d")
    assert answered == "x"
    assert isinstance(failed, Failure)
    assert failed.why.endswith("(MODEL_D is set, and not passed on to the model: write env: [MODEL_D] under python)")


def test_a_variable_that_is_missing_while_loading_is_named_too(make: Make) -> None:
    model = make("import os\nKEY = os.environ['MODEL_KEY']\ndef f(x): return x", environment={"MODEL_KEY": "x"})
    (failed,) = ask(model, "a")
    assert isinstance(failed, Failure)
    assert "write env: [MODEL_KEY] under python" in failed.why


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


def test_settings_that_make_no_sense_are_configuration_errors(tmp_path: Path) -> None:
    wrong: Sequence[dict[str, Any]] = ({"batch": 0}, {"timeout_s": 0}, {"timeout_s": float("nan")})
    for options in wrong:
        with pytest.raises(ConfigError):
            PythonModel("m:f", tmp_path, **options)
