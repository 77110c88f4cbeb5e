"""From a response to its `Recording`. Everything is parsed after the stream has ended."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import httpx

from pytest_llmbench.client.done import said_done_at_s
from pytest_llmbench.client.faults import Site
from pytest_llmbench.client.stream import Recording
from pytest_llmbench.client.tape import DONE_GRACE_S, BodyTooLongError, EndedByDoneError, Tape

MAX_BODY_BYTES = 64 * 1024 * 1024
"""Some 200,000 tokens at 300 bytes a chunk; what is longer is no answer."""

_TAIL_BYTES = 32
RECORDER, HTTPX = "recorder", "httpx"


async def record(response: httpx.Response, tape: Tape, site: Site, *, now_s: Callable[[], float]) -> Recording:
    """Return all of the body, or what came of it; one with `[DONE]` need not end.

    Args:
        response: status 200, body not yet read.
        tape: what a transport recorded of it. If none has, it is filled here, at the reads of httpx.
        site: for messages.
        now_s: the monotonic clock for reads of httpx.

    Raises:
        EndpointError: the body is longer than the tape allows.
    """
    if not tape.is_complete:
        await _read(response, tape, now_s)
    done_at_s = said_done_at_s(tape.pieces)
    ended_at_s = tape.ended_at_s if done_at_s is None else done_at_s
    return Recording(
        reads=tuple((at_s - tape.sent_at_s, data) for at_s, data in tape.pieces),
        ended_at_s=ended_at_s - tape.sent_at_s,
        content_type=response.headers.get("content-type", ""),
        broken=_broken(tape, response, site),
        transport=RECORDER if tape.is_complete else HTTPX,
        sent_at_s=tape.sent_at_s,
    )


async def _read(response: httpx.Response, tape: Tape, now_s: Callable[[], float]) -> None:
    """Read a body that no transport has recorded."""
    # Compressed bodies exist only where a proxy adds compression unasked. Raw bytes need no decoder in the loop.
    plain = response.headers.get("content-encoding", "identity").lower() == "identity"
    pieces = response.aiter_raw() if plain else response.aiter_bytes()
    size_bytes = 0
    try:
        async with asyncio.timeout(None) as grace:
            async for data in pieces:
                tape.pieces.append((now_s(), data))
                size_bytes += len(data)
                if size_bytes > tape.max_body_bytes:
                    raise BodyTooLongError(f"more than {tape.max_body_bytes} bytes")
                if b"]" in data[-_TAIL_BYTES:] and said_done_at_s(tape.pieces) is not None:
                    grace.reschedule(asyncio.get_running_loop().time() + DONE_GRACE_S)
                elif grace.when() is not None and data.strip():
                    grace.reschedule(None)  # the answer only spoke of it
    except TimeoutError:
        if not grace.expired():
            raise
        tape.failure = EndedByDoneError("the body did not end after [DONE]")
    except httpx.TransportError as error:
        tape.failure = error
    except httpx.DecodingError as error:
        tape.failure = httpx.ReadError(str(error))
    tape.ended_at_s = now_s()


def _broken(tape: Tape, response: httpx.Response, site: Site) -> str | None:
    """Say how the connection failed before the end of the body; None if it did not."""
    match tape.failure:
        case None | EndedByDoneError():
            return None
        case BodyTooLongError():
            raise site.error(f"the answer is longer than {tape.max_body_bytes} bytes; lower the endpoint's max_tokens")
        case httpx.ReadTimeout():
            return f"the server stalled, no byte came for {response.request.extensions['timeout']['read']:g} s"
        case error:
            return f"the connection broke ({type(error).__name__}: {error})"
