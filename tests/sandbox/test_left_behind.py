"""Nothing is left: after a job, after many, and after the grader was killed."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_llmbench.errors import AnswerFault, SandboxError
from pytest_llmbench.sandbox.api import Job, Limits, Sandbox
from pytest_llmbench.sandbox.bubblewrap import BubblewrapSandbox
from pytest_llmbench.sandbox.process import CagedProcess

PATIENCE_S = 30.0
JOBS = 30

FORKY = """if True:
    import os, sys, time
    os.write(3, b"ready\\n")
    for _ in range(5):
        if os.fork() == 0:
            os.setsid()
            for _ in range(2): os.fork()
            while True: time.sleep(0.05)
    time.sleep(600)
"""

GRADER = """
import os, sys, time
from pathlib import Path
from pytest_llmbench.sandbox import open_sandbox
from pytest_llmbench.sandbox.api import Job
sandbox = open_sandbox(sys.argv[1])
process = sandbox.start(Job(["{python}", "-c", sys.argv[2], sys.argv[3]], files={"x": b"x"}))
script = Path(sys.argv[4]); script.write_text("import time\\nwhile True: time.sleep(1)")
process.drive(script, sys.argv[3])
process.receive_line(30)
while len(process.tasks()) < 12: time.sleep(0.01)
print("running", flush=True)
time.sleep(600)
"""


def holders(mark: str) -> dict[int, str]:
    """Return process id -> command line of all that carry the mark."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            line = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if mark in line and int(folder.name) != os.getpid():
            found[int(folder.name)] = line
    return found


def chain_of(grader: int) -> list[int]:
    """Return the process ids of the programs between the grader and the candidate, nearest first."""
    chain: list[int] = []
    waiting = [grader]
    while waiting:
        children = Path(f"/proc/{waiting[0]}/task")
        below = [int(pid) for task in children.iterdir() for pid in (task / "children").read_text().split()]
        waiting = [pid for pid in below if b"first.py" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        chain += waiting
    return chain


def wait_until_gone(mark: str) -> dict[int, str]:
    end_s = time.monotonic() + PATIENCE_S
    while (left := holders(mark)) and time.monotonic() < end_s:
        time.sleep(0.02)
    return left


@pytest.mark.parametrize("kind", ["bubblewrap", "none"])
@pytest.mark.parametrize("first_killed", ["grader", "launcher", "both"])
def test_kill_9_of_the_grader_leaves_no_orphan(kind: str, first_killed: str, tmp_path: Path) -> None:
    mark = f"mark-{secrets.token_hex(8)}"
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TMPDIR": str(temporary)}
    command = [sys.executable, "-c", GRADER, kind, FORKY, mark, str(tmp_path / "driver.py")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, env=env) as grader:
        try:
            assert grader.stdout is not None
            assert grader.stdout.readline() == b"running\n"
            assert len(holders(mark)) >= 12
            chain = chain_of(grader.pid)
            assert chain
            targets = {"grader": [grader.pid], "launcher": [chain[0], grader.pid], "both": [grader.pid, *chain]}[
                first_killed
            ]
            for pid in targets:
                kill(pid)
        finally:
            grader.kill()
    if kind == "none" and first_killed != "grader":
        # without walls, somebody who kills the tree's root by hand gets orphans; only the first of them is ours to end
        for pid in holders(mark):
            kill(pid)
        return
    assert wait_until_gone(mark) == {}
    assert wait_until_empty(temporary) == []


def kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def wait_until_empty(folder: Path) -> list[str]:
    end_s = time.monotonic() + PATIENCE_S
    while (left := [path.name for path in folder.iterdir()]) and time.monotonic() < end_s:
        time.sleep(0.02)
    return left


STARTER = """
import sys, threading
from pytest_llmbench.sandbox import bubblewrap, open_sandbox
from pytest_llmbench.sandbox.api import Job
bubblewrap.prove = lambda *_: None  # it would only take the time that the starts are to have
sandbox = open_sandbox(sys.argv[1])
def start():
    while True:
        with sandbox.start(Job(["true"])):
            pass
for _ in range(6):
    threading.Thread(target=start).start()
print("starting", flush=True)
"""

REAPER = """
import ctypes, os, signal, subprocess, sys, time
ctypes.CDLL(None).prctl(36, 1, 0, 0, 0)  # orphans become ours
for round in range(int(sys.argv[3])):
    with subprocess.Popen([sys.executable, "-c", sys.argv[1], sys.argv[2]], stdout=subprocess.PIPE) as grader:
        grader.stdout.readline()
        time.sleep(0.1 + 0.007 * round)
        grader.kill()
    end = time.monotonic() + 30
    while time.monotonic() < end:
        try:
            if os.waitpid(-1, os.WNOHANG) == (0, 0):
                time.sleep(0.01)
        except ChildProcessError:
            break
    else:
        sys.exit(f"round {round}: somebody is left")
"""


@pytest.mark.parametrize("kind", ["bubblewrap", "none"])
def test_kill_9_in_the_midst_of_starts_leaves_no_orphan(kind: str, tmp_path: Path) -> None:
    """The moment between two programs of the chain is short, so there are many."""
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        [sys.executable, "-c", REAPER, STARTER, kind, "12"], env=env, stderr=subprocess.PIPE, check=False
    )
    assert done.returncode == 0, done.stderr.decode()


def test_a_forked_copy_of_the_grader_does_not_hold_the_lifeline(bubblewrap: Sandbox) -> None:
    with bubblewrap.start(Job(["sleep", "600"])) as process:
        assert isinstance(process, CagedProcess)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)  # newer Pythons warn of forks beside threads
            pid = os.fork()
        if pid == 0:
            os._exit(0 if process._cage.talk.socket.fileno() == -1 else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        assert process.tasks()


def possessions() -> dict[str, object]:
    """Return what this process holds and has made: descriptors, threads, children, mounts, temporary files."""
    return {
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "threads": sorted(thread.name for thread in threading.enumerate() if thread.name.startswith("llmbench")),
        "children": sorted(
            pid for file in Path("/proc/self/task").glob("*/children") for pid in file.read_text().split()
        ),
        "mounts": Path("/proc/self/mountinfo").read_text(),
        "files": sorted(path.name for path in Path(tempfile.gettempdir()).glob("llmbench-*")),
    }


def test_many_jobs_leave_nothing(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    script = tmp_path / "driver.py"
    script.write_text("from pytest_llmbench.sandbox import driver\ndriver.send(1)\ndriver.receive()")

    def run(number: int) -> None:
        limits = Limits(wall_s=0.05 if number % 5 == 0 else 60)
        with sandbox.start(
            Job(["{python}", "-c", "import os, time\nos.fork()\ntime.sleep(600)"], limits=limits)
        ) as process:
            if number % 10 == 1:
                assert process.drive(script).receive(PATIENCE_S) == 1
            if number % 5 == 0:
                assert process.wait(PATIENCE_S).limit == "wall"

    run(1)  # what is made once: the thread that starts processes
    before = possessions()
    for number in range(JOBS):
        run(number)
    assert possessions() == before


def test_a_start_that_fails_leaves_nothing(
    bubblewrap: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    assert isinstance(bubblewrap, BubblewrapSandbox)
    broken = BubblewrapSandbox(replace(bubblewrap.setting, seccomp=b"garbage"))
    with bubblewrap.start(Job(["true"])):
        pass
    before = possessions()
    for _ in range(3):
        with pytest.raises(SandboxError):
            broken.start(Job(["true"]))
        with pytest.raises(AnswerFault):
            bubblewrap.start(Job(["true"], files={"x": b"", "x/y": b""}))
        with pytest.raises(AnswerFault):
            bubblewrap.start(Job(["true"], files={"../x": b""}))
    assert possessions() == before


def test_a_grader_in_the_background_without_a_terminal(tmp_path: Path) -> None:
    code = (
        "from pytest_llmbench.sandbox import open_sandbox\nfrom pytest_llmbench.sandbox.api import Job\n"
        "with open_sandbox('bubblewrap').start(Job(['echo', 'hello'])) as process:\n"
        "    process.wait(30); print(process.output())"
    )
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(
        [sys.executable, "-c", code],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        env=env,
        cwd=tmp_path,
        start_new_session=True,
        check=False,
    )
    assert done.stdout == b"(b'hello\\n', b'')\n", done.stderr.decode()
