"""This project's client and the programs that users would take instead, measured against one schedule in one run."""
