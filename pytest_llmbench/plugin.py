"""pytest hooks and fixtures (being written)."""
