"""The stratum judge's own parts."""
