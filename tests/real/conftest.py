"""Real servers with models that say what the tests want, one of each kind for a session and xdist worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from tests.real.chain_files import write_gguf, write_huggingface_cache
from tests.real.chain_model import Chain
from tests.real.servers import REPOSITORY, RealServer, llama_server, transformers_serve

FAST = 16_384
"""Padding that gives llama-server some 600 tokens a second: an answer takes about 2 s."""
ANSWER = (REPOSITORY / "suites/zmq/answers/reference.md").read_text("utf-8")
REASONING = "Hm… why? bitcoind sends three frames, the loop reads two.\nAnd who closes the socket? — The wrong thread."
COARSE = 25
"""Bytes of a token where nobody measures speed: a server counts 300 of them as well as 1,500, in a fifth of the time."""
CHAINS = {
    "reference": Chain.of(ANSWER, padding=FAST),
    "coarse": Chain.of(ANSWER, piece_bytes=COARSE),
    "thinking": Chain.of(ANSWER, reasoning=REASONING, padding=FAST),
    "only-thinking": Chain.of("", reasoning=REASONING),
    "rubbish": Chain.of("Grüße! Das kostet 5 € — or 不 … no file at all.\n\n```python notifier.py\nimport os\n```\n"),
    "long": Chain.of(" ".join(f"line {number}" for number in range(4_000)), padding=FAST),
}


@dataclass(frozen=True, slots=True)
class Served:
    """A server and the model in it."""

    server: RealServer
    chain: Chain
    model: str

    @property
    def endpoint(self) -> str:
        """For the command line; the endpoint is called `chain`."""
        return f"--llm-endpoint=chain={self.server.url}#{self.model}"


Serve = Callable[[str], Served]


@pytest.fixture(scope="session")
def serve_llama(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Return a function that gives a llama-server with the chain of that name, started when first asked for."""
    folder = tmp_path_factory.mktemp("llama")
    served: dict[str, Served] = {}
    with ExitStack() as stack:

        def serve(name: str) -> Served:
            if name not in served:
                model = write_gguf(CHAINS[name], folder / f"{name}.gguf")
                server = stack.enter_context(llama_server(model, folder / f"{name}.log"))
                served[name] = Served(server, CHAINS[name], "chain")
            return served[name]

        yield serve


@pytest.fixture
def doomed_llama(tmp_path: Path) -> Iterator[Served]:
    """A llama-server with a long answer that a test may kill."""
    with llama_server(write_gguf(CHAINS["long"], tmp_path / "long.gguf"), tmp_path / "long.log") as server:
        yield Served(server, CHAINS["long"], "chain")


@pytest.fixture(scope="session")
def serve_transformers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """Return a function that gives one `transformers serve` for all chains, each a model of that name."""
    folder = tmp_path_factory.mktemp("transformers")
    for name in ("coarse", "thinking", "only-thinking", "rubbish"):
        write_huggingface_cache(replace(CHAINS[name], padding=Chain.padding), folder / "home", f"tests/{name}")
    with transformers_serve(folder / "home", "tests/coarse", folder / "log") as server:
        yield lambda name: Served(server, CHAINS[name], f"tests/{name}")
