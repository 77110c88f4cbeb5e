# inside: count at most 64
import _thread, time
from attack import done, say

count = 1
try:
    while count < 5000:
        _thread.start_new_thread(time.sleep, (600,))
        count += 1
except RuntimeError:
    pass
say(f"count {count}")
done()
