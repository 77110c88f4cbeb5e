"""Work out who gets how much of a block, and write it down for the wallet script.

    python payouts.py --config pool.json HEIGHT [HEIGHT ...]
"""

import argparse
import json
import logging
import os
import sys

from config import ConfigError, load_config
from shares import UnknownBlock, get_block, open_database, shares_for_block

log = logging.getLogger("payouts")

COIN = 100_000_000


def score(shares):
    """Sum up the difficulty of the shares of each address."""
    scores = {}
    for share in shares:
        scores[share.address] = scores.get(share.address, 0) + share.difficulty
    return scores


def split(amount, scores):
    """Split `amount` satoshi in proportion to the scores.

    Everybody's part is rounded down. The satoshis that are left over then go to the
    addresses one by one, the highest score first.
    """
    total = sum(scores.values())
    payouts = {address: amount * points // total for address, points in scores.items()}
    left = amount - sum(payouts.values())
    by_score = sorted(scores, key=lambda address: (-scores[address], address))
    for address in by_score[:left]:
        payouts[address] += 1
    return payouts


def settle(database, config, block):
    """Return what is written down for a block, as a dict."""
    window = config.pplns_factor * block.network_difficulty
    shares = shares_for_block(database, block)
    if not shares:
        raise UnknownBlock(f"there are no shares for block {block.height}")

    fee = int(block.reward * config.fee_percent / 100)
    payouts = split(block.reward - fee, score(shares))
    log.info(
        "block %d: window %s, %d shares from %d down to %d",
        block.height,
        window,
        len(shares),
        shares[0].id,
        shares[-1].id,
    )
    return {
        "height": block.height,
        "hash": block.hash,
        "reward": block.reward,
        "fee": fee,
        "window": window,
        "shares": len(shares),
        "payouts": payouts,
    }


def write_result(out_dir, result):
    """Write the file for the wallet script; it never sees a half-written one."""
    os.makedirs(out_dir, exist_ok=True)
    path = os.path.join(out_dir, f"payouts-{result['height']}.json")
    with open(path + ".new", "w", encoding="utf-8") as file:
        json.dump(result, file, indent=2)
        file.write("\n")
    os.replace(path + ".new", path)
    return path


def summary(result):
    """A few lines for the mail that cron sends."""
    lines = [f"Block {result['height']}: {result['reward'] / COIN:.8f}, fee {result['fee'] / COIN:.8f}"]
    ranking = sorted(result["payouts"].items(), key=lambda entry: -entry[1])
    lines += [f"  {amount / COIN:14.8f}  {address}" for address, amount in ranking[:10]]
    if len(ranking) > 10:
        lines.append(f"  ... and {len(ranking) - 10} more")
    return "\n".join(lines)


def main():
    parser = argparse.ArgumentParser(description="Work out the payouts of blocks that we found.")
    parser.add_argument("heights", metavar="HEIGHT", type=int, nargs="+")
    parser.add_argument("--config", default="pool.json")
    parser.add_argument("--verbose", action="store_true")
    args = parser.parse_args()
    logging.basicConfig(
        level=logging.INFO if args.verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(message)s",
    )

    try:
        config = load_config(args.config)
        with open_database(config.database) as database:
            for height in args.heights:
                result = settle(database, config, get_block(database, height))
                write_result(config.out_dir, result)
                print(summary(result))
    except (ConfigError, UnknownBlock) as error:
        log.error("%s", error)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
