"""The hiveos suite: its judge's pure parts, its letter and its program."""
