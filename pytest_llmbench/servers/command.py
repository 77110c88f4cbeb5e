"""Any program that serves the OpenAI API."""

from __future__ import annotations

import re

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.kind import Launch, ServerKind

_ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
"""A shell's way to set a variable; no shell reads these words."""


class Command(ServerKind):
    """The user's own words; nothing is known of the server but that it lists its models when it is up."""

    name = "command"
    health_path = "/v1/models"

    def launch(self, serve: Serve, port: int) -> Launch:
        """See `ServerKind.launch`."""
        words = (*serve.program, *serve.args)
        if not words:
            raise UsageFault("command: wanted the words of a command line, got none; use command:'serve --port {port}'")
        if assigned := _ASSIGNMENT.match(words[0]):
            raise UsageFault(
                f"command: wanted a program first, got {assigned[0]}…; use the key `env` of serve, or write env in front"
            )
        if serve.port is None and not any("{port}" in word for word in words):
            raise UsageFault(
                "command: none of its words tells the server where to listen; write {port} where its port belongs, or "
                "set the key `port` of serve to the one that it always takes"
            )
        return Launch(self.argv(serve, port))
