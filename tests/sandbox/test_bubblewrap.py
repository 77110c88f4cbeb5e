"""What only bubblewrap gives: walls, and inside them enough to run real programs."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from pytest_llmbench.errors import SandboxError, UsageFault
from pytest_llmbench.sandbox import open_sandbox
from pytest_llmbench.sandbox.api import Job, Limits, Sandbox
from pytest_llmbench.sandbox.process import CagedProcess

PATIENCE_S = 30.0


def run(sandbox: Sandbox, code: str, *, distributions: tuple[str, ...] = ()) -> str:
    job = Job(["{python}", "main.py"], files={"main.py": code.encode()}, distributions=distributions)
    with sandbox.start(job) as process:
        end = process.wait(PATIENCE_S)
        out, err = process.output()
        assert end.status == 0, err.decode()
        return out.decode().strip()


def test_the_kind_is_told_with_its_limits(bubblewrap: Sandbox) -> None:
    assert bubblewrap.use.kind == "bubblewrap"
    assert {"seccomp", "rlimits", "pss-watchdog", "network-namespace"} <= set(bubblewrap.use.limits_in_force)


def test_no_isolation_says_so(unsandboxed: Sandbox) -> None:
    assert unsandboxed.use.kind == "none"
    assert not {"seccomp", "network-namespace"} & set(unsandboxed.use.limits_in_force)


def test_unknown_kind_names_the_known() -> None:
    with pytest.raises(UsageFault, match="'docker' is unknown, wanted one of: bubblewrap, none"):
        open_sandbox("docker")


def test_the_candidate_is_no_root_and_no_user_of_the_host(bubblewrap: Sandbox) -> None:
    with bubblewrap.start(Job(["sleep", "600"])) as process:
        assert isinstance(process, CagedProcess)
        (task,) = process.tasks()
        uid = Path(f"/proc/{task.pid}").stat().st_uid
    assert uid != 0
    assert uid == os.geteuid() or 61184 <= uid < 65520


def test_same_interpreter_without_packages(bubblewrap: Sandbox) -> None:
    version, packages = run(
        bubblewrap, "import sys, importlib.metadata as m; print(sys.version); print(len(list(m.distributions())))"
    ).rsplit("\n", 1)
    assert version == sys.version.strip()
    assert packages == "0"


def test_standard_library_works(bubblewrap: Sandbox) -> None:
    code = """if True:
        import asyncio, ssl, sqlite3, ctypes, hashlib, decimal, multiprocessing, threading, subprocess, tempfile, lzma, socket
        async def main():
            server = await asyncio.start_server(lambda r, w: w.close(), "localhost", 0)
            reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname()[:2])
            assert await reader.read() == b""
            child = await asyncio.create_subprocess_exec("echo", "child", stdout=subprocess.PIPE)
            assert (await child.communicate())[0] == b"child\\n"
        asyncio.run(main())
        with multiprocessing.Pool(2) as pool:
            assert pool.map(abs, [-1, 2]) == [1, 2]
        with tempfile.NamedTemporaryFile() as file:
            database = sqlite3.connect("w.db"); database.execute("pragma journal_mode=wal"); database.execute("create table t(x)")
        assert socket.gethostname() == "candidate"
        print("fine")"""
    assert run(bubblewrap, code) == "fine"


def test_zmq_works_over_every_transport(bubblewrap: Sandbox) -> None:
    code = """if True:
        import asyncio, importlib.metadata, zmq, zmq.asyncio
        context = zmq.Context()
        for address in ("tcp://127.0.0.1:5599", "ipc:///tmp/z", "inproc://z", "tcp://*:5600"):
            server, client = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
            server.bind(address); client.connect(address.replace("*", "127.0.0.1")); client.send(b"x")
            assert server.recv() == b"x"
        async def main():
            socket = zmq.asyncio.Context.instance().socket(zmq.SUB)
            socket.connect("tcp://127.0.0.1:5601"); socket.close()
        asyncio.run(main())
        print(importlib.metadata.version("pyzmq"))"""
    import zmq  # noqa: PLC0415 - only for its version

    assert run(bubblewrap, code, distributions=("pyzmq",)) == zmq.__version__


def test_shell_tools_work(bubblewrap: Sandbox) -> None:
    script = """set -e
        printf '{"n": [1, 2]}' > data.json
        "$1" -m http.server --bind 127.0.0.1 8099 >/dev/null 2>&1 &
        curl -s --retry 20 --retry-connrefused --retry-delay 1 http://127.0.0.1:8099/data.json | jq -r '.n | add'
        printf 'GET /data.json HTTP/1.0\\r\\n\\r\\n' | nc -w 20 127.0.0.1 8099 | tail -n 1; echo
        exec 5<>/dev/tcp/127.0.0.1/8099 && echo connected
        awk 'BEGIN { print 6 * 7 }' | sed s/4/5/"""
    with bubblewrap.start(Job(["bash", "-c", script, "bash", "{python}"])) as process:
        assert process.wait(PATIENCE_S).status == 0, process.output()
        assert process.output()[0].splitlines() == [b"3", b'{"n": [1, 2]}', b"connected", b"52"], process.output()


def test_writable_places_are_of_the_wanted_size(bubblewrap: Sandbox) -> None:
    code = "import os\nfor p in ('/work', '/tmp', '/dev/shm'):\n v = os.statvfs(p); print(v.f_blocks * v.f_frsize)"
    job = Job(["{python}", "-c", code], limits=Limits(disk_bytes=8 << 20))
    with bubblewrap.start(job) as process:
        process.wait(PATIENCE_S)
        assert process.output()[0].split() == [b"8388608"] * 3


def test_an_unknown_distribution_says_how_to_get_it(bubblewrap: Sandbox) -> None:
    with pytest.raises(SandboxError, match="pip install no-such-thing"):
        bubblewrap.start(Job(["true"], distributions=["no-such-thing"]))
