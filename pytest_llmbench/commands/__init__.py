"""What `llmbench` can do: one module for each command."""

from __future__ import annotations

from pytest_llmbench.commands import compare, prompts, report, schema

COMMANDS = (report.COMMAND, compare.COMMAND, schema.COMMAND, prompts.COMMAND)
"""In the order of the help."""
