"""Environments of the peers: one for each, made once, so that none of them decides the versions of another."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from benchmarks.peers.peer import Peer
from benchmarks.schedule_server.wording import WORDS


def installed(peer: Peer) -> Path:
    """Return the folder of a peer's programs, after installing it if it is not there in this very version.

    Raises:
        subprocess.CalledProcessError: pip could not install it; its own words are on stderr.
    """
    if peer.requirement is None:
        return Path(sys.executable).parent
    folder = _cache() / peer.requirement
    programs = folder / "bin"
    if not (folder / "complete").exists():
        print(f"installing {peer.requirement} into {folder}", file=sys.stderr)
        subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
        subprocess.run([programs / "python", "-m", "pip", "install", "--quiet", peer.requirement], check=True)
        (folder / "complete").touch()
    return programs


def tokenizer(programs: Path) -> Path:
    """Return a folder with a tokenizer for the server's words, made with the environment of a peer."""
    folder = _cache() / "tokenizer"
    script = Path(__file__).with_name("tokenizer.py")
    if not (folder / "tokenizer_config.json").exists():
        subprocess.run([programs / "python", script, folder], input=" ".join(WORDS), text=True, check=True)
    return folder


def _cache() -> Path:
    root = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(root) / "pytest-llmbench" / "peers"
