"""Programs that measure this project, and what they measure it against."""
