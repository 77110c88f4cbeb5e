"""The judge's own parts of the suite pplns, and what a model is given."""
