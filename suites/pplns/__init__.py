"""PPLNS payouts from an SQLite table of shares."""
