import resource
from attack import attempt, done

for name in (
    "RLIMIT_NPROC",
    "RLIMIT_NOFILE",
    "RLIMIT_AS",
    "RLIMIT_CPU",
    "RLIMIT_FSIZE",
    "RLIMIT_CORE",
    "RLIMIT_MEMLOCK",
):
    kind = getattr(resource, name)
    hard = resource.getrlimit(kind)[1]
    if hard == resource.RLIM_INFINITY:
        attempt(name, int, 1)
    else:
        attempt(name, resource.setrlimit, kind, (hard, hard + 1))
done()
