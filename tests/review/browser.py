"""A headless Chromium, driven through its DevTools socket: pages, keys, pointers, pictures of the screen."""

import base64
import contextlib
import itertools
import json
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import websocket

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
)
PATIENCE = 60.0
CODES = {"Enter": 13, "Escape": 27, "End": 35, "Home": 36} | dict(
    zip(("ArrowLeft", "ArrowUp", "ArrowRight", "ArrowDown"), range(37, 41), strict=True)
)


@contextlib.contextmanager
def chromium(profile: Path) -> Iterator["Page"]:
    """Start a browser with a fresh profile and yield its one page."""
    command = [str(CHROMIUM), *FLAGS, f"--user-data-dir={profile}", "about:blank"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        port_file = profile / "DevToolsActivePort"
        end = time.monotonic() + PATIENCE
        while not (port_file.exists() and len(port_file.read_text().split()) == 2):
            assert time.monotonic() < end, "the browser does not start"
            assert process.poll() is None, "the browser ended"
            time.sleep(0.05)
        port, address = port_file.read_text().split()
        url = f"ws://127.0.0.1:{port}{address}"
        socket = websocket.create_connection(url, timeout=PATIENCE, suppress_origin=True)
        try:
            yield Page(socket)
        finally:
            socket.close()
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


class Page:
    """One page. ``problems`` are what its console complained of, ``requests`` the URLs that it asked for."""

    def __init__(self, socket: websocket.WebSocket) -> None:
        self._socket, self._numbers, self._session = socket, itertools.count(1), None
        self._loads = 0
        self.problems: list[str] = []
        self.requests: list[str] = []
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.send(f"{domain}.enable")

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        message = {"id": number, "method": method, "params": parameters}
        self._socket.send(json.dumps(message | ({"sessionId": self._session} if self._session else {})))
        while True:
            answer = self._receive()
            if answer.get("id") == number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                return answer["result"]

    def _receive(self) -> dict[str, Any]:
        message = json.loads(self._socket.recv())
        parameters = message.get("params", {})
        match message.get("method"):
            case "Runtime.exceptionThrown":
                self.problems.append(json.dumps(parameters["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if parameters["type"] in ("error", "warning", "assert"):
                self.problems.append(json.dumps(parameters["args"]))
            case "Log.entryAdded" if parameters["entry"]["level"] in ("error", "warning"):
                self.problems.append(parameters["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(parameters["request"]["url"])
            case "Page.loadEventFired":
                self._loads += 1
        return message

    def open(self, path: Path) -> float:
        """Open a file, wait until it has loaded and its frame is drawn, and return the seconds that took."""
        start, loads = time.perf_counter(), self._loads
        self.send("Page.navigate", url=path.resolve().as_uri())
        while self._loads == loads:
            self._receive()
        self.drawn()
        return time.perf_counter() - start

    def evaluate(self, expression: str) -> Any:
        """Return what a JavaScript expression gives, a promise's result included."""
        answer = self.send("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def drawn(self) -> None:
        self.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => done())))")

    def wait_for(self, expression: str) -> None:
        end = time.monotonic() + PATIENCE
        while not self.evaluate(expression):
            assert time.monotonic() < end, f"{expression} never came true"
            time.sleep(0.05)

    def press(self, *keys: str, shift: bool = False) -> None:
        for key in keys:
            text = {"text": "\r" if key == "Enter" else key} if len(key) == 1 or key == "Enter" else {}
            code = CODES.get(key, ord(key.upper()) if key.isalnum() and len(key) == 1 else 0)
            common = {"key": key, "windowsVirtualKeyCode": code, "modifiers": 8 * shift}
            self.send("Input.dispatchKeyEvent", type="keyDown" if text else "rawKeyDown", **common, **text)
            self.send("Input.dispatchKeyEvent", type="keyUp", **common)
        self.drawn()

    def box(self, selector: str) -> tuple[float, float, float, float]:
        """Left, top, width and height of an element in the view."""
        where = f"document.querySelector({json.dumps(selector)}).getBoundingClientRect()"
        return tuple(self.evaluate(f"(({{x, y, width, height}}) => [x, y, width, height])({where})"))

    def mouse(self, kind: str, x: float, y: float, **more: Any) -> None:
        self.send("Input.dispatchMouseEvent", type=kind, x=x, y=y, **more)

    def click(self, selector: str) -> None:
        left, top, width, height = self.box(selector)
        for kind in ("mousePressed", "mouseReleased"):
            self.mouse(kind, left + width / 2, top + height / 2, button="left", clickCount=1)
        self.drawn()

    def drag(self, selector: str, start: float, end: float) -> None:
        """Drag with the mouse across an element, from one share of its width to another."""
        left, top, width, height = self.box(selector)
        y = top + height / 2
        self.mouse("mousePressed", left + start * width, y, button="left", buttons=1, clickCount=1)
        self.mouse("mouseMoved", left + (start + end) / 2 * width, y, button="left", buttons=1)
        self.mouse("mouseMoved", left + end * width, y, button="left", buttons=1)
        self.mouse("mouseReleased", left + end * width, y, button="left", clickCount=1)
        self.drawn()

    def swipe(self, selector: str, start: float, end: float) -> None:
        """As `drag`, with a finger."""
        left, top, width, height = self.box(selector)
        y = top + height / 2
        for kind, share in (("touchStart", start), ("touchMove", (start + end) / 2), ("touchMove", end)):
            self.send("Input.dispatchTouchEvent", type=kind, touchPoints=[{"x": left + share * width, "y": y}])
        self.send("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])
        self.drawn()

    def view(self, width: int, height: int, *, dark: bool = False, touch: bool = False) -> None:
        """Give the window a size, a colour scheme, and a touch screen or none."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": touch}
        self.send("Emulation.setDeviceMetricsOverride", **metrics)
        self.send("Emulation.setTouchEmulationEnabled", enabled=touch)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.send("Emulation.setEmulatedMedia", features=[scheme])
        self.drawn()

    def screenshot(self, path: Path) -> None:
        self.evaluate("Promise.all([...document.images].map(image => image.decode().catch(() => 0))).then(() => 0)")
        self.drawn()
        path.write_bytes(base64.b64decode(self.send("Page.captureScreenshot")["data"]))

    def pdf(self) -> bytes:
        return base64.b64decode(self.send("Page.printToPDF", printBackground=True)["data"])
