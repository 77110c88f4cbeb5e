from attack import done, let_through, attempt
import ctypes

let_through("syslog", 3, ctypes.create_string_buffer(4096), 4096)
attempt("/dev/kmsg", open, "/dev/kmsg", "rb")
attempt("/proc/kcore", open, "/proc/kcore", "rb")
done()
