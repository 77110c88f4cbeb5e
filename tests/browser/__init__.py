"""The HTML report in a real Chromium."""
