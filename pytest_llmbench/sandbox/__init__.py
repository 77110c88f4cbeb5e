"""Runs untrusted code. `open_sandbox` picks the kind and proves it before the first use."""
