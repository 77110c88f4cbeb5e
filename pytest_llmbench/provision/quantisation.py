"""How a model's weights are quantised, by its files: the header of a GGUF, the `config.json` of a folder."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, BinaryIO

from pytest_llmbench.provision.files import model_files

_FILE_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S", 12: "Q3_K_M",
    13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K", 19: "IQ2_XXS", 20: "IQ2_XS",
    21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL", 26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S",
    29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16", 36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4", 39: "NVFP4",
}  # fmt: skip
"""`general.file_type` of a GGUF, as llama.h numbers it."""
_GUESSED = 1024
_MAGIC = b"GGUF"
_MAX_KEYS = 64
"""General facts come first; the vocabulary, which is long, comes last."""
_MAX_TEXT_BYTES = 1 << 20
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_STRING, _ARRAY = 8, 9


def quantisation_of(path: Path | None) -> str | None:
    """Return what the files of a model say, such as `Q4_K_M`, `awq 4-bit` or `bfloat16`; None if they say nothing.

    Args:
        path: file or folder, as `find_model` returns it; None if there is none here.
    """
    if path is None:
        return None
    with suppress(OSError, ValueError, struct.error, RecursionError):
        if path.is_dir() and (path / "config.json").is_file():
            return _of_config(json.loads((path / "config.json").read_bytes()))
        for file in model_files(path):
            if file.suffix == ".gguf":
                return _of_gguf(file)
    return None


def _of_config(config: Any) -> str | None:
    config = _mapping(config)
    said = _mapping(config.get("quantization_config") or config.get("compression_config"))
    method = _text(said, "quant_algo", "quant_method", "format")
    if method is None:
        # Models that also see keep what is said of the text beside what is said of the pictures.
        return _text(config, "dtype", "torch_dtype") or _text(
            _mapping(config.get("text_config")), "dtype", "torch_dtype"
        )
    groups = [_mapping(group) for group in _mapping(said.get("config_groups")).values()]
    return " ".join(
        dict.fromkeys(
            [method, *_details(said), *(text for one in groups for text in _details(_mapping(one.get("weights"))))]
        )
    )


def _details(said: Mapping[str, Any]) -> Iterator[str]:
    kind = _text(said, "bnb_4bit_quant_type", "type", "fmt")
    bits = said.get("bits", said.get("num_bits", said.get("w_bit")))
    yield from [kind] if kind else []
    yield from [f"{bits}-bit"] if isinstance(bits, int) else []


def _of_gguf(path: Path) -> str | None:
    with path.open("rb") as file:
        for name, value in _header(file):
            if name == "general.file_type" and isinstance(value, int):
                return _FILE_TYPES.get(value & ~_GUESSED)
    return None


def _header(file: BinaryIO) -> Iterator[tuple[str, Any]]:
    """Yield keys and plain values of a GGUF up to its first long list.

    Raises:
        ValueError: it is none, or broken; so does `struct.error`.
    """
    if file.read(len(_MAGIC)) != _MAGIC:
        raise ValueError("no GGUF")
    _version, _tensors, keys = struct.unpack("<IQQ", file.read(20))
    for _ in range(min(keys, _MAX_KEYS)):
        name = _read_text(file)
        (kind,) = struct.unpack("<I", file.read(4))
        if kind == _ARRAY and not _skip_short(file):
            return
        yield name, _value(file, kind)


def _value(file: BinaryIO, kind: int) -> Any:
    if kind == _STRING:
        return _read_text(file)
    if kind == _ARRAY:
        return None
    form = _SCALARS.get(kind)
    if form is None:
        raise ValueError(f"no GGUF: values of kind {kind}")
    return struct.unpack(form, file.read(struct.calcsize(form)))[0]


def _skip_short(file: BinaryIO) -> bool:
    """Skip a list, such as the model's tags; say no where it is long."""
    kind, count = struct.unpack("<IQ", file.read(12))
    if count > _MAX_KEYS or kind == _ARRAY:
        return False
    for _ in range(count):
        _value(file, kind)
    return True


def _read_text(file: BinaryIO) -> str:
    (size,) = struct.unpack("<Q", file.read(8))
    if size > _MAX_TEXT_BYTES:
        raise ValueError("no GGUF: a text of more than 1 MiB")
    return file.read(size).decode("utf-8", "replace")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _text(said: Mapping[str, Any], *names: str) -> str | None:
    return next((value for name in names if isinstance(value := said.get(name), str) and value), None)
