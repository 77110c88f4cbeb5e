# none: reached
import importlib.util, os
from attack import attempt, done, facts, reached

for place in (
    facts["project"],
    facts["project"] + "/suites",
    facts["project"] + "/pytest_llmbench",
    facts["environment"] + "/pyvenv.cfg",
):
    attempt(place, os.stat, place)
if importlib.util.find_spec("pytest_llmbench") or importlib.util.find_spec("pytest"):
    reached("the grader's packages")
done()
