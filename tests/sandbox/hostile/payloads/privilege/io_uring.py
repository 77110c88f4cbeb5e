import ctypes
from attack import done, let_through

let_through("io_uring_setup", 8, ctypes.create_string_buffer(120))
done()
