"""Text Generation Inference, https://huggingface.co/docs/text-generation-inference."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.kind import Facts, Launch, ServerKind, given, told_count, told_text


class Tgi(ServerKind):
    """`/info` tells what is served. Its model list is `owned_by` the model, so a running one is not recognised."""

    name = "tgi"
    program = ("text-generation-launcher",)
    keys: ClassVar[Mapping[str, str]] = {"--hostname": "host", "--port": "port", "-p": "port", "--model-id": "model"}
    fact_paths = ("/info",)
    metrics_path = "/metrics"

    def launch(self, serve: Serve, port: int) -> Launch:
        """See `ServerKind.launch`."""
        words = ("--model-id", self.needed_model(serve), "--hostname", serve.host, "--port", str(port))
        return Launch(self.argv(serve, port, *words))

    def wanted_model(self, serve: Serve) -> str | None:
        """See `ServerKind.wanted_model`."""
        return serve.model

    def read_facts(self, answers: Mapping[str, Any], serve: Serve | None = None) -> Facts:
        """See `ServerKind.read_facts`."""
        info = answers.get("/info")
        model, revision = told_text(info, "model_id"), told_text(info, "model_sha")
        return Facts(
            version=told_text(info, "version"),
            build=told_text(info, "sha"),
            model=f"{model}@{revision}" if model and revision else model,
            context_tokens=told_count(info, "max_total_tokens"),
            quantisation=given(serve, "--quantize"),
        )
