"""What a judge may ask of a job; the same tests for every kind of sandbox."""

from __future__ import annotations

import json
import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from pytest_llmbench.errors import AnswerFault, GraderError
from pytest_llmbench.sandbox.api import Job, Limits, Sandbox

PATIENCE_S = 30.0


def python(code: str, **more: object) -> Job:
    return Job(["{python}", "main.py"], files={"main.py": code.encode()}, **more)  # type: ignore[arg-type]


def test_exit_status_and_output_are_told(sandbox: Sandbox) -> None:
    with sandbox.start(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(7)")) as process:
        end = process.wait(PATIENCE_S)
        assert (end.status, end.signal, end.limit) == (7, None, None)
        assert 0 < end.wall_s < PATIENCE_S
        assert process.output() == (b"out\n", b"err\n")
        assert process.wait(0) == end, "it can be asked again"


def test_a_signal_is_told(sandbox: Sandbox) -> None:
    with sandbox.start(python("import os; os.kill(os.getpid(), 15)")) as process:
        end = process.wait(PATIENCE_S)
    assert (end.status, end.signal) == (None, signal.SIGTERM)


@pytest.mark.parametrize(
    ("code", "how"),
    [
        ("raise SystemExit(7)", "with status 7"),
        ("import os; os.kill(os.getpid(), 15)", "by SIGTERM"),
        ("import os; os.kill(os.getpid(), 40)", "by signal 40"),  # a real-time signal, which has no name
    ],
)
def test_how_it_ended_in_words(sandbox: Sandbox, code: str, how: str) -> None:
    with sandbox.start(python(code)) as process:
        assert process.wait(PATIENCE_S).how == how


def test_last_words_are_the_end_of_stderr_on_one_line(sandbox: Sandbox) -> None:
    with sandbox.start(
        python("import sys; print('out'); sys.stderr.buffer.write(b'first\\nlast \\xff words\\n')")
    ) as process:
        process.wait(PATIENCE_S)
        assert process.last_words() == "first last \N{REPLACEMENT CHARACTER} words"
        assert process.last_words(5) == "words"


def test_activity_stands_still_while_all_threads_wait(sandbox: Sandbox) -> None:
    code = "import os, threading; threading.Thread(target=os.read, args=(3, 1)).start(); os.write(3, b'up\\n'); os.read(3, 1)"
    with sandbox.start(python(code)) as process:
        assert process.receive_line(PATIENCE_S) == b"up"
        deadline_s, looks = time.monotonic() + PATIENCE_S, [None, None]
        while (looks[0] != looks[1] or looks[0] is None) and time.monotonic() < deadline_s:
            looks = [looks[1], process.activity()]  # type: ignore[list-item]
        assert looks[0] == looks[1] is not None
        assert len(looks[0]) == 2


def test_activity_is_none_while_a_thread_runs(sandbox: Sandbox) -> None:
    with sandbox.start(python("import os; os.write(3, b'up\\n')\nwhile True: pass")) as process:
        assert process.receive_line(PATIENCE_S) == b"up"
        assert process.activity() is None


def test_a_program_that_is_not_there_is_the_answers_failure(sandbox: Sandbox) -> None:
    with sandbox.start(Job(["./missing"])) as process:
        assert process.wait(PATIENCE_S).status == 127
        assert b"cannot start './missing'" in process.output()[1]


def test_waiting_has_an_end(sandbox: Sandbox) -> None:
    with (
        sandbox.start(python("import time; time.sleep(600)")) as process,
        pytest.raises(TimeoutError, match="still runs"),
    ):
        process.wait(0.05)


def test_files_modes_places_and_environment(sandbox: Sandbox) -> None:
    code = """if True:
        import json, os, sys
        print(json.dumps({
            "cwd": os.getcwd(), "argv": sys.argv[1:], "sub": open("a/b.txt").read(), "x": os.access("run.sh", os.X_OK),
            "plain": os.access("a/b.txt", os.X_OK), "trusted": open(sys.argv[2] + "/judge.txt").read(), "env": os.environ["MINE"],
            "home": os.environ["HOME"], "names": sorted(set(os.environ) - {"LC_CTYPE", "PWD"}), "tmp": os.access(os.environ["TMPDIR"], os.W_OK),
        }))"""
    job = Job(
        ["{python}", "main.py", "{work}/x", "{trusted}"],
        files={"main.py": code.encode(), "a/b.txt": b"deep", "run.sh": b"#!/bin/sh\n"},
        executable=frozenset({"run.sh"}),
        trusted={"judge.txt": b"judge's"},
        env={"MINE": "at {work}"},
    )
    with sandbox.start(job) as process:
        assert process.wait(PATIENCE_S).status == 0, process.output()
        said = json.loads(process.output()[0])
    assert said["argv"][0] == said["cwd"] + "/x"
    assert (said["sub"], said["x"], said["plain"], said["trusted"]) == ("deep", True, False, "judge's")
    assert said["env"] == "at " + said["cwd"]
    assert said["home"] == said["cwd"]
    assert said["names"] == ["HOME", "LANG", "MINE", "PATH", "PYTHONDONTWRITEBYTECODE", "TMPDIR"]
    assert said["tmp"]


def test_channel_carries_lines_both_ways(sandbox: Sandbox) -> None:
    code = "import socket\nc = socket.socket(fileno=3).makefile('rwb', 0)\nfor line in c: c.write(line.upper())"
    with sandbox.start(python(code)) as process:
        process.send(b"one\ntw")
        assert process.receive_line(PATIENCE_S) == b"ONE"
        process.send(b"o\n")
        assert process.receive_line(PATIENCE_S) == b"TWO"
        assert not process.has_unread()
        with pytest.raises(TimeoutError):
            process.receive_line(0.01)


def test_channel_ends_with_the_program(sandbox: Sandbox) -> None:
    with sandbox.start(python("import os; os.write(3, b'whole\\nhalf')")) as process:
        assert process.receive_line(PATIENCE_S) == b"whole"
        assert process.receive_line(PATIENCE_S) is None
        assert process.receive_line(PATIENCE_S) is None
        process.send(b"nobody hears this\n" * 100_000)


def test_a_line_too_long_is_the_answers_fault(sandbox: Sandbox) -> None:
    with (
        sandbox.start(python("import os\nwhile True: os.write(3, b'x' * 4096)")) as process,
        pytest.raises(AnswerFault, match="longer than 10000"),
    ):
        process.receive_line(PATIENCE_S, max_bytes=10_000)


def test_a_program_that_never_reads_holds_the_judge_no_longer_than_it_runs(sandbox: Sandbox) -> None:
    with sandbox.start(python("import time; time.sleep(600)", limits=Limits(wall_s=1))) as process:
        process.send(b"x" * (8 << 20))
        assert process.wait(PATIENCE_S).limit == "wall"


def test_signals_reach_the_first_process(sandbox: Sandbox) -> None:
    code = "import os, signal\nsignal.signal(signal.SIGUSR1, lambda *_: os.write(3, b'got it\\n'))\nos.write(3, b'ready\\n')\nwhile True: signal.pause()"
    with sandbox.start(python(code)) as process:
        assert process.receive_line(PATIENCE_S) == b"ready"
        process.signal(signal.SIGUSR1)
        assert process.receive_line(PATIENCE_S) == b"got it"
        process.signal(signal.SIGKILL)
        assert process.wait(PATIENCE_S).signal == signal.SIGKILL
        process.signal(signal.SIGUSR1)


def test_tasks_show_every_thread_and_only_the_candidates(sandbox: Sandbox) -> None:
    code = """if True:
        import os, threading, time
        for _ in range(3): threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
        if os.fork() == 0:
            open("/proc/self/comm", "w").write("hidden?")
            os.write(3, b"ready\\n")
        time.sleep(600)"""
    with sandbox.start(python(code)) as process:
        assert process.receive_line(PATIENCE_S) == b"ready"
        tasks = process.tasks()
        assert len(tasks) == 5
        assert len({task.pid for task in tasks}) == 2
        assert [task.comm for task in tasks].count("hidden?") == 1
        assert all(Path(f"/proc/{task.pid}/task/{task.tid}").exists() for task in tasks)
    assert process.tasks() == ()


def test_files_are_collected_also_after_the_end(sandbox: Sandbox) -> None:
    code = "import os; os.mkdir('d'); open('d/f', 'wb').write(b'made'); open('big', 'wb').write(b'x' * 2000)"
    with sandbox.start(python(code)) as process:
        process.wait(PATIENCE_S)
        assert process.collect("d/f") == b"made"
        assert process.collect("d/none") is None
        assert process.collect("none/f") is None
        with pytest.raises(AnswerFault, match="more than 1999 bytes"):
            process.collect("big", max_bytes=1999)
    with pytest.raises(GraderError, match="after close"):
        process.collect("d/f")


def test_output_is_bounded_and_what_was_dropped_is_counted(sandbox: Sandbox) -> None:
    job = python("import sys; sys.stdout.write('x' * 5000); sys.stdout.flush()", limits=Limits(output_bytes=1000))
    with sandbox.start(job) as process:
        assert process.wait(PATIENCE_S).status == 0
        assert process.output() == (b"x" * 1000, b"")
        assert process.dropped_output_bytes == 4000


def test_wall_clock_limit(sandbox: Sandbox) -> None:
    with sandbox.start(python("import time; time.sleep(600)", limits=Limits(wall_s=0.2))) as process:
        end = process.wait(PATIENCE_S)
        assert (end.status, end.limit) == (None, "wall")
        assert end.wall_s >= 0.2


def test_memory_limit(sandbox: Sandbox) -> None:
    job = python("hoard = []\nwhile True: hoard.append(b'x' * 4000000)", limits=Limits(memory_bytes=64 << 20))
    with sandbox.start(job) as process:
        assert process.wait(PATIENCE_S).limit == "memory"


def test_close_is_idempotent_and_ends_everything(sandbox: Sandbox) -> None:
    process = sandbox.start(python("import os, time\nos.fork()\nos.write(3, b'ready\\n')\ntime.sleep(600)"))
    process.receive_line(PATIENCE_S)
    pids = {task.pid for task in process.tasks()}
    process.close()
    process.close()
    assert pids
    assert not any(Path(f"/proc/{pid}").exists() for pid in pids)


@pytest.mark.parametrize(
    "name", ["../x", "/etc/x", "~/x", "a/../../x", "a//b", "", ".", "a\0b", "a\nb", "\u202egpj.py", "x" * 256, "a\\b"]
)
def test_hostile_file_names_are_refused(sandbox: Sandbox, name: str) -> None:
    with pytest.raises(AnswerFault, match="is refused"):
        sandbox.start(Job(["true"], files={name: b""}))


def test_files_that_do_not_fit_are_the_answers_fault(sandbox: Sandbox) -> None:
    with pytest.raises(AnswerFault, match="wanted at most"):
        sandbox.start(Job(["true"], files={"x": bytes(2000)}, limits=Limits(disk_bytes=1000)))
    with pytest.raises(AnswerFault, match="cannot be written"):
        sandbox.start(Job(["true"], files={"x": b"", "x/y": b""}))


DRIVER = """
import socket, sys
from pytest_llmbench.sandbox import driver
port = driver.receive()
client = socket.create_connection(("127.0.0.1", port), 20)
driver.send({"args": sys.argv[1:], "heard": client.recv(100).decode()})
driver.receive()
"""

SERVER = """if True:
    import os, socket
    server = socket.create_server(("127.0.0.1", 0))
    os.write(3, b"%d\\n" % server.getsockname()[1])
    while True:
        server.accept()[0].sendall(b"hello")
"""


def test_driver_meets_the_candidate_in_its_network(sandbox: Sandbox, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(DRIVER)
    with sandbox.start(python(SERVER)) as process:
        port = int(process.receive_line(PATIENCE_S) or 0)
        driver = process.drive(script, "one", "two")
        driver.send(port)
        assert driver.receive(PATIENCE_S) == {"args": ["one", "two"], "heard": "hello"}
        with pytest.raises(TimeoutError):
            driver.receive(0.01)
        other = process.drive(script)
        other.send(port)
        assert other.receive(PATIENCE_S)["heard"] == "hello"
        driver.close()
        driver.close()


def test_a_driver_that_dies_is_the_graders_error(sandbox: Sandbox, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text("raise SystemExit('out of order')")
    with sandbox.start(python("import time; time.sleep(600)")) as process:
        driver = process.drive(script)
        with pytest.raises(GraderError, match=r"status 1.*out of order"):
            driver.receive(PATIENCE_S)


def test_a_driver_has_zmq_and_no_secrets(sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLMBENCH_TEST_API_KEY", "secret")
    script = tmp_path / "script.py"
    script.write_text(
        "import os, zmq\nfrom pytest_llmbench.sandbox import driver\ndriver.send([zmq.__name__, dict(os.environ)])"
    )
    with sandbox.start(python("import time; time.sleep(600)")) as process:
        name, environment = process.drive(script).receive(PATIENCE_S)
    assert name == "zmq"
    assert "LLMBENCH_TEST_API_KEY" not in environment


def test_many_at_once_from_many_threads(sandbox: Sandbox) -> None:
    def run(number: int) -> bytes:
        with sandbox.start(python(f"print({number})")) as process:
            process.wait(PATIENCE_S)
            return process.output()[0]

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(run, range(8))) == [f"{number}\n".encode() for number in range(8)]


def test_a_job_outlives_the_thread_that_started_it(sandbox: Sandbox) -> None:
    """Die-with-parent is tied to the thread that starts a process."""
    started = []
    thread = threading.Thread(
        target=lambda: started.append(sandbox.start(python("import os; os.read(3, 1); print('alive')")))
    )
    thread.start()
    thread.join()
    with started[0] as process:
        with pytest.raises(TimeoutError):
            process.wait(0.2)
        process.send(b"x")
        assert process.wait(PATIENCE_S).status == 0
        assert process.output()[0] == b"alive\n"
