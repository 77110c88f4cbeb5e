from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import gguf
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmbench.provision.quantisation import _FILE_TYPES, quantisation_of


def write(path: Path, file_type: int | None, tags: int = 2) -> Path:
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("chain")
    writer.add_tags([f"tag {number}" for number in range(tags)])
    if file_type is not None:
        writer.add_file_type(file_type)
    writer.add_token_list(["a", "b"])
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.close()
    return path


def of_config(tmp_path: Path, config: Any) -> str | None:
    (tmp_path / "config.json").write_text(json.dumps(config))
    return quantisation_of(tmp_path)


@pytest.mark.parametrize("file_type", [each for each in gguf.LlamaFileType if each != gguf.LlamaFileType.GUESSED])
def test_types_of_files_are_called_as_llama_cpp_calls_them(file_type: gguf.LlamaFileType, tmp_path: Path) -> None:
    name = file_type.name.removeprefix("MOSTLY_").removeprefix("ALL_").removesuffix("_MOE")
    known = _FILE_TYPES.get(file_type.value)
    assert known in {name, None}
    assert quantisation_of(write(tmp_path / "m.gguf", file_type.value)) == known
    assert quantisation_of(write(tmp_path / "g.gguf", file_type.value | 1024)) == known, "guessed"


def test_the_common_ones_are_known() -> None:
    assert {"Q4_K_M", "Q8_0", "BF16", "F16", "IQ4_XS", "MXFP4"} < set(_FILE_TYPES.values())


def test_a_file_that_does_not_say(tmp_path: Path) -> None:
    assert quantisation_of(write(tmp_path / "m.gguf", None)) is None
    assert quantisation_of(write(tmp_path / "t.gguf", 15, tags=1000)) is None, "behind a list that is too long to read"
    (tmp_path / "x.gguf").write_bytes(b"GGUF")
    assert quantisation_of(tmp_path / "x.gguf") is None
    assert quantisation_of(tmp_path / "absent.gguf") is None


@pytest.mark.parametrize(
    ("config", "told"),
    [
        ({"quantization_config": {"quant_method": "awq", "bits": 4, "version": "gemm"}}, "awq 4-bit"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 8}}, "gptq 8-bit"),
        ({"quantization_config": {"quant_method": "fp8", "fmt": "e4m3"}, "torch_dtype": "bfloat16"}, "fp8 e4m3"),
        ({"quantization_config": {"quant_method": "bitsandbytes", "bnb_4bit_quant_type": "nf4"}}, "bitsandbytes nf4"),
        ({"quantization_config": {"quant_method": "modelopt", "quant_algo": "NVFP4"}}, "NVFP4"),
        ({"quantization_config": {"quant_method": "mxfp4"}}, "mxfp4"),
        ({"quantization_config": {"quant_method": "compressed-tensors", "config_groups": {
            "group_0": {"weights": {"num_bits": 4, "type": "int"}}}}}, "compressed-tensors int 4-bit"),
        ({"torch_dtype": "bfloat16"}, "bfloat16"),
        ({"dtype": "float16"}, "float16"),
        ({"text_config": {"torch_dtype": "bfloat16"}}, "bfloat16"),
        ({}, None),
        ([], None),
        ({"quantization_config": 7, "torch_dtype": 7}, None),
        ({"quantization_config": {"quant_method": "awq", "bits": "4", "config_groups": {"a": 7}}}, "awq"),
    ],
)  # fmt: skip
def test_configurations(config: Any, told: str | None, tmp_path: Path) -> None:
    assert of_config(tmp_path, config) == told


def test_a_folder_of_gguf_files(tmp_path: Path) -> None:
    write(tmp_path / "m.gguf", 15)
    assert quantisation_of(tmp_path) == "Q4_K_M"


@given(data=st.binary(max_size=200), cut=st.integers(0, 200))
def test_broken_files_raise_nothing(data: bytes, cut: int, tmp_path_factory: pytest.TempPathFactory) -> None:
    file = tmp_path_factory.mktemp("broken") / "m.gguf"
    whole = write(file, 15).read_bytes()
    for broken in (b"GGUF" + data, whole[:cut] + data):
        file.write_bytes(broken)
        quantisation_of(file)
