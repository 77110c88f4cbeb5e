# none: reached
from attack import attempt, done, facts

attempt("secret file", open, facts["secret_file"])
done()
