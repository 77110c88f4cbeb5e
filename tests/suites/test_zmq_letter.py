"""The zmq suite's letter and program: what a model is given, and what it is not."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import zmq

from pytest_llmbench.suite import load_suite
from tests.nested import WITHOUT_OURS

from .corpus import ROOT, checks_of

SUITE = load_suite(ROOT / "suites" / "zmq")
LETTER = SUITE.prompt.replace(SUITE.program["notifier.py"], "")


@pytest.mark.parametrize(
    "hint",
    [
        r"three[- ]?(frame|part)",
        r"multi-?part",
        r"recv_multipart",
        r"thread[- ]?safe",
        r"race condition",
        r"deadlock",
        r"blocking",
        r"LINGER",
        r"RCVTIMEO",
        r"poller",
        r"\bETERM\b",
        r"little.endian",
    ],
)
def test_the_letter_names_no_bug(hint: str) -> None:
    assert re.search(hint, LETTER, re.IGNORECASE) is None


def test_the_letter_names_no_check() -> None:
    assert not [check for check in checks_of(SUITE.folder) if check in LETTER]


def test_the_exported_prompt_is_the_letter_and_the_whole_program(tmp_path: Path) -> None:
    argv = [sys.executable, "-m", "pytest", "suites/zmq", "-q", "-pno:cacheprovider", *WITHOUT_OURS]
    subprocess.run([*argv, f"--llm-export-prompts={tmp_path}"], cwd=ROOT, check=False, capture_output=True)
    letter = (SUITE.folder / "prompt.md").read_text("utf-8")
    before, mark, after = letter.partition("{{program}}\n")
    assert mark
    block = f"```python notifier.py\n{SUITE.program['notifier.py']}```\n"
    assert SUITE.prompt == f"{before}{block}\n{after}"
    assert (tmp_path / "zmq.md").read_bytes() == SUITE.prompt.encode()


def test_the_program_is_of_a_size_that_a_small_pool_really_runs() -> None:
    assert 120 <= SUITE.program["notifier.py"].count("\n") <= 200


def test_the_program_works_with_the_two_part_messages_that_its_owner_tested_with() -> None:
    topics = ("hashblock", "hashtx")
    with zmq.Context() as context, context.socket(zmq.XPUB) as publisher:
        publisher.setsockopt(zmq.RCVTIMEO, 20_000)
        publisher.bind("tcp://127.0.0.1:0")
        endpoint = publisher.getsockopt_string(zmq.LAST_ENDPOINT)
        program = subprocess.Popen(
            [sys.executable, SUITE.folder / "program" / "notifier.py", endpoint], stdout=subprocess.PIPE, text=True
        )
        try:
            assert {publisher.recv() for _ in topics} == {b"\x01" + topic.encode() for topic in topics}
            bodies = [os.urandom(32) for _ in range(50)]
            for number, body in enumerate(bodies):
                publisher.send_multipart([topics[number % 2].encode(), body])
            assert program.stdout is not None
            for number, body in enumerate(bodies):
                assert program.stdout.readline().split() == [topics[number % 2], body.hex(), str(number // 2 + 1)]
        finally:
            program.send_signal(signal.SIGKILL)
            program.communicate()
