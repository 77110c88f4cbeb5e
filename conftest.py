"""Loads what the project's own tests drive pytest with."""

pytest_plugins = ["pytester"]
