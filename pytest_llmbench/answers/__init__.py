"""The text of an answer -> its reasoning and its files. Pure functions: nothing is read, written or run."""

from __future__ import annotations

from pytest_llmbench.answers.diffs import apply_unified_diff
from pytest_llmbench.answers.extract import Extraction, extract_files
from pytest_llmbench.answers.reasoning import SplitAnswer, split_reasoning

__all__ = ["Extraction", "SplitAnswer", "apply_unified_diff", "extract_files", "split_reasoning"]
