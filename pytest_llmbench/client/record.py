"""The hot loop: times and bytes of a response's body, nothing else. Everything is parsed after the stream has ended."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable

import httpx

from pytest_llmbench.client.faults import Site
from pytest_llmbench.client.stream import Recording

MAX_BODY_BYTES = 64 * 1024 * 1024
"""Some 200,000 tokens at 300 bytes a chunk; what is longer is no answer."""

DONE_GRACE_S = 0.5
"""How long the end of the body may lag behind `[DONE]`; waited for, so that the connection can serve again."""

_TAIL_BYTES = 32
_DONE_LINE = re.compile(rb"[\r\n]data: ?\[DONE\]\s*\Z")


async def record(
    response: httpx.Response,
    reads: list[tuple[float, bytes]],
    site: Site,
    *,
    since_sent_s: Callable[[], float],
    max_body_bytes: int = MAX_BODY_BYTES,
) -> Recording:
    """Read the body to its end, or to `[DONE]` on a connection that then stays open.

    Args:
        response: status 200, body not yet read.
        reads: grows with every read, so that the caller knows how far it came if it stops the reading.
        site: for messages.
        since_sent_s: seconds since the request was sent.
        max_body_bytes: upper bound of what is kept.

    Raises:
        EndpointError: the body is longer than that.
    """
    # Compressed bodies exist only where a proxy adds compression unasked. Raw bytes need no decoder in the loop.
    plain = response.headers.get("content-encoding", "identity").lower() == "identity"
    pieces = response.aiter_raw() if plain else response.aiter_bytes()
    size_bytes, tail = 0, b"\n"
    done_at_s: float | None = None
    broken: str | None = None
    try:
        async with asyncio.timeout(None) as grace:
            async for data in pieces:
                at_s = since_sent_s()
                reads.append((at_s, data))
                size_bytes += len(data)
                if size_bytes > max_body_bytes:
                    raise site.error(
                        f"the answer is longer than {max_body_bytes} bytes; lower the endpoint's max_tokens"
                    )
                tail = (tail + data)[-_TAIL_BYTES:]
                if b"[DONE]" in tail and done_at_s is None and _DONE_LINE.search(tail):
                    done_at_s = at_s
                    grace.reschedule(asyncio.get_running_loop().time() + DONE_GRACE_S)
    except TimeoutError:
        if not grace.expired():
            raise
    except httpx.ReadTimeout:
        broken = f"the server stalled, no byte came for {response.request.extensions['timeout']['read']:g} s"
    except (httpx.TransportError, httpx.DecodingError) as error:
        broken = f"the connection broke ({type(error).__name__}: {error})"
    return Recording(
        reads=tuple(reads),
        ended_at_s=since_sent_s() if done_at_s is None else done_at_s,
        content_type=response.headers.get("content-type", ""),
        broken=broken,
    )
