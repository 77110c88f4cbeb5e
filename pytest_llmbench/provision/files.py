"""Which files a model is."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from itertools import islice
from pathlib import Path

MAX_FILES = 10_000
"""No model has more; a folder that has is none."""

_SHARD = re.compile(r"(.*)-\d{5}(-of-\d{5}\.gguf)")
_DOCUMENTS = re.compile(
    r"(?i)(\.|readme|licen[cs]e|notice|use_policy).*|.*\.(md|png|jpe?g|gif|webp|svg|pdf|html|lock|incomplete)"
)
"""Names of files that no server loads, so that a model without its README is the same model."""


def find_model(model: str, folder: Path, env: Mapping[str, str], revision: str = "main") -> Path | None:
    """Return the file or folder of a model; None if it is not on this machine.

    Args:
        model: a path, or an id such as `Qwen/Qwen3-8B`, which is looked up in the Hugging Face cache.
        folder: that the server starts in.
        env: the server's variables; they say where the cache is.
        revision: branch, tag or commit, for an id.
    """
    try:
        path = folder / Path(model).expanduser()
        if path.exists():
            return path.absolute()
    except (OSError, ValueError, RuntimeError):
        return None  # too long for a name, a NUL byte, no home: it is no path
    repository = _hub(env) / f"models--{model.replace('/', '--')}"
    named = repository / "refs" / revision
    try:
        commit = named.read_text("ascii").strip() if named.is_file() else revision
        snapshot = repository / "snapshots" / commit
        return snapshot if snapshot.is_dir() else None
    except (OSError, ValueError):
        return None


def model_files(path: Path) -> tuple[Path, ...]:
    """Return the files that a model consists of, by name: one, all shards of a split GGUF, or those of its folder."""
    if path.is_dir():
        found = list(islice(path.rglob("*"), MAX_FILES + 1))
        if len(found) > MAX_FILES:
            return ()
        return tuple(sorted(each for each in found if not _is_aside(each.relative_to(path)) and each.is_file()))
    shard = _SHARD.fullmatch(path.name)
    if shard is None:
        return (path,)
    begin, end = map(re.escape, shard.groups())
    alike = re.compile(rf"{begin}-\d{{5}}{end}")
    return tuple(sorted(each for each in path.parent.iterdir() if alike.fullmatch(each.name)))


def _hub(env: Mapping[str, str]) -> Path:
    cache = env.get("XDG_CACHE_HOME") or "~/.cache"
    home = env.get("HF_HOME") or f"{cache}/huggingface"
    return Path(os.path.expanduser(env.get("HF_HUB_CACHE") or env.get("HUGGINGFACE_HUB_CACHE") or f"{home}/hub"))  # noqa: PTH111 - must not raise where there is no home


def _is_aside(path: Path) -> bool:
    return any(part.startswith(".") for part in path.parts) or _DOCUMENTS.fullmatch(path.name) is not None
