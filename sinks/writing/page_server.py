"""Serves the page of a run over HTTP: the live picture, its state, and what a viewer may do."""

from __future__ import annotations

import socket
import time
from contextlib import suppress
from functools import cache
from hmac import compare_digest
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from ipaddress import ip_address
from socketserver import TCPServer
from threading import Thread
from typing import TYPE_CHECKING
from urllib.parse import quote, unquote, urlsplit

from sinks.writing.records import to_json

if TYPE_CHECKING:
    from sinks.writing.live_view import LiveView

HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; img-src 'self' data:; connect-src 'self'; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; frame-ancestors 'none'",
    "Referrer-Policy": "no-referrer",  # the address may be a secret
    "X-Content-Type-Options": "nosniff",
}
BOUNDARY = b"--frame\r\n"
ON_THE_WAY = 1 << 17  # bytes to a viewer, at most: more would only be older when they are seen
AGAIN = 5.0  # seconds after which a picture is sent again: so one notices who has gone
FAREWELL = 1.5  # seconds for the pages to learn that the run has ended: they ask every half second


class PageServer(ThreadingHTTPServer):
    """Serves from the moment it is made, in threads that the end of the process does not wait for."""

    daemon_threads = True

    def __init__(
        self, family: socket.AddressFamily, address: tuple[str, int], live: LiveView, token: str
    ) -> None:
        self.address_family = family
        self.live, self.token = live, token
        super().__init__(address, PageHandler)
        self._thread = Thread(target=self.serve_forever, args=(0.1,), name="page server", daemon=True)
        self._thread.start()

    def server_bind(self) -> None:
        """Bind, without the question to the name servers that `HTTPServer` asks and nobody needs."""
        TCPServer.server_bind(self)

    def close(self) -> None:
        """Tell whoever looks that the run has ended, and stop."""
        self.live.end()
        if self.live.is_looked_at(FAREWELL):
            time.sleep(FAREWELL)
        self.shutdown()
        self._thread.join()
        self.server_close()
        self.live.close()


class PageHandler(BaseHTTPRequestHandler):
    """Answers one request."""

    server: PageServer
    timeout = 60.0  # seconds for a request, and for one picture: then the viewer is given up

    def parse_request(self) -> bool:
        """Read the request's head; refuse at once who has no business here."""
        if not super().parse_request():
            return False
        if self._is_welcome:
            return True
        self.send_error(HTTPStatus.FORBIDDEN)
        return False

    def do_GET(self) -> None:
        """Show something."""
        match self._words:
            case [""]:
                self._answer("text/html; charset=utf-8", page())
            case ["state"]:
                self._answer("application/json", to_json(self.server.live.state()).encode())
            case ["stream.mjpg"]:
                with suppress(OSError):  # the viewer went away, or read nothing for too long
                    self._stream()
            case ["snapshot.png"] if snapshot := self.server.live.snapshot():
                name, png = snapshot
                self._answer("image/png", png, f"attachment; filename*=UTF-8''{quote(name)}")
            case _:
                self.send_error(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        """Do something."""
        if self.server.live.obey(*self._words):
            self._head(HTTPStatus.NO_CONTENT, {})
        else:
            self.send_error(HTTPStatus.NOT_FOUND)

    def log_message(self, *_: object) -> None:
        """Leave the terminal to the run."""

    @property
    def _words(self) -> list[str]:
        """The path without the token; nothing where that is wrong."""
        _, *words = unquote(urlsplit(self.path).path).split("/")
        if not self.server.token:
            return words
        return words[1:] if compare_digest(words[0].encode(), self.server.token.encode()) else []

    @property
    def _is_welcome(self) -> bool:
        """Whether no other site's page sent this: not as itself, nor by a name it gave to this address."""
        host = urlsplit(f"//{self.headers.get('Host', '')}")
        origin = self.headers.get("Origin")
        return (not origin or urlsplit(origin).netloc == host.netloc) and (
            bool(self.server.token) or host.hostname is None or is_loopback(host.hostname)
        )

    def _stream(self) -> None:
        """Send one picture after the other, each complete: a part ends with the line that begins the next."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, ON_THE_WAY)
        self._head(HTTPStatus.OK, {"Content-Type": "multipart/x-mixed-replace; boundary=frame"})
        self.wfile.write(BOUNDARY)
        version = 0
        while picture := self.server.live.picture(version, AGAIN):
            version, jpeg = picture
            head = f"Content-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
            self.wfile.write(head.encode() + jpeg + b"\r\n" + BOUNDARY)

    def _answer(self, kind: str, body: bytes, disposition: str = "inline") -> None:
        length = str(len(body))
        self._head(
            HTTPStatus.OK,
            {"Content-Type": kind, "Content-Length": length, "Content-Disposition": disposition},
        )
        self.wfile.write(body)

    def _head(self, status: HTTPStatus, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in {**HEADERS, **headers}.items():
            self.send_header(name, value)
        self.end_headers()


@cache
def page() -> bytes:
    """Return the HTML."""
    return files("sinks").joinpath("web.html").read_bytes()


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach a host of this name or address."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
