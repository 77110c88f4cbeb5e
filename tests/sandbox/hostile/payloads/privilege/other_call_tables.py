# inside: done or killed by signal 31
import ctypes, mmap, os
from attack import done, libc, reached

if os.uname().machine == "x86_64":
    if libc.syscall(0x40000000 + 39) > 0:  # getpid by the x32 table
        reached("x32 system calls")
    page = mmap.mmap(-1, 4096, prot=7)
    page.write(b"\xb8\x14\0\0\0\xcd\x80\xc3")  # mov eax, 20 (getpid by the i386 table); int 0x80; ret
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    if ctypes.CFUNCTYPE(ctypes.c_int)(address)() == os.getpid():
        reached("i386 system calls")
done()
