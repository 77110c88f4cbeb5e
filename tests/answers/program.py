"""A small program with a fault, its repair, and a second file: what the answers of these tests are about."""

from __future__ import annotations

TANK = '''"""Level of a rain tank in litres."""

import logging
import threading

log = logging.getLogger("tank")
CAPACITY = 800


class Tank:
    """Filled by the roof, emptied by the garden."""

    def __init__(self, level=0):
        self.level = level
        self._lock = threading.Lock()

    def fill(self, litres):
        self.level = self.level + litres
        log.info("filled to %s", self.level)

    def draw(self, litres):
        with self._lock:
            taken = min(litres, self.level)
            self.level -= taken
            return taken


def report(tank):
    """Return one line for the display.

        report(Tank(3))
        ...
    """
    return f"{tank.level} of {CAPACITY}"


def main():
    tank = Tank()
    tank.fill(20)
    print(report(tank))


if __name__ == "__main__":
    main()
'''

FIXED = TANK.replace(
    '        self.level = self.level + litres\n        log.info("filled to %s", self.level)\n',
    "        with self._lock:\n            self.level = min(CAPACITY, self.level + litres)\n",
)

PUMP = '''"""Runs the pump while there is water."""

from tank import Tank


class Pump:
    def __init__(self, tank: Tank):
        self.tank = tank
        self.runs = 0

    def run(self):
        self.runs += 1
        return self.tank.draw(5)
'''

PUMP_FIXED = PUMP.replace("self.runs += 1\n", "self.runs += 1 if self.tank.level else 0\n")

ONE = {"tank.py": TANK}
TWO = {"tank.py": TANK, "pump.py": PUMP}

DIFF = """--- a/tank.py
+++ b/tank.py
@@ -17,8 +17,8 @@
         self._lock = threading.Lock()
 
     def fill(self, litres):
-        self.level = self.level + litres
-        log.info("filled to %s", self.level)
+        with self._lock:
+            self.level = min(CAPACITY, self.level + litres)
 
     def draw(self, litres):
         with self._lock:
"""  # noqa: W293 - an empty line of context

EDIT = """<<<<<<< SEARCH
        self.level = self.level + litres
        log.info("filled to %s", self.level)
=======
        with self._lock:
            self.level = min(CAPACITY, self.level + litres)
>>>>>>> REPLACE
"""

PUMP_DIFF = """--- pump.py
+++ pump.py
@@ @@
     def run(self):
-        self.runs += 1
+        self.runs += 1 if self.tank.level else 0
         return self.tank.draw(5)
"""


def fence(text: str, info: str = "python", mark: str = "```") -> str:
    """Return the text as a fenced block."""
    return f"{mark}{info}\n{text}{mark}\n"
