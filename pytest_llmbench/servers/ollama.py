"""Ollama, https://docs.ollama.com."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.kind import Facts, Launch, ServerKind, told, told_count, told_text

_DIGITS = 12
"""Of a digest; as many as `ollama ps` shows."""


class Ollama(ServerKind):
    """Loads the model at the first request; it must have been pulled. Longer prompts than its context it cuts short."""

    name = "ollama"
    program = ("ollama", "serve")
    keys: ClassVar[Mapping[str, str]] = {"OLLAMA_HOST": "port"}
    health_path = "/v1/models"
    owned_by = ("library",)
    fact_paths = ("/api/version", "/api/ps")

    def launch(self, serve: Serve, port: int) -> Launch:
        """See `ServerKind.launch`."""
        self.needed_model(serve)
        # Else it drops the model after five minutes without a request, and the next one waits for it.
        variables = {"OLLAMA_HOST": f"{serve.host}:{port}", "OLLAMA_KEEP_ALIVE": "-1"}
        return Launch(self.argv(serve, port), variables)

    def wanted_model(self, serve: Serve) -> str | None:
        """See `ServerKind.wanted_model`."""
        return serve.model

    def read_facts(self, answers: Mapping[str, Any], serve: Serve | None = None) -> Facts:
        """See `ServerKind.read_facts`."""
        del serve
        version = told_text(answers, "/api/version", "version")
        loaded = told(answers, "/api/ps", "models")
        if not isinstance(loaded, list) or len(loaded) != 1:  # of several we do not know which is meant
            return Facts(version=version)
        name, digest = told_text(loaded, 0, "model"), told_text(loaded, 0, "digest")
        return Facts(
            version=version,
            model=f"{name}@{digest[:_DIGITS]}" if name and digest else name,  # a tag can be moved, a digest not
            context_tokens=told_count(loaded, 0, "context_length"),
            quantisation=told_text(loaded, 0, "details", "quantization_level"),
        )
