"""`models.yaml`: endpoints by name."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import yaml

from pytest_llmbench.endpoints.spec import check_name
from pytest_llmbench.errors import UsageFault


class SamplingConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Sampling of one endpoint; what is left out falls to the command line and its defaults."""

    temperature: float | None = None
    top_p: float = 1.0
    max_tokens: int | None = None
    seed: int | None = None


class EndpointConfig(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One entry below `endpoints:`."""

    url: str
    model: str | None = None
    api_key_env: str | None = None
    sampling: SamplingConfig = SamplingConfig()
    extra_body: dict[str, Any] = {}
    chat_template_kwargs: dict[str, Any] = {}
    metadata: dict[str, Any] = {}

    @property
    def body(self) -> Mapping[str, Any]:
        """Further fields of the request body."""
        if not self.chat_template_kwargs:
            return self.extra_body
        return {**self.extra_body, "chat_template_kwargs": self.chat_template_kwargs}


class ModelsFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    endpoints: dict[str, EndpointConfig] = {}


def load_models_file(path: Path) -> ModelsFile:
    """Read and validate a models.yaml.

    Raises:
        UsageFault: missing, not YAML, or not of this shape; one line.
    """
    try:
        raw = yaml.safe_load(path.read_bytes())
    except OSError as error:
        raise UsageFault(f"{path}: cannot read it: {error.strerror}; name another file with --llm-config") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise UsageFault(f"{path}: not YAML: {' '.join(str(error).split())}") from error
    try:
        parsed = msgspec.convert({} if raw is None else raw, ModelsFile)
    except msgspec.ValidationError as error:
        raise UsageFault(f"{path}: {error}; {_valid_keys()}") from error
    for name in parsed.endpoints:
        check_name(name, str(path))
    return parsed


def _valid_keys() -> str:
    endpoint = ", ".join(EndpointConfig.__struct_fields__)
    sampling = ", ".join(SamplingConfig.__struct_fields__)
    return f"an entry below 'endpoints' has {endpoint}; 'sampling' has {sampling}"
