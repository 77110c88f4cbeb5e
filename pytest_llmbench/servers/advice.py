"""What each cause means, and what a user can do about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pytest_llmbench.model.serving import Cause


@dataclass(frozen=True, slots=True)
class Help:
    """What is said of a cause."""

    meaning: str
    """For the page of the documentation."""
    advice: str
    """What to do, for a terminal; begins in the middle of a sentence."""


HELP: Mapping[Cause, Help] = {
    Cause.PORT_IN_USE: Help(
        "Another program listens on the port, or on one that the server uses between its own processes.",
        "stop what listens there, or leave out `port` to get a free one",
    ),
    Cause.GPU_MEMORY: Help(
        "The model, its working memory or another program's share do not fit on the GPU.",
        "free the GPU (nvidia-smi tells who holds it), use more GPUs or a smaller quantisation, "
        "or give the server a smaller share, context or batch",
    ),
    Cause.KV_CACHE: Help(
        "The weights fit, but not enough is left for the keys and values of one request of the wanted length.",
        "shorten the context (--max-model-len, --context-length, -c), quantise the KV cache, "
        "or raise the server's share of the GPU (--gpu-memory-utilization, --mem-fraction-static)",
    ),
    Cause.ALIGNMENT: Help(
        "A quantised weight, cut into one piece per GPU, is no multiple of what the kernel works on.",
        "use fewer GPUs per copy of the model, or another quantisation of it",
    ),
    Cause.TENSOR_PARALLEL: Help(
        "The model cannot be cut into that many pieces, or there are fewer GPUs than pieces.",
        "choose a tensor parallel size that divides the model's attention heads and is no more than there are GPUs",
    ),
    Cause.ARCHITECTURE: Help(
        "This version of the server does not know the model's architecture, format or tokenizer.",
        "update the server, or use one that supports this model",
    ),
    Cause.MODEL_MISSING: Help(
        "There is no model at that path or of that name, or it may not or cannot be downloaded.",
        "check the path or name of the model; for one that is downloaded: the network, its licence page and HF_TOKEN",
    ),
    Cause.MODEL_CORRUPT: Help(
        "The files of the model are damaged, incomplete, or do not belong together.",
        "compare the size and hash of the files with their source, then download or convert the model again",
    ),
    Cause.NO_DEVICE: Help(
        "No GPU can be used: there is none, the driver is missing or too old, or the GPU is too old for this build.",
        "check that nvidia-smi lists the GPUs, that the server (or its container) sees them, "
        "and that its build fits driver and GPU",
    ),
    Cause.NCCL: Help(
        "The processes of the server could not talk to each other over NCCL, RCCL or gloo.",
        "run it with NCCL_DEBUG=INFO to see why; often helps: a larger /dev/shm (--shm-size), "
        "NCCL_P2P_DISABLE=1, the right NCCL_SOCKET_IFNAME",
    ),
    Cause.BAD_FLAG: Help(
        "The command line is wrong: a flag that this version does not know, a bad value, or one that needs another.",
        "correct `args`; the server's --help lists what this version takes",
    ),
    Cause.PROGRAM_MISSING: Help(
        "The program, or a library or package that it needs, is not installed or of another version.",
        "install or reinstall the server, or name another as `program`",
    ),
    Cause.CONTEXT: Help(
        "The server came up, but a request does not fit into its context.",
        "raise the context (--max-model-len, --context-length, -c)",
    ),
    Cause.HOST_MEMORY: Help(
        "The machine's own memory, not the GPU's, is too small.",
        "use a smaller model or context, load it with mmap, or give the machine or container more memory",
    ),
    Cause.DISK_FULL: Help(
        "Nothing more can be written to the disk or the quota is used up.",
        "free space where models and caches are kept (HF_HOME, /tmp), or point them elsewhere",
    ),
    Cause.PERMISSION: Help(
        "The user that runs the server may not read, write or bind something.",
        "check who owns the file or folder that the line names; ports below 1024 are root's",
    ),
    Cause.KILLED: Help(
        "A signal ended it: SIGKILL is mostly the kernel's OOM killer; others come from whoever asked it to end.",
        "after SIGKILL, `dmesg | grep -i oom` tells whether the machine ran out of memory: then a smaller model or "
        "context, or more memory; after another signal, see who sent it (a service manager, a time limit, a person)",
    ),
    Cause.TIMEOUT: Help(
        "It, or a part of it, did not get ready in time and gave no reason.",
        "see the end of its log; if it was still loading, raise `ready_timeout_s` and the server's own time limit",
    ),
    Cause.UNKNOWN: Help(
        "Its log has no line that is known to tell a cause.",
        "see its log",
    ),
}
