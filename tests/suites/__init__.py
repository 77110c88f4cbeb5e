"""The suites and the corpora that prove their judges."""
