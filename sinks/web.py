"""A page that shows the run live, in any browser."""

from __future__ import annotations

import errno
import secrets
import socket
from typing import TYPE_CHECKING, ClassVar

from sinks.writing.live_view import LiveView
from sinks.writing.pace import Pace
from sinks.writing.page_server import PageServer, is_loopback
from streamflow.errors import SinkError

if TYPE_CHECKING:
    from sinks import Run
    from streamflow.stages import Stage
    from streamflow.values import Result

LOCAL = "127.0.0.1"
HIGHEST_PORT = 65535
EVERYWHERE = ("0.0.0.0", "::")


class WebSink:
    """Serves the newest picture, with what the window's keys do.

    On this machine only, unless a host is given: then whoever knows the address may look, and it has a
    secret in it.
    """

    needs: ClassVar[frozenset[Stage]] = frozenset()

    def __init__(self, target: str, run: Run) -> None:
        host, port = _host_and_port(target)
        token = "" if is_loopback(host) else secrets.token_urlsafe(16)
        self._live = LiveView(run)
        self._pace = Pace(run)
        self._server: PageServer | None = _serving(host, port, self._live, token)
        self.announcement = f"web: open {_url(host, self._server.server_address[1], token)} in a browser"

    def write(self, result: Result) -> None:
        """Show one result; wait while a viewer has paused the run, and until it is time for the next."""
        self._live.show(result)
        self._live.wait(self._pace.seconds_until(result.pair.reference))

    def close(self) -> None:
        """Say that the run has ended, and stop."""
        if self._server is not None:
            self._server.close()
            self._server = None


def _host_and_port(target: str) -> tuple[str, int]:
    host, _, port = target.rpartition(":")
    if not (port.isascii() and port.isdecimal() and int(port) <= HIGHEST_PORT):
        raise SinkError(f"web:{target}: is not web:PORT or web:HOST:PORT, such as web:8080")
    return host.strip("[]") or LOCAL, int(port)


def _serving(host: str, port: int, live: LiveView, token: str) -> PageServer:
    try:
        family, *_, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        return PageServer(family, (str(address[0]), port), live, token)
    except OSError as error:
        raise SinkError(f"web: {host}:{port} cannot be served at: {_reason(error, port)}") from error


def _reason(error: OSError, port: int) -> str:
    match error.errno:
        case errno.EADDRINUSE:
            return f"port {port} is taken; choose another, or web:0 for any that is free"
        case errno.EACCES:
            return f"port {port} is not for everybody; choose one above 1023, such as 8080"
        case errno.EADDRNOTAVAIL:
            return "that is not an address of this machine; 0.0.0.0 is all that it has"
        case _:
            return f"{error.strerror or error}; such as web:8080 or web:0.0.0.0:8080 is"


def _url(host: str, port: int, token: str) -> str:
    name = socket.gethostname() if host in EVERYWHERE else f"[{host}]" if ":" in host else host
    return f"http://{name}:{port}/{token and token + '/'}"
