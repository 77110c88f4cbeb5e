from attack import done, let_through

let_through("init_module", 0, 0, b"")
let_through("finit_module", -1, b"", 0)
let_through("kexec_load", 0, 0, 0, 0)
let_through("reboot", 0, 0, 0, 0)
done()
