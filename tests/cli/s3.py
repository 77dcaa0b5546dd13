"""A real S3 server on the loopback address, asked by plain HTTP, and one before it that fails as it is told."""

import http.client
import importlib.util
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ElementTree
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

HOST = "127.0.0.1"
HEADERS = {
    "Content-Type": "application/octet-stream",  # else the server takes the bytes for a form
    "Authorization": "AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/s3/aws4_request, SignedHeaders=a, Signature=x",
}
"""The server looks at who asks, and not at whether he is."""
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


def install(folder):
    """Make an environment with moto's server and s3fs, unless they are here; return their packages' folder."""
    if all(importlib.util.find_spec(name) for name in ("moto", "flask", "s3fs")):
        return Path(importlib.util.find_spec("moto").origin).parents[1]
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    subprocess.run([folder / "bin/pip", "install", "-q", "moto[s3,server]>=5", "s3fs>=2025.2"], check=True)
    return next(Path(folder).glob("lib/*/site-packages"))


@contextmanager
def serve(packages, log):
    """Run the server, and yield the port it has."""
    program = [sys.executable, "-m", "moto.server", "-H", HOST, "-p", "0"]
    with (
        log.open("wb") as file,
        subprocess.Popen(program, env={"PYTHONPATH": str(packages)}, stdout=file, stderr=file) as server,
    ):
        try:
            yield _port(log, server)
        finally:
            server.terminate()


def _port(log, server):
    end = time.monotonic() + 60
    while time.monotonic() < end and server.poll() is None:
        _, _, rest = log.read_text().partition(f"http://{HOST}:")
        if "\n" in rest:
            return int(rest.split()[0])
        time.sleep(0.1)
    raise AssertionError(log.read_text())


class Bucket:
    """A bucket of the server."""

    def __init__(self, port, name):
        self._url = f"http://{HOST}:{port}/{name}"
        self._ask("PUT", "")

    def put(self, key, data):
        self._ask("PUT", f"/{key}", data)

    def get(self, key):
        """Return an object's bytes; None where there is none."""
        try:
            return self._ask("GET", f"/{key}")
        except urllib.error.HTTPError as error:
            if error.code != http.HTTPStatus.NOT_FOUND:
                raise
            return None

    def remove(self, key):
        self._ask("DELETE", f"/{key}")

    def keys(self, prefix):
        """List the keys of all objects under a prefix, of which there are no more than a thousand."""
        listed = self._ask("GET", f"?list-type=2&prefix={prefix}")
        return [key.text for key in ElementTree.fromstring(listed).iter() if key.tag.endswith("}Key")]

    def _ask(self, method, path, data=None):
        request = urllib.request.Request(self._url + path, data=data, method=method, headers=HEADERS)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()


@contextmanager
def between(port, *, denied="", dropped=""):
    """Stand before the server: no object whose key ends in ``denied`` may be put; of the first put of one that ends in
    ``dropped``, which arrives, the answer is lost. Yield the port of this, and which answers were lost.
    """
    lost = []

    class Between(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def forward(self):
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            path = urllib.parse.urlsplit(self.path).path
            if self.command == "PUT" and denied and path.endswith(denied):
                self._answer(403, [("Content-Type", "application/xml")], DENIED)
                return
            server = http.client.HTTPConnection(HOST, port, timeout=30)
            server.request(self.command, self.path, body, dict(self.headers))
            answer = server.getresponse()
            data = answer.read()
            if self.command == "PUT" and dropped and path.endswith(dropped) and not lost:
                lost.append(path)
                self.close_connection = True
                return
            self._answer(answer.status, answer.getheaders(), data)

        do_GET = do_PUT = do_HEAD = do_POST = do_DELETE = forward  # noqa: N815

        def _answer(self, status, headers, data):
            self.send_response_only(status)
            for name, value in headers:
                if name.lower() not in ("transfer-encoding", "connection", "content-length"):
                    self.send_header(name, value)
            length = {name.lower(): value for name, value in headers}.get("content-length", len(data))
            self.send_header("Content-Length", str(length if self.command == "HEAD" else len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, *_):
            """Say nothing."""

    with ThreadingHTTPServer((HOST, 0), Between) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_port, lost
        server.shutdown()
