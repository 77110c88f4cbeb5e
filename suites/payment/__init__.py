"""The payment suite: payouts that are sent once, to the satoshi, whatever breaks."""
