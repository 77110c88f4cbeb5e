"""Frozen records of a run, their JSON codec and schema. Standard library only, except `codec`."""
