"""A network camera on 127.0.0.1: HTTP with MJPEG, that can stall, die, refuse and come back."""

from __future__ import annotations

import socket
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread

import cv2

from tests.support.clips import picture


class HttpCamera:
    """Sends pictures that carry their number modulo 256; each number once, whoever listens."""

    def __init__(self, fps: float = 50.0) -> None:
        self.period = 1 / fps
        self.sent = 0
        self.stalled = False  # keeps connections but sends nothing
        self._half = self._damaged = False
        self._ended = Event()
        self._port = 0
        self._connections: set[socket.socket] = set()
        self.switch_on()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/camera.mjpg"

    def switch_on(self) -> None:
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera._serve(self)

            def log_message(self, *args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", self._port), Handler)
        self._server.daemon_threads = True
        self._port = self._server.server_address[1]
        Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def switch_off(self) -> None:
        """Refuse new connections and cut those there are."""
        self._server.shutdown()
        self._server.server_close()
        self.hang_up()

    def hang_up(self) -> None:
        """Cut every connection, perhaps in the middle of a picture."""
        for connection in list(self._connections):
            with suppress(OSError):  # the other side may hang up at any time
                connection.shutdown(socket.SHUT_RDWR)

    def die_within_a_picture(self) -> None:
        """Cut every connection after half of the next picture."""
        self._half = True

    def damage_a_picture(self) -> None:
        """Send the next picture with zeros in its middle."""
        self._damaged = True

    def close(self) -> None:
        self._ended.set()
        self.switch_off()

    def _serve(self, request: BaseHTTPRequestHandler) -> None:
        self._connections.add(request.connection)
        with suppress(OSError):  # the other side may hang up at any time
            request.send_response(200)
            request.send_header("Content-Type", "multipart/x-mixed-replace; boundary=frame")
            request.end_headers()
            while not self._ended.wait(self.period) and not has_hung_up(request.connection):
                if self._half:
                    part, self._half = self._part(), False
                    request.wfile.write(part[: len(part) // 2])
                    break
                if not self.stalled:
                    request.wfile.write(self._part())
        self._connections.discard(request.connection)

    def _part(self) -> bytes:
        _, jpeg = cv2.imencode(".jpg", picture(self.sent % 256))
        if self._damaged:
            jpeg[len(jpeg) // 2 : len(jpeg) * 3 // 4] = 0
            self._damaged = False
        self.sent += 1
        head = f"--frame\r\nContent-Type: image/jpeg\r\nContent-Length: {len(jpeg)}\r\n\r\n"
        return head.encode() + jpeg.tobytes() + b"\r\n"


def has_hung_up(connection: socket.socket) -> bool:
    """Whether the other side closed the connection: writing to it would still succeed once."""
    try:
        return not connection.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT)
    except BlockingIOError:
        return False
