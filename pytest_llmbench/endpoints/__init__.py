"""From what a user typed to the endpoints of a run."""
