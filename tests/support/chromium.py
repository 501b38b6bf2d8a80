"""A real Chromium without a screen, driven over its debugging pipe."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from itertools import count
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from tests.support.waiting import until

FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update", "--remote-debugging-pipe",
]  # fmt: skip


def chromium() -> str | None:
    """The program, if it is installed."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


class Browser:
    """One tab. The protocol is JSON, a null byte after each message, on the descriptors 3 and 4."""

    def __init__(self, profile: Path, size: tuple[int, int] = (1000, 700)) -> None:
        program = chromium()
        assert program is not None
        words = [program, *FLAGS, f"--window-size={size[0]},{size[1]}", f"--user-data-dir={profile}"]
        self._process = subprocess.Popen(
            ["sh", "-c", 'exec "$@" 3<&0 4>&1 </dev/null >/dev/null', "sh", *words],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._numbers = count(1)
        self._session: str | None = None
        self.requests: list[str] = []  # addresses the page asked for
        page = self._do("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._do("Target.attachToTarget", targetId=page, flatten=True)["sessionId"]
        self._do("Network.enable")

    def open(self, url: str) -> None:
        """Return when the page's script has run."""
        self._do("Page.navigate", url=url)
        self.wait_for(f"location.href === {json.dumps(url)} && document.readyState !== 'loading'")

    def value(self, expression: str) -> Any:
        """What a piece of JavaScript gives; an error of the page fails the test."""
        done = self._do("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in done, done
        return done["result"].get("value")

    def wait_for(self, expression: str) -> None:
        until(lambda: self.value(expression))

    def press(self, key: str) -> None:
        self._do("Input.dispatchKeyEvent", type="keyDown", key=key, text=key)
        self._do("Input.dispatchKeyEvent", type="keyUp", key=key)

    def screenshot(self) -> np.ndarray:
        data = base64.b64decode(self._do("Page.captureScreenshot")["data"])
        return cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)

    def close(self) -> None:
        self._process.kill()
        self._process.communicate()

    def _do(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        self._process.stdin.write(json.dumps(message).encode() + b"\0")
        self._process.stdin.flush()
        while True:
            answer = self._next()
            if answer.get("method") == "Network.requestWillBeSent":
                self.requests.append(answer["params"]["request"]["url"])
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self) -> dict[str, Any]:
        data = bytearray()
        while (byte := self._process.stdout.read(1)) != b"\0":
            assert byte, "the browser ended"
            data += byte
        return json.loads(data)
