"""A script that makes a custom miner package for HiveOS."""
