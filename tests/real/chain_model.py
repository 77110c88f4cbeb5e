"""A language model whose greedy answer, and so its token count, is known before it is asked.

Attention and feed-forward weights are zero, so the next token depends on the last one alone. Every token has a code of
random signs as its embedding, and the output row of its successor is that same code: the successor's logit is WIDTH, all
others stay far below. The text is cut into pieces, each a token of its own; the chat template ends in the token that
starts the chain, and the last piece is followed by the end token. The prompt is encoded byte by byte.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from tests.real.chain_cut import cut

WIDTH = 128
"""Length of a code. Two random codes of 2,000 agree by chance to at most about WIDTH / 2, far from WIDTH."""
HEAD = 32
"""Size of the one attention head; kept small, as it costs time in proportion to the length of the prompt."""
CONTEXT = 65_536
END = "<|end|>"
START = "<|assistant|>"
SPECIAL = ("<|system|>", "<|user|>", START, END)
_BYTES = 256

Matrix = npt.NDArray[np.float32]

CHAT_TEMPLATE = (
    "{%- for message in messages %}{{ '<|' + message.role + '|>' }}"
    "{%- if message.reasoning_content %}{{ '<think>\\n' + message.reasoning_content + '\\n</think>\\n\\n' }}{%- endif %}"
    "{{ message.content }}{{ '<|end|>' }}{%- endfor %}"
    "{%- if add_generation_prompt %}{{ '<|assistant|>' }}{%- endif %}"
)
"""Renders `reasoning_content`, else llama.cpp takes the model for one that does not think."""


def byte_letters() -> tuple[str, ...]:
    """Return, for each byte, the letter that byte-level vocabularies write for it.

    Printable bytes stand for themselves; the others take the code points from 256 on, in order.
    """
    printable = {*range(0x21, 0x7F), *range(0xA1, 0xAD), *range(0xAE, 0x100)}
    spare = iter(range(256, 512))
    return tuple(chr(byte) if byte in printable else chr(next(spare)) for byte in range(_BYTES))


@dataclass(frozen=True)
class Chain:
    """A model that says `pieces`, one token each, and then ends."""

    pieces: tuple[bytes, ...]
    """Distinct, and each at least two bytes, so that none is mistaken for a byte of the prompt."""
    padding: int = 256
    """Width of the feed-forward layer, all zero: a dial for the speed. 16,384 gives some 700 tokens a second."""

    @classmethod
    def of(cls, answer: str, *, reasoning: str | None = None, piece_bytes: int = 5, padding: int = 256) -> Chain:
        """Return the model that answers with `answer`, after `reasoning` between think tags if any is given."""
        if reasoning is not None:
            answer = f"<think>\n{reasoning}\n</think>\n\n{answer}"
        return cls(cut(answer.encode(), piece_bytes), padding)

    @property
    def text(self) -> str:
        """All that the model says."""
        return b"".join(self.pieces).decode()

    @property
    def completion_tokens(self) -> int:
        """Tokens that llama-server and `transformers serve` count for a whole answer: the pieces and the end token."""
        return len(self.pieces) + 1

    @cached_property
    def vocabulary(self) -> tuple[str, ...]:
        """The tokens by id: bytes, special tokens, pieces."""
        letters = byte_letters()
        pieces = ("".join(letters[byte] for byte in piece) for piece in self.pieces)
        return (*letters, *SPECIAL, *pieces)

    def token(self, name: str) -> int:
        """Return the id of a special token."""
        return _BYTES + SPECIAL.index(name)

    def weights(self) -> Mapping[str, Matrix]:
        """Return all tensors under their Hugging Face names, in float32."""
        size = len(self.vocabulary)
        first_piece = _BYTES + len(SPECIAL)
        codes = np.random.default_rng(0).choice(np.array([-1, 1], np.float32), (size, WIDTH))
        path = [self.token(START), *range(first_piece, size), self.token(END)]
        output = np.zeros((size, WIDTH), np.float32)
        output[path[1:]] = codes[path[:-1]]
        layer = "model.layers.0."
        return {
            "model.embed_tokens.weight": codes,
            "lm_head.weight": output,
            "model.norm.weight": np.ones(WIDTH, np.float32),
            f"{layer}input_layernorm.weight": np.ones(WIDTH, np.float32),
            f"{layer}post_attention_layernorm.weight": np.ones(WIDTH, np.float32),
            f"{layer}self_attn.q_proj.weight": np.zeros((HEAD, WIDTH), np.float32),
            f"{layer}self_attn.k_proj.weight": np.zeros((HEAD, WIDTH), np.float32),
            f"{layer}self_attn.v_proj.weight": np.zeros((HEAD, WIDTH), np.float32),
            f"{layer}self_attn.o_proj.weight": np.zeros((WIDTH, HEAD), np.float32),
            f"{layer}mlp.gate_proj.weight": np.zeros((self.padding, WIDTH), np.float32),
            f"{layer}mlp.up_proj.weight": np.zeros((self.padding, WIDTH), np.float32),
            f"{layer}mlp.down_proj.weight": np.zeros((WIDTH, self.padding), np.float32),
        }
