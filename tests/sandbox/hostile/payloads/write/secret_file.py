# none: reached
from attack import attempt, done, facts

attempt("secret file", lambda: open(facts["secret_file"], "a").close())
done()
