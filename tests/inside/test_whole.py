"""The real server, its engine and a sandbox: from a request for a runtime to an application in it."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from websockets.sync.client import connect

from support.server import PASSWORD, Server, server

pytestmark = pytest.mark.sandbox

APP = """
import base64, hashlib, http.server
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        if self.headers.get("Upgrade"):
            key = self.headers["Sec-WebSocket-Key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
            self.send_response(101)
            self.send_header("Upgrade", "websocket"); self.send_header("Connection", "Upgrade")
            self.send_header("Sec-WebSocket-Accept", base64.b64encode(hashlib.sha1(key.encode()).digest()).decode())
            self.end_headers()
            self.wfile.write(b"\\x81\\x06inside"); self.wfile.flush()
            self.rfile.read(2)
            return
        body = ("app at " + self.path + " for " + str(self.headers.get("Cookie"))).encode()
        self.send_response(200); self.send_header("Content-Length", str(len(body))); self.end_headers()
        self.wfile.write(body)
server = http.server.ThreadingHTTPServer(("127.0.0.1", 8501), Handler)
print("listening", flush=True)
server.serve_forever()
"""


@pytest.fixture(scope="module")
def running() -> Iterator[Server]:
    with server() as running:
        yield running


def typed(terminal: Any, text: str, wanted: bytes) -> None:
    terminal.send(json.dumps({"type": "input", "data": text}))
    seen = b""
    deadline = time.monotonic() + 30
    while wanted not in seen:
        assert time.monotonic() < deadline, seen
        seen += terminal.recv(30)[8:]


def test_a_person_starts_an_application_and_opens_it(running: Server) -> None:
    token = running.add_user("ada@example.org")
    running.command("users", "add", "eve@example.org", "--password-stdin", stdin=PASSWORD)
    with running.client(token) as ada, httpx.Client(base_url=running.url + "/api/v1", trust_env=False) as eve:
        eve.post("/login", json={"email": "eve@example.org", "password": PASSWORD}).raise_for_status()
        runtime = ada.post("/runtimes").raise_for_status().json()["id"]
        inside = f"/runtimes/{runtime}"
        ada.put(f"{inside}/files/content", params={"path": "/content/app.py"}, content=APP.encode()).raise_for_status()
        name = ada.post(f"{inside}/terminals").raise_for_status().json()["name"]
        address = f"ws://127.0.0.1:{running.port}/api/v1{inside}/terminals/{name}/socket"
        with connect(address, additional_headers={"Authorization": f"Bearer {token}"}, proxy=None) as terminal:
            typed(terminal, "python app.py\r", b"listening")
            ports = ada.get(f"{inside}/ports").json()
            url = urlsplit(ada.post(f"{inside}/ports/8501").raise_for_status().json()["url"])
            with httpx.Client(trust_env=False, base_url=running.url, timeout=30) as browser:
                admitted = browser.get(f"{url.path}?{url.query}", headers={"Host": url.netloc})
                cookie = admitted.headers["set-cookie"].partition(";")[0]
                browser.cookies.clear()
                shown = browser.get("/page?x=1", headers={"Host": url.netloc, "Cookie": cookie + "; own=1"})
                with connect(
                    f"ws://{url.netloc}/ws",
                    additional_headers={"Cookie": cookie},
                    proxy=None,
                    sock=socket.create_connection(("127.0.0.1", running.port)),
                ) as talk:
                    heard = talk.recv(30)
                refused = [
                    eve.get(f"{inside}/files").status_code,
                    eve.post(f"{inside}/ports/8501").status_code,
                    eve.get(f"{inside}/terminals").status_code,
                ]
                ada.delete(f"/runtimes/{runtime}").raise_for_status()
                gone = browser.get("/page", headers={"Host": url.netloc, "Cookie": cookie}).status_code

    assert [one["port"] for one in ports] == [8501]
    assert url.netloc.endswith(f".localhost:{running.port}")
    assert shown.text == "app at /page?x=1 for own=1"
    assert heard == "inside"
    assert refused == [404, 404, 404]
    assert gone == 404
