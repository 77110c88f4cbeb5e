import ctypes
from attack import done, let_through

let_through("bpf", 0, ctypes.create_string_buffer(128), 128)
let_through(
    "perf_event_open",
    ctypes.create_string_buffer((1).to_bytes(4, "little") + (128).to_bytes(4, "little") + bytes(120)),
    0,
    -1,
    -1,
    0,
)
let_through("userfaultfd", 1)
let_through("seccomp", 1, 8, 0)
done()
