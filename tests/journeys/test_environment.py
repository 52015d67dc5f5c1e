"""A notebook's own environment: chosen, installed on top, pinned, and there in the next runtime."""

import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from support.environment import MINIMAL, environment_of
from support.server import Server

pytestmark = pytest.mark.sandbox

WAIT_SECONDS_MAX = 120

MAKE_WHEEL = """
import base64, hashlib, zipfile
name, version = "tinything", "1.2.3"
about = f"{name}-{version}.dist-info"
files = {
    f"{name}.py": f"VERSION = {version!r}\\n",
    f"{about}/METADATA": f"Metadata-Version: 2.1\\nName: {name}\\nVersion: {version}\\n",
    f"{about}/WHEEL": "Wheel-Version: 1.0\\nGenerator: tests\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
}
digest = lambda text: base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
record = "".join(f"{path},sha256={digest(text)},{len(text)}\\n" for path, text in files.items())
with zipfile.ZipFile(f"/content/{name}-{version}-py3-none-any.whl", "w") as wheel:
    for path, text in (files | {f"{about}/RECORD": record + f"{about}/RECORD,,\\n"}).items():
        wheel.writestr(path, text)
"""


def until(condition: Callable[[], Any]) -> Any:
    """Wait for something that is asked over HTTP."""
    deadline = time.monotonic() + WAIT_SECONDS_MAX
    while not (found := condition()):
        assert time.monotonic() < deadline, "it never came true"
        time.sleep(0.05)
    return found


class Notebook:
    """A notebook that is used over the API."""

    def __init__(self, http: httpx.Client, metadata: dict[str, Any], **cells: str) -> None:
        self.http = http
        made = [
            {"cell_type": "code", "id": id, "metadata": {}, "source": source, "outputs": [], "execution_count": None}
            for id, source in cells.items()
        ]
        body = {"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": made}
        self.id = http.post("/notebooks?name=environment.ipynb", json=body).raise_for_status().json()["id"]

    def get(self, path: str) -> Any:
        """Something of this notebook."""
        return self.http.get(f"/notebooks/{self.id}/{path}").raise_for_status().json()

    def post(self, path: str, **body: Any) -> Any:
        """Ask for something."""
        answer = self.http.post(f"/notebooks/{self.id}/{path}", json=body or None)
        assert answer.is_success, answer.text
        return answer.json()

    def run(self, cell: str) -> dict[str, Any]:
        """Run a cell to its end."""
        [asked] = self.post("executions", cells=[cell])["executions"]
        final = ("finished", "failed", "cancelled")

        def over() -> dict[str, Any] | None:
            state: dict[str, Any] = self.get(f"executions/{asked['id']}")
            return state if state["state"] in final else None

        found: dict[str, Any] = until(over)
        return found

    def printed(self, cell: str) -> str:
        """What it printed when it was run now."""
        ran = self.run(cell)
        assert ran["state"] == "finished", ran
        return "".join(output["text"] for output in ran["outputs"] if output["output_type"] == "stream")


@pytest.fixture(scope="module")
def ada(running: Server) -> Any:
    """Somebody who is signed in."""
    token = running.add_user("env@example.org")
    with running.client(token) as http:
        yield http


def test_what_was_installed_and_pinned_is_in_the_next_runtime(ada: httpx.Client) -> None:
    environment_of(MINIMAL)
    metadata = {"colab": {"runtime_attributes": {"runtime_version": MINIMAL}}}
    notebook = Notebook(
        ada,
        metadata,
        wheel=MAKE_WHEEL,
        install="%pip install --no-index /content/tinything-1.2.3-py3-none-any.whl",
        use="import tinything; print(tinything.VERSION)",
        bare="from importlib.util import find_spec; print(find_spec('numpy'))",
    )
    assert notebook.printed("bare") == "None\n"
    assert notebook.get("session")["runtime"]["version"] == MINIMAL
    notebook.run("wheel")
    assert "Successfully installed" in notebook.printed("install")
    assert notebook.printed("use") == "1.2.3\n"
    until(lambda: notebook.get("environment")["added"] == [{"name": "tinything", "version": "1.2.3"}])

    pinned = notebook.post("environment/pin")["pinned"]
    assert "tinything" in pinned["lock"]
    until(lambda: notebook.get("environment")["pinned"]["ready"])
    notebook.post("session/disconnect")

    started = time.monotonic()
    assert notebook.printed("use") == "1.2.3\n"
    print(f"a runtime with the layer, from the request to the output: {time.monotonic() - started:.2f} s")
    session = notebook.get("session")
    assert (session["runtime"]["notes"], session["runtime"]["version"]) == ([], MINIMAL)
    assert notebook.get("environment")["added"] == []


UNREACHABLE = """
lock-version = "1.0"
created-by = "somebody"
[[packages]]
name = "nothing"
version = "1.0"
[[packages.wheels]]
name = "nothing-1.0-py3-none-any.whl"
url = "https://127.0.0.1:9/nothing-1.0-py3-none-any.whl"
hashes = { sha256 = "%s" }
"""


def test_a_lock_that_cannot_be_built_keeps_no_cell_from_running(ada: httpx.Client) -> None:
    environment_of(MINIMAL)
    metadata = {"colab": {"runtime_attributes": {"runtime_version": MINIMAL}}}
    notebook = Notebook(ada, metadata, use="print('runs')")
    put = f"/notebooks/{notebook.id}/environment"

    refused = ada.put(put, json={"lock": "packages = ["})
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid")
    assert "not TOML" in refused.json()["detail"]
    nothing = ada.post(f"{put}/pin")
    assert (nothing.status_code, nothing.json()["code"]) == (503, "unavailable")

    pinned = ada.put(put, json={"lock": UNREACHABLE % ("0" * 64)}).raise_for_status().json()["pinned"]
    assert pinned["ready"] is False
    assert notebook.printed("use") == "runs\n"
    [note] = notebook.get("session")["runtime"]["notes"]
    assert note.startswith("This runtime is without the notebook’s own environment: ")
    assert "nothing" in note

    refused = ada.post(f"{put}/pin")
    assert (refused.status_code, "nothing to keep" in refused.json()["detail"]) == (422, True)
    assert ada.put(put, json={"lock": None}).raise_for_status().json()["pinned"] is None
    notebook.post("session/disconnect")
    assert notebook.printed("use") == "runs\n"
    assert notebook.get("session")["runtime"]["notes"] == []
