"""Figures of speed, and what workloads are made of. Pure: times and texts in, records out."""
