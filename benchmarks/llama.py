"""A real llama-server with a model that is made here, for whoever has no other one at hand.

The program is the one that `dev/build-llama-server` builds once, the model the tests' own: it says one long text, and
what it costs to compute is set by its padding.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from tests.real import servers
from tests.real.chain_files import write_gguf
from tests.real.chain_model import Chain

MODEL = "chain"
PADDING = 262_144
"""Some 50 tokens a second on one core of an AMD EPYC, and 45,000 of a prompt. Real models are slower; with a faster one, what
the server does with the text of a prompt before it starts its clock is some per cent of the time that it takes to read it."""
CONTEXT_TOKENS = 16_384
"""Of each slot."""


@contextmanager
def llama_server(slots: int = 4, padding: int = PADDING) -> Iterator[str]:
    """Run one on the loopback for the time of the block; give its base URL up to and including `/v1`.

    Raises:
        RuntimeError: it did not start; the message has the end of its log.
    """
    with TemporaryDirectory(prefix="llama-server-") as folder:
        text = " ".join(f"line {number}" for number in range(4_000))
        model = write_gguf(Chain.of(text, padding=padding), Path(folder) / "chain.gguf")
        log = Path(folder) / "log"
        with servers.llama_server(model, log, slots=slots, context_tokens=CONTEXT_TOKENS) as server:
            yield server.url
