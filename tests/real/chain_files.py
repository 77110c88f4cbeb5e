"""Writes a `Chain` the way the servers want it: one GGUF file, or a Hugging Face cache with one model in it."""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import gguf
import numpy as np

from tests.real.chain_model import CHAT_TEMPLATE, CONTEXT, END, HEAD, SPECIAL, WIDTH, Chain, Matrix

EPSILON = 1e-5
_GGUF_NAMES = {
    "model.embed_tokens": "token_embd",
    "lm_head": "output",
    "model.norm": "output_norm",
    "model.layers.0.input_layernorm": "blk.0.attn_norm",
    "model.layers.0.post_attention_layernorm": "blk.0.ffn_norm",
    "model.layers.0.self_attn.q_proj": "blk.0.attn_q",
    "model.layers.0.self_attn.k_proj": "blk.0.attn_k",
    "model.layers.0.self_attn.v_proj": "blk.0.attn_v",
    "model.layers.0.self_attn.o_proj": "blk.0.attn_output",
    "model.layers.0.mlp.gate_proj": "blk.0.ffn_gate",
    "model.layers.0.mlp.up_proj": "blk.0.ffn_up",
    "model.layers.0.mlp.down_proj": "blk.0.ffn_down",
}


def write_gguf(chain: Chain, path: Path) -> Path:
    """Write the model for llama.cpp; matrices in float16, 12 kB for each unit of padding over 16. Returns `path`."""
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("chain")
    writer.add_context_length(CONTEXT)
    writer.add_embedding_length(WIDTH)
    writer.add_feed_forward_length(chain.padding)
    writer.add_block_count(1)
    writer.add_head_count(1)
    writer.add_head_count_kv(1)
    writer.add_key_length(HEAD)
    writer.add_value_length(HEAD)
    writer.add_rope_dimension_count(HEAD)
    writer.add_layer_norm_rms_eps(EPSILON)
    writer.add_vocab_size(len(chain.vocabulary))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("gpt-2")
    writer.add_token_list(list(chain.vocabulary))
    control = gguf.TokenType.CONTROL
    writer.add_token_types([control if token in SPECIAL else gguf.TokenType.NORMAL for token in chain.vocabulary])
    writer.add_token_merges(["ÿ ÿ"])  # llama.cpp wants one; the byte 0xFF is in no UTF-8 text, so it never applies
    writer.add_eos_token_id(chain.token(END))
    writer.add_add_bos_token(value=False)
    writer.add_chat_template(CHAT_TEMPLATE)
    for name, matrix in chain.weights().items():
        stem = name.removesuffix(".weight")
        half = matrix.astype(np.float16) if matrix.ndim > 1 else matrix
        writer.add_tensor(f"{_GGUF_NAMES[stem]}.weight", half)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def write_huggingface_cache(chain: Chain, home: Path, model: str) -> Path:
    """Write the model as `OWNER/NAME` into a new Hugging Face home, as if it had been downloaded. Returns `home`."""
    revision = hashlib.sha1(chain.text.encode(), usedforsecurity=False).hexdigest()
    repository = home / "hub" / f"models--{model.replace('/', '--')}"
    folder = repository / "snapshots" / revision
    folder.mkdir(parents=True)
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text(revision)
    for name, document in _documents(chain).items():
        (folder / name).write_text(json.dumps(document, ensure_ascii=False))
    (folder / "model.safetensors").write_bytes(_safetensors(chain.weights()))
    return home


def _documents(chain: Chain) -> Mapping[str, Mapping[str, Any]]:
    end = chain.token(END)
    return {
        "config.json": {
            "architectures": ["LlamaForCausalLM"],
            "model_type": "llama",
            "hidden_size": WIDTH,
            "intermediate_size": chain.padding,
            "num_hidden_layers": 1,
            "num_attention_heads": 1,
            "num_key_value_heads": 1,
            "head_dim": HEAD,
            "rms_norm_eps": EPSILON,
            "max_position_embeddings": CONTEXT,
            "vocab_size": len(chain.vocabulary),
            "tie_word_embeddings": False,
            "eos_token_id": end,
            "bos_token_id": None,
            "torch_dtype": "float32",
        },
        "generation_config.json": {"eos_token_id": end, "pad_token_id": end, "do_sample": False},
        "tokenizer_config.json": {
            "tokenizer_class": "PreTrainedTokenizerFast",
            "eos_token": END,
            "pad_token": END,
            "chat_template": CHAT_TEMPLATE,
            "clean_up_tokenization_spaces": False,
            "model_max_length": CONTEXT,
        },
        "tokenizer.json": {
            "version": "1.0",
            "truncation": None,
            "padding": None,
            "added_tokens": [
                {"id": chain.token(token), "content": token, "special": True, "normalized": False}
                | dict.fromkeys(("single_word", "lstrip", "rstrip"), False)
                for token in SPECIAL
            ],
            "normalizer": None,
            "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
            "post_processor": None,
            "decoder": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False},
            "model": {
                "type": "BPE",
                "vocab": {token: number for number, token in enumerate(chain.vocabulary)},
                "merges": [],
                **dict.fromkeys(("dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix")),
                **dict.fromkeys(("fuse_unk", "byte_fallback", "ignore_merges"), False),
            },
        },
    }


def _safetensors(weights: Mapping[str, Matrix]) -> bytes:
    """Return the weights in the safetensors format: length of the header, header in JSON, tensors one after another."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for name, matrix in weights.items():
        header[name] = {"dtype": "F32", "shape": list(matrix.shape), "data_offsets": [at, at + matrix.nbytes]}
        at += matrix.nbytes
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    return b"".join([struct.pack("<Q", len(head)), head, *(matrix.tobytes() for matrix in weights.values())])
