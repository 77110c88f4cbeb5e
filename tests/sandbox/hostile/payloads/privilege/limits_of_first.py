import ctypes
from attack import done, let_through

for resource in (0, 7, 9):  # CPU, NOFILE, AS: a limit of 0 would end it
    let_through("prlimit64", 1, resource, (ctypes.c_uint64 * 2)(0, 0), 0)
done()
