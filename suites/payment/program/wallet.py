"""Client of the pool's wallet: JSON-RPC over HTTP."""

import http.client
import itertools
import json
import urllib.error
import urllib.request


class WalletError(Exception):
    """The wallet could not be reached, or it answered with an error."""


class Wallet:
    def __init__(self, url, timeout=30):
        self.url = url
        self.timeout = timeout
        self._ids = itertools.count(1)

    def send(self, address, amount, reference):
        """Pay ``amount`` BTC to ``address`` and return the transaction id."""
        return self._call("sendtoaddress", address, amount, reference)

    def _call(self, method, *params):
        body = json.dumps({"jsonrpc": "1.0", "id": next(self._ids), "method": method, "params": params})
        request = urllib.request.Request(self.url, body.encode(), {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=self.timeout) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            # The wallet reports its own errors with status 500 and a JSON body.
            text = error.read()
        except (OSError, http.client.HTTPException) as error:
            raise WalletError(f"{method}: {error}") from error
        try:
            answer = json.loads(text)
        except ValueError as error:
            raise WalletError(f"{method}: no JSON came back: {text[:100]!r}") from error
        if answer.get("error"):
            raise WalletError(f"{method}: {answer['error'].get('message')}")
        return answer["result"]
