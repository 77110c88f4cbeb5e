"""TensorRT-LLM, `trtllm-serve`, https://nvidia.github.io/TensorRT-LLM."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.kind import Facts, Launch, ServerKind, given, given_count, place, told_text


class TrtLlm(ServerKind):
    """Its `/metrics` is JSON; Prometheus's are elsewhere, and there only with `return_perf_metrics` in its --config."""

    name = "trtllm"
    program = ("trtllm-serve",)
    keys: ClassVar[Mapping[str, str]] = {"--host": "host", "--port": "port"}
    owned_by = ("tensorrt_llm",)
    fact_paths = ("/version", "/v1/models")
    metrics_path = "/prometheus/metrics"

    def launch(self, serve: Serve, port: int) -> Launch:
        """See `ServerKind.launch`."""
        words = (self.needed_model(serve), *place(serve, port))
        return Launch(self.argv(serve, port, *words), {"PYTHONUNBUFFERED": "1"})

    def wanted_model(self, serve: Serve) -> str | None:
        """See `ServerKind.wanted_model`; a folder is served under its last name, an id as it is: it has to be asked."""
        return given(serve, "--served-model-name")

    def read_facts(self, answers: Mapping[str, Any], serve: Serve | None = None) -> Facts:
        """See `ServerKind.read_facts`."""
        model = (serve.model if serve else None) or told_text(answers, "/v1/models", "data", 0, "id")
        return Facts(
            version=told_text(answers, "/version", "version"),
            model=model,
            context_tokens=given_count(serve, "--max-seq-len"),
        )
