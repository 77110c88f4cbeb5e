"""Makes the tokenizer that peers want on disk; run with a peer's own Python, which has the package `tokenizers`.

    python tokenizer.py FOLDER < WORDS

Every word given, with a space before it, becomes one token; all other text falls apart into known pieces and bytes.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from tokenizers import (  # type: ignore[import-not-found]  # in the peer's environment
    Tokenizer,
    decoders,
    models,
    pre_tokenizers,
    trainers,
)

ENOUGH = 100_000


def main() -> None:
    """Write `tokenizer.json` and its configuration into the folder."""
    folder, words = Path(sys.argv[1]), sys.stdin.read().split()
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=ENOUGH,
        min_frequency=1,
        initial_alphabet=alphabet,
        special_tokens=["<s>", "</s>"],
        show_progress=False,
    )
    tokenizer.train_from_iterator((f" {word}" for word in words), trainer)
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    configuration = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(configuration))


if __name__ == "__main__":
    main()
