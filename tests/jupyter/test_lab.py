"""The whole server with real sandboxes: JupyterLab's gateway in a browser, and a page and a client on one kernel."""

import json
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page, expect
from websockets.sync.client import connect

from runtime_world import why_no_sandbox
from support.browser import browser
from support.clients import LAB, clients
from support.server import Server, free_port, server

pytestmark = pytest.mark.sandbox

ADA = "ada@example.org"
SECONDS_MAX = 60


@dataclass
class Place:
    """A running server, and somebody's token."""

    server: Server
    token: str

    @property
    def jupyter(self) -> httpx.Client:
        return httpx.Client(
            base_url=self.server.url + "/jupyter",
            headers={"Authorization": f"token {self.token}"},
            timeout=SECONDS_MAX,
            trust_env=False,
        )


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    why = why_no_sandbox()
    if why is not None:
        pytest.skip(f"no sandbox here: {why}")
    with server(env={"COLLEGIUM_LOG_LEVEL": "debug"}) as running:
        yield Place(running, running.add_user(ADA))


def notebook(*sources: str) -> dict[str, object]:
    cells = [
        {"cell_type": "code", "id": f"c{n}", "metadata": {}, "source": s, "outputs": [], "execution_count": None}
        for n, s in enumerate(sources)
    ]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    return {"nbformat": 4, "nbformat_minor": 5, "metadata": kernel, "cells": cells}


@contextmanager
def lab(place: Place, folder: Path) -> Iterator[str]:
    """JupyterLab whose kernels are ours; its address."""
    port = free_port()
    command = [
        str(clients(LAB).parent / "jupyter"), "lab", "--no-browser", f"--port={port}", "--ip=127.0.0.1",
        f"--ServerApp.root_dir={folder}", "--IdentityProvider.token=", "--allow-root",
        f"--gateway-url={place.server.url}/jupyter", f"--GatewayClient.auth_token={place.token}",
        "--LabApp.news_url=", "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]  # fmt: skip
    own = {"HOME": str(folder), "JUPYTER_CONFIG_DIR": str(folder / ".jupyter"), "JUPYTER_PLATFORM_DIRS": "0"}
    with (folder / "lab.log").open("wb") as log:
        process = subprocess.Popen(command, env=os.environ | own, stdout=log, stderr=log, cwd=folder)
    try:
        deadline = time.monotonic() + SECONDS_MAX
        while True:
            try:
                httpx.get(f"http://127.0.0.1:{port}/api", trust_env=False).raise_for_status()
                break
            except httpx.HTTPError:
                over = time.monotonic() > deadline or process.poll() is not None
                assert not over, (folder / "lab.log").read_text()
                time.sleep(0.05)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(20)


@pytest.mark.browser
def test_jupyterlab_runs_a_notebook_through_its_gateway(place: Place, tmp_path: Path) -> None:
    (tmp_path / "n.ipynb").write_text(json.dumps(notebook("import os\nprint('in', os.getcwd(), 6 * 7)", "1 / 0")))
    with lab(place, tmp_path) as url, browser() as chromium:
        page: Page = chromium.new_context().new_page()
        page.goto(f"{url}/lab/tree/n.ipynb")
        page.locator(".jp-Notebook .jp-CodeCell").first.locator(".cm-content").click()
        page.keyboard.press("Shift+Enter")
        expect(page.locator(".jp-CodeCell").nth(0).locator(".jp-OutputArea-output")).to_contain_text("in /content 42")
        page.keyboard.press("Shift+Enter")
        expect(page.locator(".jp-CodeCell").nth(1).locator(".jp-OutputArea-output")).to_contain_text("ZeroDivision")
        with place.jupyter as jupyter:
            kernels = jupyter.get("/api/kernels").json()
            for kernel in kernels:
                jupyter.delete(f"/api/kernels/{kernel['id']}").raise_for_status()

    assert [kernel["name"] for kernel in kernels] == ["python3"]


def finished(api: httpx.Client, notebook: str, *cells: str) -> list[dict[str, object]]:
    """Run cells as the page does; the executions at their ends."""
    asked = api.post(f"/notebooks/{notebook}/executions", json={"cells": list(cells)}).raise_for_status().json()
    deadline = time.monotonic() + SECONDS_MAX
    while True:
        found = [api.get(f"/notebooks/{notebook}/executions/{one['id']}").json() for one in asked["executions"]]
        if all(one["state"] in ("finished", "failed", "cancelled") for one in found):
            return found
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_page_and_a_client_share_document_and_kernel(place: Place) -> None:
    with place.server.client(place.token) as api, place.jupyter as jupyter:
        made = api.post(
            "/notebooks?name=both.ipynb&folder=root", content=json.dumps(notebook("x = 20", "print(x + y)"))
        )
        id = made.raise_for_status().json()["id"]
        finished(api, id, "c0")
        (session,) = jupyter.get("/api/sessions").json()
        joined = jupyter.post("/api/sessions", json={"path": "both.ipynb", "type": "notebook", "kernel": {}}).json()
        kernel = session["kernel"]["id"]
        address = f"{place.server.url.replace('http', 'ws')}/jupyter/api/kernels/{kernel}/channels?session_id=client"
        with connect(address + f"&token={place.token}", proxy=None) as socket:
            ask = {"header": {"msg_id": "m1", "msg_type": "execute_request", "session": "client", "username": "",
                              "date": "2026-11-21T12:00:00Z", "version": "5.3"},
                   "parent_header": {}, "metadata": {}, "channel": "shell",
                   "content": {"code": "y = x + 2; print('mine')", "silent": False}}  # fmt: skip
            socket.send(json.dumps(ask))
            own = heard(socket, "m1")
            (second,) = finished(api, id, "c1")
            seen = ""
            while "42" not in seen:
                message = json.loads(socket.recv(SECONDS_MAX))
                seen += message["content"].get("text", "")
        content = jupyter.get("/api/contents/both.ipynb").json()["content"]
        content["cells"][0]["source"] = "x = 21"
        jupyter.put("/api/contents/both.ipynb", json={"type": "notebook", "format": "json", "content": content})
        file = api.get(f"/notebooks/{id}/content").json()
        jupyter.delete(f"/api/kernels/{kernel}").raise_for_status()
        left = api.get(f"/notebooks/{id}/session").json()

    assert (session["path"], session["type"], joined["id"]) == ("both.ipynb", "notebook", session["id"])
    assert own == "mine\n"
    assert second["outputs"] == [{"output_type": "stream", "name": "stdout", "text": "42\n"}]
    assert ["".join(cell["source"]) for cell in file["cells"]] == ["x = 21", "print(x + y)"]
    assert file["cells"][1]["outputs"][0]["text"] == ["42\n"]
    assert left["runtime"] is None


def heard(socket: object, parent: str) -> str:
    """What a request printed, until its kernel is idle again."""
    text = ""
    while True:
        message = json.loads(socket.recv(SECONDS_MAX))  # type: ignore[attr-defined]
        if message["parent_header"].get("msg_id") == parent:
            text += message["content"].get("text", "")
            if message["content"].get("execution_state") == "idle":
                return text


def test_a_token_in_an_address_is_never_logged(place: Place) -> None:
    with httpx.Client(base_url=place.server.url, trust_env=False) as http:
        answers = [
            http.get(f"/jupyter/api/me?token={place.token}"),
            http.get(f"/jupyter/api/kernels/nothing?token={place.token}"),
            http.get("/jupyter/api/me?token=col_wrong-and-secret"),
            http.get(f"/api/v1/me?token={place.token}"),
        ]
    address = place.server.url.replace("http", "ws") + "/jupyter/api/kernels/none/channels?token=" + place.token
    with pytest.raises(Exception, match="404"), connect(address, proxy=None):
        pass
    said = "\n".join(place.server.lines)

    assert [answer.status_code for answer in answers] == [200, 404, 403, 401]
    assert place.token not in said
    assert "col_wrong" not in said
