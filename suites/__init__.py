"""The suites: one folder each, with letter, program, judge, checks and the corpus that proves the judge."""
