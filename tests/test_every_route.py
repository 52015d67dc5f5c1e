"""Every route and every socket, with no, a wrong, a revoked, an ended and a stranger's credential."""

import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI

from collegium.app import House, create_app, open_house
from collegium.jupyter.model import uuid_of
from collegium.settings import Settings

pytestmark = pytest.mark.anyio

PUBLIC = {
    ("POST", "/api/v1/login"),
    ("POST", "/api/v1/login/link"),
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/jupyter"),
    ("GET", "/jupyter/"),
    ("GET", "/jupyter/tree"),
    ("GET", "/jupyter/lab"),
    ("GET", "/jupyter/login"),
    ("GET", "/jupyter/api"),
    ("GET", "/jupyter/api/"),
}
"""What somebody without an account may ask; each entry is a decision."""

ONES_OWN = {
    ("PUT", "/jupyter/api/contents/{path:path}"),
    ("GET", "/jupyter/api/config/{section}"),
    ("DELETE", "/api/v1/drive/items/{item}/star"),
}
"""A path in one's own drive, settings that are empty for everybody, one's own stars: nobody else's is behind these."""

PASSWORD = "correct horse battery"
ADA, EVE = "ada@example.org", "eve@example.org"


@dataclass
class Site:
    app: FastAPI
    house: House
    notebook: str
    ada: str
    eve: str

    def client(self, **headers: str) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.app, raise_app_exceptions=False)
        return httpx.AsyncClient(transport=transport, base_url="http://collegium.test", headers=headers)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    async with open_house(Settings(data=tmp_path, engine="none")) as house:
        app = create_app(house)
        for email in (ADA, EVE):
            await house.accounts.create_user(email, email.split("@")[0], PASSWORD)
        site = Site(
            app, house, "", await house.accounts.create_token(ADA, "t"), await house.accounts.create_token(EVE, "t")
        )
        async with site.client(authorization=f"Bearer {site.ada}") as ada:
            site.notebook = (await ada.post("/api/v1/notebooks?name=secret.ipynb")).raise_for_status().json()["id"]
        yield site


def doors(app: FastAPI) -> list[tuple[str, str]]:
    """Every method and path of the API, and those of Jupyter's, which Jupyter describes."""
    own = [(method.upper(), path) for path, methods in app.openapi()["paths"].items() for method in methods]
    return own + [
        (method, path) for path, methods in _paths_of(app.router) if path.startswith("/jupyter") for method in methods
    ]


def _paths_of(router: Any) -> Iterator[tuple[str, set[str]]]:
    for route in router.routes:
        if hasattr(route, "original_router"):
            yield from _paths_of(route.original_router)
        elif getattr(route, "methods", None):
            yield route.path, route.methods


def filled(path: str, item: str) -> str:
    """The path with something that exists (and is not the caller's) in every place."""
    return re.sub(r"\{\w+(:\w+)?\}", uuid_of(item) if path.startswith("/jupyter") else item, path)


async def test_the_walk_sees_the_house(site: Site) -> None:
    paths = {path for _, path in doors(site.app)}

    assert len(paths) > 30
    assert set(doors(site.app)) >= PUBLIC


@pytest.mark.parametrize("credential", ["none", "wrong", "revoked", "basic", "query", "cookie"])
async def test_no_route_opens_without_a_credential_that_holds(site: Site, credential: str) -> None:
    headers = {}
    match credential:
        case "wrong":
            headers = {"authorization": "Bearer col_" + "x" * 40}
        case "revoked":
            token = await site.house.accounts.create_token(ADA, "short")
            async with site.client(authorization=f"Bearer {token}") as ada:
                (found,) = [t for t in (await ada.get("/api/v1/me/tokens")).json() if t["name"] == "short"]
                (await ada.delete(f"/api/v1/me/tokens/{found['id']}")).raise_for_status()
            headers = {"authorization": f"Bearer {token}"}
        case "basic":
            headers = {"authorization": "Basic YWRhOmFkYQ=="}
        case "cookie":
            headers = {"cookie": "collegium=forged; __Host-collegium=forged"}
    query = f"?token={site.ada}" if credential == "query" else ""
    opened = []
    async with site.client(**headers) as nobody:
        for method, path in doors(site.app):
            if (method, path) in PUBLIC:
                continue
            if query and path.startswith("/jupyter"):
                continue  # where Jupyter's clients put it; see tests/jupyter
            answer = await nobody.request(method, filled(path, site.notebook) + query)
            # Jupyter says 403, and its clients know that.
            if answer.status_code != (403 if path.startswith("/jupyter") else 401):
                opened.append((method, path, answer.status_code))

    assert opened == []


async def test_a_stranger_cannot_tell_what_exists_from_what_does_not(site: Site) -> None:
    different = []
    missing = "0" * len(site.notebook)
    async with site.client(authorization=f"Bearer {site.eve}") as eve:
        for method, path in doors(site.app):
            if "{" not in path or (method, path) in PUBLIC | ONES_OWN:
                continue
            theirs = await eve.request(method, filled(path, site.notebook), json={})
            none = await eve.request(method, filled(path, missing), json={})
            if theirs.status_code != none.status_code or theirs.status_code < 400 or theirs.status_code >= 500:
                different.append((method, path, theirs.status_code, none.status_code))

    assert different == []


async def test_every_error_is_a_problem_with_a_code(site: Site) -> None:
    async with site.client(authorization=f"Bearer {site.ada}") as ada:
        answers = [
            await ada.get("/api/v1/nothing-here"),
            await ada.get(f"/api/v1/notebooks/{'0' * 22}"),
            await ada.post("/api/v1/login", content=b"{not json"),
            await ada.post("/api/v1/notebooks", content=b"\xff\xfe", headers={"content-type": "application/json"}),
        ]

    for answer in answers:
        assert answer.headers["content-type"] == "application/problem+json", answer.text
        assert {"code", "detail", "status", "title", "type"} <= answer.json().keys()
        assert "Traceback" not in answer.text


async def test_every_answer_carries_the_policy(site: Site) -> None:
    async with site.client() as nobody:
        page = await nobody.get("/")
        frame = await nobody.get("/output.html")

    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert page.headers["x-content-type-options"] == "nosniff"
    assert frame.headers["content-security-policy"].startswith("sandbox allow-scripts")
    assert "allow-same-origin" not in frame.headers["content-security-policy"]


async def test_another_sites_page_changes_nothing(site: Site) -> None:
    async with site.client() as browser:
        await browser.post("/api/v1/login", json={"email": ADA, "password": PASSWORD})
        assert (await browser.get("/api/v1/me")).status_code == 200
        refused = []
        for method, path in doors(site.app):
            if method == "GET" or (method, path) in PUBLIC:
                continue
            for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
                answer = await browser.request(method, filled(path, site.notebook), headers=headers)
                refused.append(answer.status_code)

    assert set(refused) == {403}
