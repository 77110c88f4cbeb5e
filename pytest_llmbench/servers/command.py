"""Any program that serves the OpenAI API."""

from __future__ import annotations

from pytest_llmbench.errors import UsageFault
from pytest_llmbench.model.serving import Serve
from pytest_llmbench.servers.kind import Launch, ServerKind


class Command(ServerKind):
    """The user's own words; nothing is known of the server but that it lists its models when it is up."""

    name = "command"
    health_path = "/v1/models"

    def launch(self, serve: Serve, port: int) -> Launch:
        """See `ServerKind.launch`."""
        words = (*serve.program, *serve.args)
        if not words:
            raise UsageFault("command: wanted the words of a command line, got none; use command:'serve --port {port}'")
        if serve.port is None and not any("{port}" in word for word in words):
            raise UsageFault(
                f"command: nothing in {' '.join(words)!r} tells the server where to listen; write {{port}} where its "
                "port belongs, or set the key `port` of serve to the one that it always takes"
            )
        return Launch(self.argv(serve, port))
