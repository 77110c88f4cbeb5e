"""The scenarios, each in a module of its own."""

from .byte_order import real_difficulty
from .info_leak import slow_node
from .input_validation import rude_clients
from .memory_leak import busy_day
from .stale_job import long_night

__all__ = ["busy_day", "long_night", "real_difficulty", "rude_clients", "slow_node"]
