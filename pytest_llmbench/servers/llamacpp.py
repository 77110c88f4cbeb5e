"""llama.cpp's own server, `llama-server`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.kind import Facts, Launch, ServerKind

_PROGRAM = ("llama-server",)


class LlamaCpp(ServerKind):
    """`/health` gives 503 while the model loads; `/props` tells what is served."""

    name = "llamacpp"
    owned_by = ("llamacpp",)
    fact_paths = ("/props",)
    metrics_path = "/metrics"

    def launch(self, serve: Serve, port: int) -> Launch:
        """See `ServerKind.launch`."""
        model = ("-m", serve.model) if serve.model else ()
        place = ("--host", serve.host, "--port", str(port))
        return Launch((*(serve.program or _PROGRAM), *model, *place, "--metrics", *serve.args))

    def version_argv(self, serve: Serve) -> tuple[str, ...]:
        """See `ServerKind.version_argv`."""
        return (*(serve.program or _PROGRAM), "--version")

    def read_facts(self, answers: Mapping[str, Any]) -> Facts:
        """See `ServerKind.read_facts`."""
        props = answers.get("/props", {})
        settings = props.get("default_generation_settings", {})
        return Facts(
            build=props.get("build_info"),
            model=props.get("model_path"),
            context_tokens=settings.get("n_ctx"),
            chat_template=props.get("chat_template"),
        )
