"""A run's page, as a program without a browser sees it."""

from __future__ import annotations

import http.client
import json
import re
import socket
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np

PATIENCE = 200  # seconds: the program may have to compile


class Page:
    """Whoever knows the address that the sink announced."""

    def __init__(self, announcement: str) -> None:
        self.url = re.search(r"http://\S+/", announcement)[0]
        address = urlsplit(self.url)
        self.port, self.root = address.port, address.path

    def ask(self, path: str, method: str = "GET", **headers: str) -> tuple[http.client.HTTPResponse, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request(method, self.root + path, headers=headers)
        answer = connection.getresponse()
        body = answer.read()
        connection.close()
        return answer, body

    def post(self, path: str) -> int:
        return self.ask(path, "POST")[0].status

    def state(self) -> dict[str, Any]:
        return json.loads(self.ask("state")[1], parse_constant=lambda word: 1 / 0)

    def pictures(self) -> Iterator[np.ndarray]:
        """Each as soon as its part is there, with the line that ends it."""
        with self.connection() as connection, connection.makefile("rb") as stream:
            while stream.readline() != b"--frame\r\n":
                pass
            while headers := http.client.parse_headers(stream):
                jpeg = stream.read(int(headers["Content-Length"]))
                assert stream.readline() == b"\r\n"
                assert stream.readline() == b"--frame\r\n"
                yield np.asarray(cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR))

    def connection(self) -> socket.socket:
        """One that has asked for the pictures and read nothing."""
        connection = socket.create_connection(("127.0.0.1", self.port), timeout=PATIENCE)
        connection.sendall(f"GET {self.root}stream.mjpg HTTP/1.0\r\n\r\n".encode())
        return connection
