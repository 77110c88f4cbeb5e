"""Calling a candidate's functions; how it stands up to hostile ones is in `hostile/test_forgeries.py`."""

from __future__ import annotations

from decimal import Decimal

import pytest

from pytest_llmbench.errors import AnswerFault
from pytest_llmbench.sandbox.api import Limits, Sandbox
from pytest_llmbench.sandbox.worker import Raised, open_worker

ANSWER = b"""
import time
print("noise on stdout")
def echo(*args): return list(args)
class Pool:
    @staticmethod
    def pay(shares): return {name: amount // 2 for name, amount in shares.items()}
def fail(): raise ValueError("no funds")
def exits(): raise SystemExit(3)
def wait(): time.sleep(600)
def thing(): return object()
count = 0
def counted():
    global count
    count += 1
    return count
"""


def test_functions_are_called_by_dotted_name_with_plain_values(sandbox: Sandbox) -> None:
    with open_worker(sandbox, {"answer.py": ANSWER}, module="answer") as worker:
        given = [1, 2.5, "ü", None, True, b"\0\xff", Decimal("0.10"), (1, [2]), {"a": {3: "x"}}]
        assert worker.call("echo", *given) == given
        assert worker.call("Pool.pay", {"miner": 7}) == {"miner": 3}


def test_the_module_keeps_its_state_between_calls(sandbox: Sandbox) -> None:
    with open_worker(sandbox, {"answer.py": ANSWER}, module="answer") as worker:
        assert [worker.call("counted") for _ in range(3)] == [1, 2, 3]


def test_an_exception_is_a_value(sandbox: Sandbox) -> None:
    with open_worker(sandbox, {"answer.py": ANSWER}, module="answer") as worker:
        assert worker.call("fail") == Raised("ValueError", "no funds")
        assert worker.call("exits") == Raised("SystemExit", "3")
        assert worker.call("no_such").type_name == "AttributeError"
        assert worker.call("echo", 1) == [1], "the worker lives on"


def test_faults_of_the_answer_say_what_happened(sandbox: Sandbox) -> None:
    with open_worker(sandbox, {"answer.py": ANSWER}, module="answer") as worker:
        with pytest.raises(AnswerFault, match="a value of type object was returned"):
            worker.call("thing")
        with pytest.raises(AnswerFault, match=r"no result within 0\.1 s"):
            worker.call("wait", timeout_s=0.1)


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("raise RuntimeError('not ready')", "importing 'answer' raised RuntimeError: not ready"),
        ("def f(:", "importing 'answer' raised SyntaxError"),
        (
            "import os; os.write(2, b'last words'); os._exit(0)",
            "ended with status 0 instead of returning a result; its last words: last words",
        ),
        ("import missing_module", "ModuleNotFoundError: No module named 'missing_module'"),
    ],
)
def test_an_import_that_fails_is_the_answers_fault(sandbox: Sandbox, code: str, told: str) -> None:
    with pytest.raises(AnswerFault, match=told):
        open_worker(sandbox, {"answer.py": code.encode()}, module="answer")


def test_a_limit_that_is_passed_is_the_answers_fault(sandbox: Sandbox) -> None:
    code = b"def hog():\n    hoard = []\n    while True: hoard.append(b'x' * 4000000)"
    limits = Limits(memory_bytes=64 << 20)
    with open_worker(sandbox, {"answer.py": code}, module="answer", limits=limits) as worker:
        with pytest.raises(AnswerFault, match="ended at its memory limit instead of returning"):
            worker.call("hog")
        assert worker.process.wait(30).limit == "memory"


def test_an_adapter_of_the_judge_and_distributions_are_there(sandbox: Sandbox) -> None:
    adapter = b"import answer, zmq\ndef twice(x): return answer.echo(x, x), zmq.__name__"
    with open_worker(
        sandbox, {"answer.py": ANSWER}, module="adapter", trusted={"adapter.py": adapter}, distributions=["pyzmq"]
    ) as worker:
        assert worker.call("twice", 4) == ([4, 4], "zmq")
