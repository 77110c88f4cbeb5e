"""`transformers serve`, https://huggingface.co/docs/transformers/serving."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.kind import Facts, Launch, ServerKind, given, place

_VERSION = re.compile(r"^\d+\.\d+\S*$", re.MULTILINE)


class Transformers(ServerKind):
    """The one model is loaded before the port opens; of what it serves the server tells nothing."""

    name = "transformers"
    program = ("transformers", "serve")
    keys: ClassVar[Mapping[str, str]] = {"--host": "host", "--port": "port"}

    def launch(self, serve: Serve, port: int) -> Launch:
        """See `ServerKind.launch`."""
        words = (self.needed_model(serve), *place(serve, port))
        return Launch(self.argv(serve, port, *words), {"PYTHONUNBUFFERED": "1"})

    def wanted_model(self, serve: Serve) -> str | None:
        """See `ServerKind.wanted_model`; it lists all that lies in the cache and refuses all names but this one."""
        return serve.model

    def version_argv(self, serve: Serve) -> tuple[str, ...] | None:
        """See `ServerKind.version_argv`."""
        program = serve.program or self.program
        return (*program[:-1], "version") if program[-1] == "serve" else None

    def read_version(self, printed: str) -> Facts:
        """See `ServerKind.read_version`; warnings may stand around it."""
        found = _VERSION.search(printed)
        return Facts(version=found[0] if found else None)

    def read_facts(self, answers: Mapping[str, Any], serve: Serve | None = None) -> Facts:
        """See `ServerKind.read_facts`."""
        del answers
        model = serve.model if serve else None
        return Facts(model=model, quantisation=given(serve, "--quantization"))
