"""Model servers that this run starts itself: what was asked for, and why one did not come up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

READY_TIMEOUT_S = 1200.0
STOP_TIMEOUT_S = 30.0
WHOLE_MACHINE = "machine"
"""What a server takes that names no resource: no two such servers run at the same time."""


@dataclass(frozen=True, slots=True)
class Serve:
    """A server to start, as the user asked for it."""

    kind: str
    """Name of a server kind: `vllm`, `llamacpp`, …"""
    model: str | None = None
    """What the kind serves: a file, a folder or a model id; None for a `command` that knows itself."""
    args: tuple[str, ...] = ()
    """Further words of the command line; for the kind `command` all of them. `{port}`, `{host}` and `{model}` are filled in."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Variables on top of ours."""
    program: tuple[str, ...] = ()
    """What to start instead of the kind's own program, such as `/opt/vllm/bin/python -m vllm.entrypoints.openai.api_server`."""
    folder: str = ""
    """Absolute path of the folder that it starts in; relative paths of the user are relative to it. Empty: ours."""
    host: str = "127.0.0.1"
    port: int | None = None
    """None: a free one."""
    resources: tuple[str, ...] = (WHOLE_MACHINE,)
    """What it takes, such as `gpu0`; servers with one in common never run at the same time."""
    ready_timeout_s: float = READY_TIMEOUT_S
    """From the start to the first answer."""
    stop_timeout_s: float = STOP_TIMEOUT_S
    """From SIGTERM to SIGKILL."""
    restarts: int = 0
    """How often it is started again after it died in the middle of a run."""


class Cause(StrEnum):
    """Why a server does not serve."""

    PORT_IN_USE = "port in use"
    GPU_MEMORY = "GPU memory"
    KV_CACHE = "KV cache"
    ALIGNMENT = "alignment"
    TENSOR_PARALLEL = "tensor parallel"
    ARCHITECTURE = "architecture"
    MODEL_MISSING = "model missing"
    MODEL_CORRUPT = "model corrupt"
    NO_DEVICE = "no device"
    NCCL = "NCCL"
    BAD_FLAG = "bad flag"
    PROGRAM_MISSING = "program missing"
    CONTEXT = "context too small"
    HOST_MEMORY = "host memory"
    DISK_FULL = "disk full"
    PERMISSION = "permission denied"
    KILLED = "killed"
    TIMEOUT = "timeout"
    UNKNOWN = "unknown"


class Phase(StrEnum):
    """How far it came."""

    START = "did not start"
    """Nothing was started, or the program could not be."""
    LOADING = "died while loading"
    NOT_READY = "timed out while loading"
    UNHEALTHY = "came up but does not answer"
    """Its health endpoint is fine, the warm-up generation is not."""
    SERVING = "died while serving"


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a server does not serve, for its owner."""

    phase: Phase
    """How far it came."""
    cause: Cause
    """Class of the reason, by its log or by how it ended."""
    line: str | None
    """The telling line of its log; null if none tells."""
    advice: str
    """What to do."""
    ended: str | None = None
    """How its process ended, such as `exit status 1` or `SIGKILL`; null if it had to be stopped."""
    after_s: float | None = None
    """Seconds from the start."""
    log: str | None = None
    """Path of its log, relative to the run folder; null if nothing was started."""

    def __str__(self) -> str:
        """One line for a terminal."""
        ended = f" ({self.ended})" if self.ended else ""
        said = f": {self.line}" if self.line else ""
        return f"{self.phase}{ended}, {self.cause}{said}; {self.advice}"
