import ctypes
from attack import done, let_through

let_through("memfd_create", b"x", 0)
let_through("memfd_secret", 0)
let_through("shmget", 0, 1 << 20, 0o1600)
let_through("semget", 0, 100, 0o1600)
let_through("msgget", 0, 0o1600)
let_through("mq_open", b"x", 0o102, 0o600, 0)
let_through("inotify_init1", 0)
let_through("fanotify_init", 0, 0)
done()
