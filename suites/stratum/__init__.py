"""A Stratum v1 server between miners and a node."""
