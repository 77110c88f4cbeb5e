"""Block and transaction notifier: listens to bitcoind's ZeroMQ publisher and tells the pool.

    notifier = BlockNotifier("tcp://127.0.0.1:28332", on_message)
    notifier.start()
    ...
    notifier.stop()
"""

import argparse
import logging
import signal
import threading
import time

import zmq

log = logging.getLogger("notifier")

DEFAULT_TOPICS = ("hashblock", "hashtx")
STATS_EVERY = 60


class Stats:
    """Counters for the status page. Written by the listener, read by everybody."""

    def __init__(self):
        self._lock = threading.Lock()
        self._received = {}
        self._failed_callbacks = 0
        self._last_message_at = None

    def message(self, topic):
        with self._lock:
            self._received[topic] = self._received.get(topic, 0) + 1
            self._last_message_at = time.time()
            return self._received[topic]

    def failed_callback(self):
        with self._lock:
            self._failed_callbacks += 1

    def as_dict(self):
        with self._lock:
            return {
                "received": dict(self._received),
                "failed_callbacks": self._failed_callbacks,
                "last_message_at": self._last_message_at,
            }


class BlockNotifier:
    """Subscribes to bitcoind and calls ``callback(topic, hash_hex, sequence)`` for each message."""

    def __init__(self, endpoint, callback, topics=DEFAULT_TOPICS):
        self.endpoint = endpoint
        self.callback = callback
        self.topics = tuple(topics)

        self._stats = Stats()
        self._running = False
        self._started_at = None
        self._thread = None

        self._context = zmq.Context()
        self._socket = self._context.socket(zmq.SUB)
        # A busy mempool must not make us lose a block.
        self._socket.setsockopt(zmq.RCVHWM, 0)
        # bitcoind restarts now and then: notice a dead connection early.
        self._socket.setsockopt(zmq.TCP_KEEPALIVE, 1)
        self._socket.setsockopt(zmq.TCP_KEEPALIVE_IDLE, 120)
        for topic in self.topics:
            self._socket.setsockopt_string(zmq.SUBSCRIBE, topic)
        self._socket.connect(endpoint)

    def start(self):
        """Start listening in a thread of its own."""
        if self._thread is not None:
            raise RuntimeError("the notifier was started before")
        self._running = True
        self._started_at = time.time()
        self._thread = threading.Thread(target=self._listen, name="bitcoind-zmq", daemon=True)
        self._thread.start()
        log.info("listening to %s for %s", self.endpoint, ", ".join(self.topics))

    def stop(self):
        """Stop listening and let go of everything."""
        self._running = False
        self._socket.close()
        self._context.term()
        self._thread.join()
        log.info("stopped listening to %s", self.endpoint)

    def stats(self):
        """Return the counters as a dict for the status page."""
        stats = self._stats.as_dict()
        stats["running"] = self._running
        stats["uptime"] = time.time() - self._started_at if self._started_at else 0
        return stats

    def _listen(self):
        while self._running:
            try:
                topic = self._socket.recv().decode()
                body = self._socket.recv()
            except zmq.ZMQError as error:
                if not self._running:
                    break
                log.error("receiving from %s failed: %s", self.endpoint, error)
                continue
            sequence = self._stats.message(topic)
            self._notify(topic, body.hex(), sequence)

    def _notify(self, topic, hash_hex, sequence):
        try:
            self.callback(topic, hash_hex, sequence)
        except Exception:
            # A bug in the pool must not cost us the next block.
            self._stats.failed_callback()
            log.exception("callback failed for %s %s", topic, hash_hex)


def main():
    parser = argparse.ArgumentParser(description="Print what bitcoind publishes over ZeroMQ.")
    parser.add_argument("endpoint", nargs="?", default="tcp://127.0.0.1:28332")
    parser.add_argument("--topic", action="append", dest="topics", help="may be given more than once")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    logging.basicConfig(
        level=logging.DEBUG if args.verbose else logging.INFO,
        format="%(asctime)s %(levelname)s %(threadName)s %(message)s",
    )

    leave = threading.Event()
    for signum in (signal.SIGINT, signal.SIGTERM):
        signal.signal(signum, lambda *_: leave.set())

    notifier = BlockNotifier(
        args.endpoint,
        lambda topic, hash_hex, sequence: print(topic, hash_hex, sequence, flush=True),
        args.topics or DEFAULT_TOPICS,
    )
    notifier.start()
    while not leave.wait(STATS_EVERY):
        log.info("stats: %s", notifier.stats())
    notifier.stop()


if __name__ == "__main__":
    main()
