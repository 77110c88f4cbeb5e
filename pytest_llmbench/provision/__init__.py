"""Starts the servers of a run, watches them, and stops all of what it started."""
