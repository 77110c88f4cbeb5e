"""The lines that only show that something failed, and those that show that nothing did; read by `classify`."""

from __future__ import annotations

import re

from pytest_llmbench.model.serving import Cause
from pytest_llmbench.servers.kind import Signature
from pytest_llmbench.servers.signatures import signatures_of

GENERAL: tuple[Signature, ...] = (
    *signatures_of(
        Cause.GPU_MEMORY,
        r"\b(?:CUDA|HIP|XPU|NPU|MPS|MUSA|cuda|hip)\b.{0,80}\bout of memory",
        r"OutOfMemoryError",
        r"OutOfDeviceMemory",
        r"OUT_OF_MEMORY",
        r"(?:cuda|hip|musa)Malloc\w*.{0,200}out of memory",
        r"cudaErrorMemoryAllocation",
        r"CUBLAS_STATUS_ALLOC_FAILED",
        r"Cuda failure (?:\d+ )?'out of memory'",
        r"(?:failed|unable) to allocate (?:CUDA|ROCm|Vulkan|Metal|SYCL|MUSA|HIP)\d*\w* buffer",
        r"error: failed to allocate buffer, size =",
        r"[Ii]nsufficient GPU memory",
        r"amount of GPU memory .{0,40}could not be allocated",
    ),
    *signatures_of(
        Cause.NO_DEVICE,
        r"[Nn]o (?:CUDA|ROCm|HIP|XPU|NPU|GPU|supported)[ -]?(?:GPU |capable )?(?:devices?|GPUs?|accelerators?)?.{0,10}found",
        r"[Nn]o (?:CUDA|ROCm|HIP|XPU|NPU|GPU|supported)[ -]?(?:GPU |capable )?(?:devices?|GPUs?|accelerators?)?.{0,10}available",
        r"[Nn]o (?:CUDA|ROCm|HIP|XPU|NPU|GPU|supported)[ -]?(?:GPU |capable )?(?:devices?|GPUs?|accelerators?)?.{0,10}detected",
    ),
    *signatures_of(
        Cause.HOST_MEMORY,
        r"DefaultCPUAllocator: ",
        r"[Cc]annot allocate memory",
        r"^MemoryError\b",
        r"std::bad_alloc",
        r"(?:failed|unable) to allocate CPU\w* buffer",
        r"cpu_buffer_type_alloc_buffer: failed",
        r"requires more system memory",
    ),
    *signatures_of(
        Cause.NCCL,
        r"NCCL error",
        r"RCCL error",
        r"HCCL error",
        r"ncclUnhandledCudaError",
        r"ncclSystemError",
        r"ncclInternalError",
        r"ncclRemoteError",
        r"ncclInvalidUsage",
        r"collective operation timeout",
        r"gloo.{0,80}(?:connectFullMesh failed|Connection (?:closed|refused|reset))",
    ),
    *signatures_of(
        Cause.PERMISSION,
        r"[Pp]ermission denied",
        r"PermissionError",
        r"\[Errno 13\]",
    ),
    *signatures_of(
        Cause.MODEL_CORRUPT,
        r"error loading model (?:hyperparameters|vocabulary)",
        r"start \(\d+\) \+ length \(\d+\) exceeds dimension size",
        r"size of tensor a \(\d+\) must match the size of tensor b",
        r"^KeyError: '(?:model|layers|lm_head|language_model|transformer|visual|vision_tower)\.[\w.]+'",
    ),
    *signatures_of(
        Cause.MODEL_MISSING,
        r"\b40[134] Client Error",
        r"EntryNotFound",
        r"Max retries exceeded with url",
        r"Temporary failure in name resolution",
        r"Name or service not known",
        r"Failed to resolve",
        r"host='(?:huggingface\.co|cdn-lfs)[^']{0,60}'.{0,200}(?:timed out|Timeout)",
    ),
    *signatures_of(
        Cause.KV_CACHE,
        r"[Mm]emory .{0,120}\b[kK][vV](?:[ _-]?cache)?\b.{0,60}(?:less than|not enough|insufficient|exceeds|too small)",
    ),
    *signatures_of(
        Cause.TENSOR_PARALLEL,
        r"Error: .{0,300}(?:decrease|reduce|lower) .{0,10}\bTP\b",
        r"Error: .{0,200}(?:tp_size|[Tt]ensor[_ -]?[Pp]arallel|TP size|[Pp]ipeline[_ -]?[Pp]arallel)",
    ),
    *signatures_of(
        Cause.ALIGNMENT,
        r"(?:[Ww]eight|[Dd]im|features|shape).{0,100}divisible by",
        r"(?:[Ww]eight|[Dd]im|features|shape).{0,100}multiple of",
    ),
    *signatures_of(
        Cause.ARCHITECTURE,
        r"Error: .{0,200}model[_ ]type\b",
        r"supported .{0,40}model architecture",
    ),
    *signatures_of(
        Cause.NO_DEVICE,
        r"Error: .{0,120}(?:requires?|needs|only supports?|only supported on) .{0,60}(?:\bSM ?\d{2}|Hopper|Blackwell|Ampere|Turing|GPUs?\b)",
    ),
    *signatures_of(
        Cause.PORT_IN_USE,
        r"[Ff]ailed to bind\b",
    ),
    *signatures_of(
        Cause.BAD_FLAG,
        r"Input should be ",
        r"^Field required",
        r"Extra inputs are not permitted",
        r"Error: .{0,200}(?:[Vv]alid|[Ss]upported) (?:values|options|choices) (?:are|is)\b",
        r"Error: .{0,200}(?:[Mm]ust be|[Ee]xpected) one of\b",
        r"Unexpected keyword argument",
        r"^(?:\w+\.)*\w+Error: .{0,200}?[\s`'\"(]--[a-z][\w-]+",
        r"Value error, .{0,200}[\s`'\"(]--[a-z][\w-]+",
    ),
)
"""What several causes bring about; counts only where none names itself."""

CONSEQUENCES: tuple[Signature, ...] = (
    *signatures_of(
        Cause.PROGRAM_MISSING,
        r"command not found",
        r"^(?:\S*sh: )?(?:line )?(?:\d+: )?\S+: not found$",
        r"undefined symbol",
        r"^(?:- )?(?:ModuleNotFound|Import)Error: \S",
        r"Error: .{0,200}(?:[Pp]lease (?:re)?install|`?pip install)\b",
        r"cannot import name ",
        r"cannot open shared object file",
    ),
    *signatures_of(
        Cause.MODEL_MISSING,
        r"FileNotFoundError",
        r"\[Errno 2\]",
        r"\(os error 2\)",
        r"\bopen.{0,300}No such file or directory",
    ),
    *signatures_of(
        Cause.CONTEXT,
        r"exceeds? the available context size",
        r"exceeds? (?:the )?(?:model's )?(?:maximum )?context (?:length|window|size)",
        r"maximum context length is \d+",
        r"exceed context window of",
        r"longer than the model's context length",
        r"n_ctx_seq == 0",
    ),
    *signatures_of(
        Cause.NCCL,
        r"NCCL WARN ",
    ),
    *signatures_of(
        Cause.TIMEOUT,
        r"[Tt]imed out (?:waiting|after)",
        r"\bTimeoutError\b",
        r"socket has timed out",
        r"[Ww]atchdog timeout",
    ),
)
"""What is left to say when nothing else does."""

KILLED = signatures_of(
    Cause.KILLED,
    r"^Killed$",
    r"^KeyboardInterrupt\b",
    r"[Ee]xit ?code:? ?-9\b",
    r"\bsignal:? (?:9\b|killed)",
    r"\bSignal 9\b",
    r"\b(?:by|with|got|received|from|signal|signal:) SIGKILL\b",
    r"\bSIGKILL received\b",
    r"OOMKilled",
    r"oom-kill",
    r"Out of memory: Killed process",
    r"killed due to memory pressure",
)
"""Somebody ended it, or one of its processes."""

ENDED_ITSELF = re.compile(r"Received sigquit from a child process|kill_process_tree called|warmup error")
"""SGLang kills itself with SIGKILL when a part of it or its first request fails."""

UP = (
    "Application startup complete",
    "Uvicorn running on ",
    "The server is fired up and ready to roll",
    " listening on http",
    "all slots are idle",
    "llama runner started in",
    'msg="Listening on ',
    "retrying without pipeline parallelism",
)
"""What a server writes when it is up, or has found another way: no line before it tells why it fails later."""

ENDINGS = {
    "SIGKILL": Cause.KILLED,
    "SIGTERM": Cause.KILLED,
    "SIGINT": Cause.KILLED,
    "SIGHUP": Cause.KILLED,
    "its keeper was killed": Cause.KILLED,
    "exit status 137": Cause.KILLED,
    "exit status 143": Cause.KILLED,
    "exit status 127": Cause.PROGRAM_MISSING,
    "exit status 126": Cause.PERMISSION,
    "timed out": Cause.TIMEOUT,
}
"""What the end of the process tells by itself, where its log is silent; the numbers are those of a shell."""

SERVED_ENDINGS = {"exit status 0": Cause.KILLED}
"""The same of one that had served: it does not stop doing so without an error unless it is told to."""
