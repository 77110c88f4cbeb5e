"""llama.cpp's own server, `llama-server`, https://github.com/ggml-org/llama.cpp."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, ClassVar

from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.kind import Facts, Launch, ServerKind, filled, given, place, told_count, told_text

_REPOSITORY = re.compile(r"(?!\.)[\w.-]+/[\w.-]+(:[\w.-]+)?(?<!\.gguf)")
_VERSION = re.compile(r"^version: (\S+) \((?:build (\d+), commit )?(\w+)\)", re.MULTILINE)


class LlamaCpp(ServerKind):
    """`/health` gives 503 while the model loads; `/props` tells what is served."""

    name = "llamacpp"
    program = ("llama-server",)
    keys: ClassVar[Mapping[str, str]] = {"--host": "host", "--port": "port", "--model": "model", "-m": "model"}
    owned_by = ("llamacpp",)
    fact_paths = ("/props",)
    metrics_path = "/metrics"

    def launch(self, serve: Serve, port: int) -> Launch:
        """See `ServerKind.launch`; OWNER/NAME[:QUANTISATION] is a model of the Hugging Face hub, all else a file."""
        model = self.needed_model(serve)
        source = "-hf" if _REPOSITORY.fullmatch(model) else "-m"
        return Launch(self.argv(serve, port, source, model, *place(serve, port), "--metrics"))

    def wanted_model(self, serve: Serve) -> str | None:
        """See `ServerKind.wanted_model`."""
        alias = given(serve, "--alias", "-a")
        return alias.partition(",")[0] if alias else None

    def version_argv(self, serve: Serve) -> tuple[str, ...]:
        """See `ServerKind.version_argv`."""
        return (*filled(serve.program or self.program, serve, serve.port or 0), "--version")

    def read_version(self, printed: str) -> Facts:
        """See `ServerKind.read_version`: `version: 0.5.0 (build 7, commit c0ffee)`, earlier `version: 7 (c0ffee)`."""
        found = _VERSION.search(printed)
        if not found:
            return Facts()
        version, number, commit = found.groups()
        return Facts(version if number else f"b{version}", f"b{number or version}-{commit}")

    def read_facts(self, answers: Mapping[str, Any], serve: Serve | None = None) -> Facts:
        """See `ServerKind.read_facts`."""
        del serve
        props = answers.get("/props")
        return Facts(
            build=told_text(props, "build_info"),
            model=told_text(props, "model_path"),
            context_tokens=told_count(props, "default_generation_settings", "n_ctx"),  # of one slot
            quantisation=(told_text(props, "model_ftype") or "").removeprefix("(guessed) ") or None,
            chat_template=told_text(props, "chat_template"),
        )
