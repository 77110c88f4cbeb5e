"""Runs outside the sandbox, in the candidate's network namespace: plays the wallet, as the letter describes it.

Commands, JSON, one a line:
    ["open", payments, troubles, refused, doubtful]
        what it has paid before; what happens to the first request for a reference; what it refuses to pay; addresses
        that were paid without an answer, of which the first look-up is not answered either (null: all are answered)
    ["pause"], ["go on"]                    between them, requests arrive and wait
Events to the judge, JSON lists with seconds since the start as their second item:
    ["listening", at_s, port]
    ["asked", at_s, reference]                             a request has arrived; to pay this, or null for another one
    ["paid", at_s, [txid, address, amount, reference]]     … and was carried out; the amount as it came, as text
    ["refused", at_s, reference]
    ["lost look-up", at_s]                                 it was not answered
    ["answered", at_s, reference]                          the answer goes out whole
    ["stuck", at_s, reference]                             the judge has to kill the worker now; nothing more is answered

Requests take their turn in the order in which they arrived. Troubles: `TROUBLES` of `ledger.py`.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import socket
import threading
import time
from decimal import Decimal
from typing import Any

from pytest_llmbench.sandbox import driver

MAX_REQUEST_BYTES = 1 << 16
MAX_CONNECTIONS = 200
"""Waiting at a time; no worker needs so many."""
TURN_S = 0.005
"""For carrying out one request."""
LONGEST_TEXT = 200
LARGEST_ID = 2**63
REFUSED, INVALID, NO_METHOD = -4, -3, -32601
STATUS = {True: "200 OK", False: "500 Internal Server Error"}
ERROR_PAGE = "<html><body><h1>502 Bad Gateway</h1></body></html>"


class InvalidRequestError(Exception):
    """A request that the wallet cannot take; the message tells why."""


class Wallet:
    """Pays what it is asked to pay, one request at a time."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._telling = threading.Lock()
        self._turn = threading.Condition()
        self._places = threading.BoundedSemaphore(MAX_CONNECTIONS)
        self._arrived = 0
        self._done = 0
        self._paused = False
        self._payments: list[list[str]] = []
        self._troubles: dict[str, str] = {}
        self._doubtful: list[str] | None = None
        self._refused: set[str] = set()

    def serve(self) -> None:
        """Obey the judge until it has gone."""
        listener = socket.create_server(("127.0.0.1", 0), backlog=128)
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()
        self._tell("listening", listener.getsockname()[1])
        while True:
            command, *arguments = driver.receive()
            with self._turn:
                if command == "open":
                    self._payments, self._troubles, refused, self._doubtful = arguments
                    self._refused = set(refused)
                else:
                    self._paused = command == "pause"
                self._turn.notify_all()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            self._places.acquire()
            try:
                connection, _ = listener.accept()
            except OSError:  # it has gone again
                self._places.release()
                continue
            threading.Thread(target=self._attend, args=(connection,), daemon=True).start()

    def _attend(self, connection: socket.socket) -> None:
        try:
            # Whatever a candidate sends or closes is its own affair.
            with connection, contextlib.suppress(OSError, ValueError):
                self._take_turn(connection)
        finally:
            self._places.release()

    def _take_turn(self, connection: socket.socket) -> None:
        body = _read_request(connection)
        with self._turn:
            ticket = self._arrived
            self._arrived += 1
            try:
                request = _parse(body)
            except InvalidRequestError as error:
                request = {"id": None, "invalid": str(error)}
            self._tell("asked", request["pay"][2] if "pay" in request else None)
            self._turn.wait_for(lambda: self._done == ticket and not self._paused)
        time.sleep(TURN_S)
        try:
            self._answer(connection, request)
        finally:
            with self._turn:
                self._done += 1
                self._turn.notify_all()

    def _answer(self, connection: socket.socket, request: dict[str, Any]) -> None:
        number = request["id"]
        if "invalid" in request:
            _reply(connection, number, error=(INVALID, request["invalid"]))
        elif "list" in request:
            if self._doubtful is not None and request["list"] in self._doubtful:
                self._doubtful = None
                self._tell("lost look-up")
                return
            paid = [payment for payment in self._payments if payment[1] == request["list"]]
            keys = ("txid", "address", "amount", "reference")
            _reply(connection, number, [dict(zip(keys, payment, strict=True)) for payment in paid])
        elif "pay" in request:
            self._pay(connection, number, *request["pay"])
        else:
            _reply(connection, number, error=(NO_METHOD, "Method not found"))

    def _pay(self, connection: socket.socket, number: Any, address: str, amount: str, reference: str) -> None:
        if reference in self._refused:
            self._tell("refused", reference)
            _reply(connection, number, error=(REFUSED, "Invalid address"))
            return
        trouble = self._troubles.pop(reference, "")
        txid = secrets.token_hex(32)
        if not trouble.startswith("unpaid"):
            self._payments.append([txid, address, amount, reference])
            self._tell("paid", [txid, address, amount, reference])
            if trouble and self._doubtful is not None:
                self._doubtful.append(address)
        match trouble.partition(", ")[2]:
            case "worker killed":
                self._tell("stuck", reference)
                threading.Event().wait()
            case "connection closed":
                pass
            case "half an answer":
                connection.sendall(_response("200 OK", json.dumps({"result": txid, "error": None, "id": number}))[:-40])
            case "error page":
                connection.sendall(_response("502 Bad Gateway", ERROR_PAGE, "text/html"))
            case _:
                self._tell("answered", reference)
                _reply(connection, number, txid)

    def _tell(self, event: str, *details: Any) -> None:
        with self._telling:
            driver.send([event, time.monotonic() - self._began_s, *details])


def _read_request(connection: socket.socket) -> bytes:
    """Return the body of one HTTP request; ValueError if that is not what comes."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += _receive(connection, len(data))
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line.partition(b":")[2] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    length = int(lengths[0]) if lengths else 0
    while len(body) < length:
        body += _receive(connection, len(body))
    return body


def _receive(connection: socket.socket, held: int) -> bytes:
    part = connection.recv(65536)
    if not part or held > MAX_REQUEST_BYTES:
        raise ValueError("no whole request")
    return part


def _parse(body: bytes) -> dict[str, Any]:
    """Return what is asked for, with an amount as the text that it was."""
    try:
        request = json.loads(body, parse_float=Decimal, parse_int=Decimal)
    except (ValueError, RecursionError) as error:
        raise InvalidRequestError("Parse error") from error
    if type(request) is not dict:
        raise InvalidRequestError("Parse error")
    number = request.get("id")
    if isinstance(number, Decimal):
        number = int(number) if -LARGEST_ID < number < LARGEST_ID else None
    elif type(number) is not str:
        number = None
    params = request.get("params")
    match request.get("method"):
        case "sendtoaddress":
            address, amount, reference = _named(params, ("address", "amount", "reference"))
            return {"id": number, "pay": (_text(address), _amount(amount), _text(reference))}
        case "listpayments":
            (address,) = _named(params, ("address",))
            return {"id": number, "list": _text(address)}
        case _:
            return {"id": number}


def _named(params: Any, names: tuple[str, ...]) -> list[Any]:
    if type(params) is dict and params.keys() == set(names):
        return [params[name] for name in names]
    if type(params) is list and len(params) == len(names):
        return params
    raise InvalidRequestError(f"wanted the parameters {', '.join(names)}")


def _text(value: Any) -> str:
    if type(value) is not str or len(value) > LONGEST_TEXT or not value.isprintable():
        raise InvalidRequestError("wanted text")
    return value


def _amount(value: Any) -> str:
    if not isinstance(value, str | Decimal) or len(str(value)) > LONGEST_TEXT:
        raise InvalidRequestError("Invalid amount")
    try:
        amount = Decimal(value)
    except ArithmeticError as error:
        raise InvalidRequestError("Invalid amount") from error
    if not amount.is_finite() or amount <= 0:
        raise InvalidRequestError("Invalid amount")
    return str(amount)


def _reply(
    connection: socket.socket, number: str | int | None, result: Any = None, *, error: tuple[int, str] | None = None
) -> None:
    told = None if error is None else {"code": error[0], "message": error[1]}
    body = json.dumps({"result": result, "error": told, "id": number})
    connection.sendall(_response(STATUS[error is None], body))


def _response(status: str, body: str, kind: str = "application/json") -> bytes:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    return (head + body).encode()


if __name__ == "__main__":
    Wallet().serve()
