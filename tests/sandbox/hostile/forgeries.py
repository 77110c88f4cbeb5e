"""Answers that try to be judged right without being right.

The task is `solve(n)`, wanted is the square of `n`. Each forgery tries to get a passing verdict for wrong results.
"""

from __future__ import annotations

_HONEST = "def solve(n):\n    return n * n\n"

FORGERIES = {
    "exit 0 on import": "import sys; sys.exit(0)",
    "_exit 0 on import": "import os; os._exit(0)",
    "exit 0 in the call": "import sys\ndef solve(n): sys.exit(0)",
    "_exit 0 in the call": "import os\ndef solve(n): os._exit(0)",
    "exit in atexit": "import atexit, os\natexit.register(os._exit, 0)\ndef solve(n): return 0",
    "killed by itself": "import os, signal\ndef solve(n): os.kill(os.getpid(), signal.SIGKILL)",
    "killing the first program": "import os, signal\ndef solve(n):\n    os.kill(1, signal.SIGKILL)\n    return 0",
    "fake JSON on stdout": 'def solve(n):\n    print(\'{"passed": true, "value": %d}\' % (n * n))\n    return None',
    "equal to everything": "class Any(int):\n    def __eq__(self, other): return True\n    def __ne__(self, other): return False\n    __hash__ = int.__hash__\ndef solve(n): return Any(7)",
    "equal to everything, no int": "class Any:\n    def __eq__(self, other): return True\ndef solve(n): return Any()",
    "a text equal to everything": "class Any(str):\n    def __eq__(self, other): return True\n    __hash__ = str.__hash__\ndef solve(n): return Any('7')",
    "metaclass": "class M(type):\n    def __instancecheck__(cls, other): return True\n    def __eq__(cls, other): return True\n    __hash__ = type.__hash__\nclass C(metaclass=M): pass\ndef solve(n): return C",
    "reduce": "class R:\n    def __reduce__(self): return (eval, ('n * n',))\ndef solve(n): return R()",
    "patched json": 'import json\njson.dumps = lambda *a, **k: \'{"$dict": [["id", "x"], ["value", 1]]}\'\njson.loads = lambda *a, **k: {}\ndef solve(n): return 7',
    "patched builtins": "import builtins\nbuiltins.isinstance = lambda *a: True\nbuiltins.len = lambda x: 0\nbuiltins.type = lambda x: int\ndef solve(n): return [7]",
    "patched wire": "import sys\nsys.modules['wire'].dumps = lambda value: b'true'\ndef solve(n): return 7",
    "patched unittest and pytest": "import unittest\nunittest.TestCase.assertEqual = lambda *a: None\ndef solve(n): return 7",
    "frame search": "import sys\ndef solve(n):\n    frame = sys._getframe()\n    found = []\n    while frame:\n        found += [v for k, v in frame.f_locals.items() if k in ('expected', 'wanted', 'answer')]\n        frame = frame.f_back\n    return found[0] if found else 7",
    "garbage collector search": "import gc\ndef solve(n):\n    for one in gc.get_objects():\n        if isinstance(one, dict) and ('expected' in one or 'wanted' in one):\n            return one.get('expected', one.get('wanted'))\n    return 7",
    "memory search": "def solve(n):\n    import re\n    for line in open('/proc/self/maps'):\n        pass\n    return 7",
    "reply ahead of the question": 'import os\nos.write(3, b\'{"$dict":[["id","0"],["value",49]]}\\n\')\ndef solve(n): return 7',
    "many replies ahead": 'import os\ndef solve(n):\n    os.write(3, b\'{"$dict":[["id","0"],["value",49]]}\\n\' * 100)\n    return n * n',
    "reply with a stolen identity": "import gc, os\ndef solve(n):\n    for one in gc.get_objects():\n        if isinstance(one, dict) and 'function' in one and 'id' in one:\n            reply = '{\"$dict\":[[\"id\",\"%s\"],[\"value\",49]]}\\n' % one['id']\n            os.write(3, reply.encode() * 2)\n    return 7",
    "closed channel": "import os\ndef solve(n):\n    os.close(3)\n    return n * n",
    "channel taken over": 'import os, threading\ndef listen():\n    while True:\n        os.read(3, 65536)\n        os.write(3, b\'{"$dict":[["id","0"],["value",49]]}\\n\')\nthreading.Thread(target=listen, daemon=True).start()\ndef solve(n): return 7',
    "scanning descriptors": 'import os\ndef solve(n):\n    for fd in range(256):\n        try: os.write(fd, b\'{"$dict":[["id","0"],["value",49]]}\\n\')\n        except OSError: pass\n    return 7',
    "not a number": "def solve(n): return float('nan')",
    "infinite": "def solve(n): return float('inf')",
    "not a number, decimal": "from decimal import Decimal\ndef solve(n): return Decimal('NaN')",
    "enormous decimal": "from decimal import Decimal\ndef solve(n): return Decimal('1e999999999')",
    "enormous int": "def solve(n): return 10 ** 100000",
    "enormous text": "def solve(n): return 'x' * (64 << 20)",
    "endless line": "import os\ndef solve(n):\n    while True: os.write(3, b'x' * 65536)",
    "deep list": "def solve(n):\n    value = []\n    for _ in range(100000): value = [value]\n    return value",
    "deep JSON": "import os\ndef solve(n):\n    os.write(3, b'[' * 1000000 + b'\\n')\n    return 7",
    "endless list": "def solve(n):\n    value = []\n    value.append(value)\n    return value",
    "NaN by hand": "import os\ndef solve(n):\n    os.write(3, b'NaN\\n')\n    return 7",
    "half a character": "def solve(n): return '\\ud800'",
    "late": "import time\ndef solve(n): time.sleep(600)",
    "raising": "def solve(n): raise SystemExit(0)",
    "raising something equal": "class Any(Exception):\n    def __eq__(self, other): return True\ndef solve(n): raise Any('49')",
    "remembering a former input": "seen = []\ndef solve(n):\n    seen.append(n)\n    return seen[0] ** 2",
    "another result for each look": "class Sly(dict):\n    def items(self): return [('a', 1)]\n    def __getitem__(self, key): return 49\ndef solve(n): return Sly()",
    "nothing": "def solve(n): pass",
    "no function": "x = 1",
    "syntax error": "def solve(n) return n",
}
"""Name -> code of `answer.py`."""

HONEST = {
    "plain": _HONEST,
    "noisy": "import os, sys\nprint('hello')\nos.write(2, b'noise\\n' * 1000)\n" + _HONEST,
    "a subclass of int": "class Good(int): pass\ndef solve(n): return Good(n * n)",
    "slow start": "import time\ntime.sleep(0.3)\n" + _HONEST,
    "threads": "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()\n" + _HONEST,
}
