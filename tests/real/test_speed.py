"""Speed tests against a real llama-server, held against what the server itself says of each answer."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.real.conftest import Serve
from tests.real.servers import REPOSITORY

pytestmark = pytest.mark.xdist_group("llama-server")


def test_speed_of_a_llama_server(serve_llama: Serve, tmp_path: Path) -> None:
    served = serve_llama("long")
    command = [sys.executable, "-m", "pytest", "suites/speed", "-k", "single_stream or d16384-short", "-rs"]
    options = [f"--llm-out={tmp_path / 'out'}", "-p", "no:cacheprovider", served.endpoint]
    done = subprocess.run(
        [*command, *options], cwd=REPOSITORY, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout
    # The chain's context is shorter than 16384 tokens, and the server says so.
    assert "1 passed, 1 skipped" in done.stdout or "2 passed" in done.stdout, done.stdout
    row = json.loads((tmp_path / "out" / "report.json").read_text())["speed"][0]
    assert row["completion_tokens"]["median"] == 256
    assert row["transport"] == "recorder"
    assert row["unknown"].keys().isdisjoint({"ttft_s", "decode_tok_s", "itl_p99_s", "cached_tokens"})
    assert "cached" not in row["marks"]
