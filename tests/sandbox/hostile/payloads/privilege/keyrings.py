from attack import done, let_through

let_through("keyctl", 0, -3, 1)
let_through("keyctl", 0, -4, 1)
let_through("add_key", b"user", b"llmbench", b"x", 1, -3)
let_through("request_key", b"user", b"llmbench", 0, 0)
done()
