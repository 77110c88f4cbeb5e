"""Jobs: from the node's block template to mining.notify, from a share to a header and a block."""

import hashlib
import struct

DIFFICULTY_1 = 0xFFFF << 208
COINBASE_TAG = b"/smallpool/"
EXTRANONCE1_SIZE = 4
EXTRANONCE2_SIZE = 4


def sha256d(data):
    return hashlib.sha256(hashlib.sha256(data).digest()).digest()


def target_of(difficulty):
    """The largest hash that is good enough for a share."""
    return int(DIFFICULTY_1 / difficulty)


def target_of_bits(bits):
    exponent, mantissa = bits >> 24, bits & 0x7FFFFF
    return mantissa << 8 * (exponent - 3) if exponent > 3 else mantissa >> 8 * (3 - exponent)


def varint(number):
    if number < 0xFD:
        return bytes([number])
    return b"\xfd" + struct.pack("<H", number)


def swap_words(data):
    """Turn round each group of four bytes, as mining.notify wants it for the previous block."""
    return b"".join(data[i : i + 4][::-1] for i in range(0, len(data), 4))


def merkle_branch(txids):
    """What has to be hashed with the coinbase on its way up to the root."""
    branch = []
    level = [None, *txids]
    while len(level) > 1:
        branch.append(level[1])
        if len(level) % 2:
            level.append(level[-1])
        level = [None] + [sha256d(level[i] + level[i + 1]) for i in range(2, len(level), 2)]
    return branch


class Job:
    """One piece of work for the miners, made from one template."""

    def __init__(self, job_id, template, payout_script, clean):
        self.id = job_id
        self.clean = clean
        self.height = template["height"]
        self.version = template["version"]
        self.previous = bytes.fromhex(template["previousblockhash"])
        self.bits = int(template["bits"], 16)
        self.curtime = template["curtime"]
        self.target = target_of_bits(self.bits)
        self.transactions = [tx["data"] for tx in template["transactions"]]
        self.branch = merkle_branch([bytes.fromhex(tx["txid"])[::-1] for tx in template["transactions"]])
        self.coinb1, self.coinb2 = self._coinbase_parts(template["coinbasevalue"], payout_script)

    def notify_params(self, clean=None):
        branch = [node.hex() for node in self.branch]
        numbers = [f"{number:08x}" for number in (self.version, self.bits, self.curtime)]
        clean = self.clean if clean is None else clean
        return [self.id, swap_words(self.previous).hex(), self.coinb1.hex(), self.coinb2.hex(), branch, *numbers, clean]

    def coinbase(self, extranonce1, extranonce2):
        return self.coinb1 + extranonce1 + extranonce2 + self.coinb2

    def header(self, coinbase, ntime, nonce):
        root = sha256d(coinbase)
        for node in self.branch:
            root = sha256d(root + node)
        end = struct.pack("<I", ntime) + struct.pack(">I", self.bits) + struct.pack("<I", nonce)
        return struct.pack("<I", self.version) + self.previous + root + end

    def block_hex(self, header, coinbase):
        count = varint(1 + len(self.transactions))
        return header.hex() + count.hex() + coinbase.hex() + "".join(self.transactions)

    def _coinbase_parts(self, value, payout_script):
        height = self.height.to_bytes((self.height.bit_length() + 8) // 8, "little")
        before = bytes([len(height)]) + height
        script_size = len(before) + EXTRANONCE1_SIZE + EXTRANONCE2_SIZE + len(COINBASE_TAG)
        coinb1 = struct.pack("<I", 1) + b"\x01" + bytes(32) + b"\xff\xff\xff\xff" + bytes([script_size]) + before
        output = struct.pack("<Q", value) + varint(len(payout_script)) + payout_script
        coinb2 = COINBASE_TAG + b"\xff\xff\xff\xff" + b"\x01" + output + struct.pack("<I", 0)
        return coinb1, coinb2
