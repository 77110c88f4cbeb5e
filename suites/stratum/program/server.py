"""Stratum server of a small pool: python server.py config.json"""

import asyncio
import itertools
import json
import logging
import sys
import time

from jobs import EXTRANONCE1_SIZE, EXTRANONCE2_SIZE, Job, sha256d, target_of
from node import Node, NodeError

log = logging.getLogger("pool")

RETRY_S = 1

OTHER, STALE, DUPLICATE, LOW_DIFFICULTY, UNAUTHORISED = 20, 21, 22, 23, 24


class Refused(Exception):
    """A share that is not credited: code and reason."""


class Miner:
    """One connection."""

    def __init__(self, pool, reader, writer, extranonce1):
        self.pool = pool
        self.reader = reader
        self.writer = writer
        self.extranonce1 = extranonce1
        self.subscribed = False
        self.workers = set()

    async def serve(self):
        async for line in self.reader:
            request = json.loads(line)
            await self.on_request(request["id"], request["method"], request["params"])

    async def on_request(self, number, method, params):
        if method == "mining.subscribe":
            self.subscribed = True
            kinds = [["mining.set_difficulty", "1"], ["mining.notify", "1"]]
            await self.reply(number, [kinds, self.extranonce1.hex(), EXTRANONCE2_SIZE])
            await self.send("mining.set_difficulty", [self.pool.difficulty])
            if self.pool.job is not None:
                await self.send("mining.notify", self.pool.job.notify_params(clean=True))
        elif method == "mining.authorize":
            self.workers.add(params[0])
            await self.reply(number, True)
        elif method == "mining.submit":
            try:
                await self.pool.share(self, *params[:5])
            except Refused as refused:
                await self.reply(number, None, [*refused.args, None])
            else:
                await self.reply(number, True)
        else:
            await self.reply(number, None, [OTHER, "unknown method", None])

    async def reply(self, number, result, error=None):
        await self.write(id=number, result=result, error=error)

    async def send(self, method, params):
        await self.write(id=None, method=method, params=params)

    async def write(self, **message):
        self.writer.write(json.dumps(message).encode() + b"\n")
        await self.writer.drain()


class Pool:
    def __init__(self, config):
        self.config = config
        self.node = Node(config["node_url"])
        self.difficulty = config["difficulty"]
        self.share_target = target_of(self.difficulty)
        self.payout_script = bytes.fromhex(config["payout_script"])
        self.share_log = open(config["share_log"], "a", buffering=1)
        self.miners = set()
        self.job = None
        self.shares = {}  # when each share came, so that none is paid twice
        self._job_numbers = itertools.count(1)
        self._extranonces = itertools.count(1)

    async def run(self):
        server = await asyncio.start_server(self.on_connect, self.config["host"], self.config["port"])
        log.info("listening on %s:%d", self.config["host"], self.config["port"])
        async with server:
            await self.follow_node()

    async def follow_node(self):
        """Make a job of each new template."""
        longpollid = None
        while True:
            try:
                template = await self.node.block_template(longpollid)
            except NodeError as error:
                log.warning("no template: %s", error)
                await asyncio.sleep(RETRY_S)
                continue
            longpollid = template["longpollid"]
            await self.on_template(template)

    async def on_template(self, template):
        clean = self.job is None or bytes.fromhex(template["previousblockhash"]) != self.job.previous
        self.job = Job(f"{next(self._job_numbers):x}", template, self.payout_script, clean)
        if clean:
            log.info("new block: height %d", self.job.height)
        for miner in [miner for miner in self.miners if miner.subscribed]:
            await miner.send("mining.notify", self.job.notify_params())

    async def on_connect(self, reader, writer):
        miner = Miner(self, reader, writer, next(self._extranonces).to_bytes(EXTRANONCE1_SIZE, "big"))
        self.miners.add(miner)
        await miner.serve()
        self.miners.discard(miner)
        writer.close()

    async def share(self, miner, worker, job_id, extranonce2, ntime, nonce):
        """Credit a share, or raise Refused."""
        if worker not in miner.workers:
            raise Refused(UNAUTHORISED, "unauthorised worker")
        job = self.job
        if job_id != job.id:
            raise Refused(STALE, "job not found")
        coinbase = job.coinbase(miner.extranonce1, bytes.fromhex(extranonce2))
        header = job.header(coinbase, int(ntime, 16), int(nonce, 16) & 0xFFFFFFFF)
        share_hash = int.from_bytes(sha256d(header), "little")
        if share_hash > self.share_target:
            raise Refused(LOW_DIFFICULTY, "low difficulty share")
        share = (job_id, miner.extranonce1, extranonce2, ntime, nonce)
        if share in self.shares:
            raise Refused(DUPLICATE, "duplicate share")
        self.shares[share] = time.time()
        line = {"time": int(time.time()), "worker": worker, "difficulty": self.difficulty}
        self.share_log.write(json.dumps(line) + "\n")
        if share_hash <= job.target:
            await self.submit(job, worker, header, coinbase, share_hash)

    async def submit(self, job, worker, header, coinbase, share_hash):
        log.info("block %064x of height %d, found by %s", share_hash, job.height, worker)
        try:
            reason = await self.node.submit_block(job.block_hex(header, coinbase))
        except NodeError as error:
            log.error("block %064x: %s", share_hash, error)
            return
        log.info("block %064x: %s", share_hash, reason or "accepted")


def main():
    with open(sys.argv[1]) as file:
        config = json.load(file)
    handlers = [logging.StreamHandler(), logging.FileHandler(config["log_file"])]
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s: %(message)s", handlers=handlers)
    asyncio.run(Pool(config).run())


if __name__ == "__main__":
    main()
