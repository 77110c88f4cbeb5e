"""Payouts of the pool: turns credits into payouts, sends them, and shows them.

    payments.py settle  --db pool.db --fee 1.5 --minimum 0.001
    payments.py recover --db pool.db --wallet http://127.0.0.1:8332/
    payments.py run     --db pool.db --wallet http://127.0.0.1:8332/ --threads 4
    payments.py search  --db pool.db NAME
    payments.py summary --db pool.db
"""

import argparse
import json
import logging
import math
import sqlite3
import threading

from wallet import Wallet, WalletError

log = logging.getLogger("payments")

SATOSHI = 0.00000001
MAX_ATTEMPTS = 3

SCHEMA = """
CREATE TABLE IF NOT EXISTS workers (
    name    TEXT PRIMARY KEY,
    address TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS credits (
    id        INTEGER PRIMARY KEY AUTOINCREMENT,
    worker    TEXT NOT NULL,
    amount    TEXT NOT NULL,
    payout_id INTEGER
);
CREATE TABLE IF NOT EXISTS payouts (
    id       INTEGER PRIMARY KEY AUTOINCREMENT,
    worker   TEXT NOT NULL,
    address  TEXT NOT NULL,
    amount   TEXT NOT NULL,
    fee      TEXT NOT NULL DEFAULT '0',
    status   TEXT NOT NULL DEFAULT 'pending',
    txid     TEXT,
    attempts INTEGER NOT NULL DEFAULT 0,
    note     TEXT
);
"""


class Store:
    """The pool's database. Every thread opens one of its own."""

    def __init__(self, path):
        self._db = sqlite3.connect(path)
        self._db.row_factory = sqlite3.Row
        self._db.executescript(SCHEMA)

    def close(self):
        self._db.close()

    # Credits and payouts

    def open_credits(self):
        """Return {worker: gross amount} of all credits that no payout covers yet."""
        gross = {}
        for row in self._db.execute("SELECT worker, amount FROM credits WHERE payout_id IS NULL"):
            gross[row["worker"]] = gross.get(row["worker"], 0.0) + float(row["amount"])
        return gross

    def address_of(self, worker):
        row = self._db.execute("SELECT address FROM workers WHERE name = ?", (worker,)).fetchone()
        return row["address"] if row else None

    def add_payout(self, worker, address, amount, fee):
        with self._db:
            cursor = self._db.execute(
                "INSERT INTO payouts (worker, address, amount, fee) VALUES (?, ?, ?, ?)",
                (worker, address, str(amount), str(fee)),
            )
            self._db.execute(
                "UPDATE credits SET payout_id = ? WHERE worker = ? AND payout_id IS NULL",
                (cursor.lastrowid, worker),
            )
        return cursor.lastrowid

    # Sending

    def next_pending(self):
        return self._db.execute("SELECT * FROM payouts WHERE status = 'pending' ORDER BY id LIMIT 1").fetchone()

    def start_sending(self, payout_id):
        with self._db:
            self._db.execute(
                "UPDATE payouts SET status = 'sending', attempts = attempts + 1 WHERE id = ?", (payout_id,)
            )

    def finish(self, payout_id, status, txid=None, note=None):
        with self._db:
            self._db.execute(
                "UPDATE payouts SET status = ?, txid = ?, note = ? WHERE id = ?", (status, txid, note, payout_id)
            )

    def restart_interrupted(self):
        """Put back what a worker had in its hands when it died; return how many."""
        with self._db:
            return self._db.execute("UPDATE payouts SET status = 'pending' WHERE status = 'sending'").rowcount

    # Showing

    def search(self, name):
        query = f"SELECT id, worker, address, amount, status, txid FROM payouts WHERE worker = '{name}' ORDER BY id"
        return [dict(row) for row in self._db.execute(query)]

    def totals(self):
        totals = {}
        fees = 0.0
        for row in self._db.execute("SELECT status, amount, fee FROM payouts"):
            total = totals.setdefault(row["status"], {"count": 0, "amount": 0.0})
            total["count"] += 1
            total["amount"] += float(row["amount"])
            fees += float(row["fee"])
        totals["fees"] = fees
        return totals


class Sender:
    """Sends all pending payouts with several threads."""

    def __init__(self, db_path, wallet, threads):
        self.db_path = db_path
        self.wallet = wallet
        self.threads = threads

    def run(self):
        threads = [threading.Thread(target=self._work, name=f"sender-{n}") for n in range(self.threads)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _work(self):
        store = Store(self.db_path)
        while True:
            payout = store.next_pending()
            if payout is None:
                break
            self._send(store, payout)
        store.close()

    def _send(self, store, payout):
        log.info("sending payout %s: %s BTC to %s", payout["id"], payout["amount"], payout["address"])
        store.start_sending(payout["id"])
        try:
            txid = self.wallet.send(payout["address"], float(payout["amount"]), f"payout-{payout['id']}")
        except WalletError as error:
            # The wallet is restarted now and then: try again, but not for ever.
            status = "failed" if payout["attempts"] + 1 >= MAX_ATTEMPTS else "pending"
            log.warning("payout %s is %s: %s", payout["id"], status, error)
            store.finish(payout["id"], status, note=str(error))
        else:
            log.info("payout %s is paid: %s", payout["id"], txid)
            store.finish(payout["id"], "paid", txid=txid)


def settle(store, fee_percent, minimum):
    """Make a payout for every worker whose credits, less the pool's fee, reach the minimum."""
    for worker, gross in sorted(store.open_credits().items()):
        fee = math.floor(gross * fee_percent / 100 / SATOSHI) * SATOSHI
        amount = gross - fee
        if amount < minimum:
            continue
        address = store.address_of(worker)
        if address is None:
            log.warning("worker %s has no address", worker)
            continue
        payout_id = store.add_payout(worker, address, amount, fee)
        log.info("payout %s for %s: %s BTC, fee %s", payout_id, worker, amount, fee)


def main():
    parser = argparse.ArgumentParser(description="Payouts of the pool.")
    commands = parser.add_subparsers(dest="command", required=True)
    for name in ("settle", "recover", "run", "search", "summary"):
        command = commands.add_parser(name)
        command.add_argument("--db", required=True)
        if name in ("recover", "run"):
            command.add_argument("--wallet", required=True, help="URL of the wallet")
        if name == "settle":
            command.add_argument("--fee", type=float, required=True, help="in percent")
            command.add_argument("--minimum", type=float, required=True, help="in BTC")
        if name == "run":
            command.add_argument("--threads", type=int, default=4)
        if name == "search":
            command.add_argument("name")
    args = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(threadName)s %(message)s")

    store = Store(args.db)
    if args.command == "settle":
        settle(store, args.fee, args.minimum)
    elif args.command == "recover":
        log.info("%s interrupted payouts are pending again", store.restart_interrupted())
    elif args.command == "run":
        Sender(args.db, Wallet(args.wallet), args.threads).run()
    elif args.command == "search":
        for payout in store.search(args.name):
            print(json.dumps(payout))
    elif args.command == "summary":
        print(json.dumps(store.totals()))


if __name__ == "__main__":
    main()
