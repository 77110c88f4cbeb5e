"""The server in llama-cpp-python, https://llama-cpp-python.readthedocs.io."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.kind import Facts, Launch, ServerKind, given, given_count, place, told_text

_MODULE = ("-m", "llama_cpp.server")
_ASK = "import llama_cpp; print('llama_cpp', llama_cpp.__version__)"
_VERSION = re.compile(r"^llama_cpp (\S+)$", re.MULTILINE)


class LlamaCppPython(ServerKind):
    """One answer at a time; no `/health`; a context of 2048 tokens unless `--n_ctx` is given."""

    name = "llama-cpp-python"
    program = ("python3", *_MODULE)
    keys: ClassVar[Mapping[str, str]] = {
        "--host": "host",
        "--port": "port",
        "--model": "model",
        "HOST": "host",
        "PORT": "port",
    }
    health_path = "/v1/models"
    owned_by = ("me",)
    fact_paths = ("/v1/models",)

    def launch(self, serve: Serve, port: int) -> Launch:
        """See `ServerKind.launch`."""
        # By default it breaks off an answer as soon as another request waits.
        words = ("--model", self.needed_model(serve), *place(serve, port), "--interrupt_requests", "false")
        # The variables HOST and PORT, which our own environment may hold, win over its flags.
        variables = {"HOST": serve.host, "PORT": str(port), "PYTHONUNBUFFERED": "1"}
        return Launch(self.argv(serve, port, *words), variables)

    def wanted_model(self, serve: Serve) -> str | None:
        """See `ServerKind.wanted_model`."""
        return given(serve, "--model-alias") or serve.model

    def version_argv(self, serve: Serve) -> tuple[str, ...] | None:
        """See `ServerKind.version_argv`; asks the same Python."""
        program = serve.program or self.program
        return (*program[:-2], "-c", _ASK) if program[-2:] == _MODULE else None

    def read_version(self, printed: str) -> Facts:
        """See `ServerKind.read_version`."""
        found = _VERSION.search(printed)
        return Facts(version=found[1] if found else None)

    def read_facts(self, answers: Mapping[str, Any], serve: Serve | None = None) -> Facts:
        """See `ServerKind.read_facts`; it tells no more than a name."""
        model = (serve.model if serve else None) or told_text(answers, "/v1/models", "data", 0, "id")
        return Facts(model=model, context_tokens=given_count(serve, "--n-ctx"))
