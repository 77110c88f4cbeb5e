"""SGLang, https://docs.sglang.io."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.kind import Facts, Launch, ServerKind, given, place, told_count, told_text


class SgLang(ServerKind):
    """Its `/health` generates a token for each who asks, so it is not asked; `/ready` is missing in older versions."""

    name = "sglang"
    program = ("python3", "-m", "sglang.launch_server")
    keys: ClassVar[Mapping[str, str]] = {
        "--host": "host",
        "--port": "port",
        "--model-path": "model",
        "--model": "model",
    }
    health_path = "/v1/models"
    owned_by = ("sglang",)
    fact_paths = ("/server_info", "/get_server_info", "/v1/models")
    """The second is how older versions call the first."""
    metrics_path = "/metrics"

    def launch(self, serve: Serve, port: int) -> Launch:
        """See `ServerKind.launch`."""
        words = ("--model-path", self.needed_model(serve), *place(serve, port), "--enable-metrics")
        return Launch(self.argv(serve, port, *words), {"PYTHONUNBUFFERED": "1"})

    def wanted_model(self, serve: Serve) -> str | None:
        """See `ServerKind.wanted_model`."""
        named_in_file = given(serve, "--config") is not None
        return given(serve, "--served-model-name") or (None if named_in_file else serve.model)

    def read_facts(self, answers: Mapping[str, Any], serve: Serve | None = None) -> Facts:
        """See `ServerKind.read_facts`."""
        info = answers.get("/server_info") or answers.get("/get_server_info")
        model = told_text(info, "model_path") or told_text(answers, "/v1/models", "data", 0, "id")
        # A request must fit into the model's context and into the memory for all requests together.
        limits = told_count(answers, "/v1/models", "data", 0, "max_model_len"), told_count(info, "max_total_num_tokens")
        return Facts(
            version=told_text(info, "version"),
            model=model,
            context_tokens=min((limit for limit in limits if limit), default=None),
            quantisation=told_text(info, "quantization") or given(serve, "--quantization"),
        )
