"""A real llama-server with a model that is made here, for whoever has no other one at hand.

The program is the one that `dev/build-llama-server` builds once, the model the tests' own: it says one long text, and
what it costs to compute is set by its padding.
"""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx

from tests.real.chain_files import write_gguf
from tests.real.chain_model import Chain

MODEL = "chain"
PADDING = 65_536
"""About 150 tokens a second on one core of 2020, and 15,000 of a prompt: slow enough to be told from the way there."""
CONTEXT_TOKENS = 16_384
"""Of each slot."""
_READY_WITHIN_S = 120.0
_POLL_S = 0.05
_ROOT = Path(__file__).resolve().parents[1]


@contextmanager
def llama_server(slots: int = 4, padding: int = PADDING) -> Iterator[str]:
    """Run one on the loopback for the time of the block; give its base URL up to and including `/v1`.

    It computes with one thread: a second one would take the core that the client needs.

    Raises:
        RuntimeError: it did not start; the message has the end of its log.
    """
    built = subprocess.run([_ROOT / "dev" / "build-llama-server"], stdout=subprocess.PIPE, text=True, check=True)
    with TemporaryDirectory(prefix="llama-server-") as folder:
        text = " ".join(f"line {number}" for number in range(4_000))
        model = write_gguf(Chain.of(text, padding=padding), Path(folder) / "chain.gguf")
        port = _free_port()
        command = [built.stdout.splitlines()[-1], "--model", str(model), "--alias", MODEL, "--offline", "--no-ui"]
        command += ["--ctx-size", str(slots * CONTEXT_TOKENS), "--parallel", str(slots), "--threads", "1"]
        log = Path(folder) / "log"
        with (
            log.open("wb") as out,
            subprocess.Popen(
                [*command, "--host", "127.0.0.1", "--port", str(port)],
                env={"PATH": os.environ["PATH"], "HOME": folder},
                stdout=out,
                stderr=out,
            ) as process,
        ):
            try:
                _wait_until_it_serves(process, f"http://127.0.0.1:{port}/health", log)
                yield f"http://127.0.0.1:{port}/v1"
            finally:
                process.terminate()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _wait_until_it_serves(process: subprocess.Popen[bytes], health: str, log: Path) -> None:
    deadline_s = time.monotonic() + _READY_WITHIN_S
    while time.monotonic() < deadline_s and process.poll() is None:
        try:
            if httpx.get(health, timeout=_READY_WITHIN_S, trust_env=False).is_success:
                return
        except httpx.TransportError:
            pass  # the port is not open yet
        time.sleep(_POLL_S)  # nothing tells when another process opens its port
    raise RuntimeError(f"llama-server did not start; its log ends:\n{log.read_text(errors='replace')[-2000:]}")
