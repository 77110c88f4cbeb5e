"""The node's JSON-RPC, as far as the pool needs it."""

import asyncio
import http.client
import itertools
import json
import logging
from urllib.parse import urlsplit

log = logging.getLogger("node")

TIMEOUT_S = 60
LONGPOLL_TIMEOUT_S = 3600


class NodeError(Exception):
    """The node could not be reached, or it refused."""


class Node:
    def __init__(self, url):
        self._where = urlsplit(url)
        self._numbers = itertools.count(1)

    async def block_template(self, longpollid=None):
        """Return a template; with a longpollid, wait until there is a newer one (BIP 22)."""
        request = {"rules": []} if longpollid is None else {"rules": [], "longpollid": longpollid}
        return await asyncio.to_thread(self._call, "getblocktemplate", [request], LONGPOLL_TIMEOUT_S)

    async def submit_block(self, block_hex):
        """Return None if the node took the block, otherwise its reason."""
        return await asyncio.to_thread(self._call, "submitblock", [block_hex], TIMEOUT_S)

    def _call(self, method, params, timeout_s):
        number = next(self._numbers)
        body = json.dumps({"id": number, "method": method, "params": params})
        log.info("call %d: %s", number, body[:2000])
        connection = http.client.HTTPConnection(self._where.hostname, self._where.port, timeout=timeout_s)
        try:
            connection.request("POST", self._where.path or "/", body, {"Content-Type": "application/json"})
            reply = json.loads(connection.getresponse().read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise NodeError(f"{method}: {type(error).__name__}: {error}") from error
        finally:
            connection.close()
        if reply.get("error"):
            raise NodeError(f"{method}: {reply['error']}")
        return reply["result"]
