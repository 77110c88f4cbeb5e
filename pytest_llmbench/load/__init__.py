"""Puts load on an endpoint and measures it."""
