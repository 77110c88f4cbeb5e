"""LM Studio, https://lmstudio.ai/docs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.kind import Facts, Launch, ServerKind, only_attach, told, told_count, told_text


class LmStudio(ServerKind):
    """A desktop program that serves beside all else it does: it is asked, not started."""

    name = "lmstudio"
    health_path = "/v1/models"
    owned_by = ("organization_owner",)
    fact_paths = ("/api/v0/models",)

    def launch(self, serve: Serve, port: int) -> Launch:
        """See `ServerKind.launch`."""
        del serve, port
        raise only_attach(
            self.name, "load the model with `lms load MODEL` and start its server with `lms server start`"
        )

    def read_facts(self, answers: Mapping[str, Any], serve: Serve | None = None) -> Facts:
        """See `ServerKind.read_facts`."""
        del serve
        listed = told(answers, "/api/v0/models", "data")
        loaded = [card for card in listed if told(card, "state") == "loaded"] if isinstance(listed, list) else []
        if len(loaded) != 1:  # of several we do not know which is meant
            return Facts()
        return Facts(
            model=told_text(loaded, 0, "id"),
            context_tokens=told_count(loaded, 0, "loaded_context_length"),
            quantisation=told_text(loaded, 0, "quantization"),
        )
