"""vLLM, https://docs.vllm.ai."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.kind import Facts, Launch, ServerKind, given, place, told_count, told_text


class Vllm(ServerKind):
    """The port stays closed until the model is loaded; `/v1/models` tells path and context."""

    name = "vllm"
    program = ("vllm", "serve")
    keys: ClassVar[Mapping[str, str]] = {"--host": "host", "--port": "port", "--model": "model"}
    owned_by = ("vllm",)
    fact_paths = ("/version", "/v1/models", "/tokenizer_info")
    metrics_path = "/metrics"

    def launch(self, serve: Serve, port: int) -> Launch:
        """See `ServerKind.launch`."""
        model = self.needed_model(serve)
        # `vllm serve` wants it as its first word; `python -m vllm.entrypoints.openai.api_server` passes over such a
        # word in silence and serves a model of its own choice.
        first = (serve.program or self.program)[-1] == "serve"
        words = (model,) if first else ("--model", model)
        return Launch(self.argv(serve, port, *words, *place(serve, port)), {"PYTHONUNBUFFERED": "1"})

    def wanted_model(self, serve: Serve) -> str | None:
        """See `ServerKind.wanted_model`; of several names the first is as good as any."""
        named_in_file = given(serve, "--config") is not None
        return given(serve, "--served-model-name") or (None if named_in_file else serve.model)

    def read_facts(self, answers: Mapping[str, Any], serve: Serve | None = None) -> Facts:
        """See `ServerKind.read_facts`."""
        card = ("/v1/models", "data", 0)
        model = told_text(answers, *card, "root") or told_text(answers, *card, "id")
        return Facts(
            version=told_text(answers, "/version", "version"),
            model=model,
            context_tokens=told_count(answers, *card, "max_model_len"),
            quantisation=given(serve, "--quantization", "-q"),
            # Answers only if the user gave --enable-tokenizer-info-endpoint.
            chat_template=told_text(answers, "/tokenizer_info", "chat_template"),
        )
