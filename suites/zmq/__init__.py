"""A notifier for blocks and transactions over ZeroMQ."""
