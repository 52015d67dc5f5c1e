"""Who gets in at /jupyter, with what, and how they are told that they do not."""

import httpx
import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import InvalidStatus

from jupyter.world import ADA, PASSWORD, Site

pytestmark = pytest.mark.anyio

HOSTILE = [
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
]


def socket_address(site: Site, kernel: str) -> str:
    return f"ws://127.0.0.1:{site.port}/jupyter/api/kernels/{kernel}/channels"


@pytest.mark.parametrize("form", ["token", "bearer", "query", "cookie"])
async def test_every_form_of_credential_opens(site: Site, form: str) -> None:
    token = site.tokens[ADA]
    headers = {"token": {"Authorization": f"token {token}"}, "bearer": {"Authorization": f"Bearer {token}"}}
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{site.port}", trust_env=False, timeout=60) as http:
        http.headers.update(headers.get(form, {}))
        query = f"?permissions={{}}&token={token}&x=1" if form == "query" else ""
        if form == "cookie":
            (await http.post("/api/v1/login", json={"email": ADA, "password": PASSWORD})).raise_for_status()
        me = await http.get("/jupyter/api/me" + query)
        kernel = (await http.post("/jupyter/api/kernels" + query)).raise_for_status().json()["id"]
        cookies = {"Cookie": f"collegium={http.cookies['collegium']}"} if form == "cookie" else {}
        async with connect(
            socket_address(site, kernel) + query, additional_headers=headers.get(form, {}) | cookies, proxy=None
        ) as socket:
            assert socket.state.name == "OPEN"
        gone = await http.delete(f"/jupyter/api/kernels/{kernel}" + query)

    assert me.json()["identity"]["username"] == ADA
    assert gone.status_code == 204


@pytest.mark.parametrize("query", ["", "?token=", "?token=col_wrong", "?token=%00%ff", "?token=a&token=b"])
async def test_nothing_else_does(site: Site, query: str) -> None:
    async with site.client(None) as nobody:
        answers = [await nobody.get("/api/kernels" + query), await nobody.post("/api/kernels" + query)]
        with pytest.raises(InvalidStatus) as refused:
            async with connect(socket_address(site, "x") + query, proxy=None):
                pass

    assert {answer.status_code for answer in answers} == {403}
    assert set(answers[0].json()) == {"message", "reason"}
    assert refused.value.response.status_code == 403


@pytest.mark.parametrize("headers", HOSTILE, ids=str)
async def test_another_sites_page_gets_nothing(site: Site, headers: dict[str, str]) -> None:
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{site.port}", trust_env=False) as http:
        (await http.post("/api/v1/login", json={"email": ADA, "password": PASSWORD})).raise_for_status()
        cookie = {"Cookie": f"collegium={http.cookies['collegium']}"}
        answers = [
            await http.request(method, f"/jupyter/api/{path}", headers=headers)
            for method, path in (("POST", "kernels"), ("PUT", "contents/a.txt"), ("GET", "contents"))
        ]
    with pytest.raises(InvalidStatus) as refused:
        async with connect(socket_address(site, "x"), additional_headers=headers | cookie, proxy=None):
            pass

    assert {answer.status_code for answer in answers} == {403}
    assert refused.value.response.status_code == 403


async def test_what_clients_ask_before_they_have_a_credential(site: Site) -> None:
    async with site.client(None) as nobody:
        tree = await nobody.get("/tree")
        version = await nobody.get("/api")
        login = await nobody.get("/login")

    assert (tree.status_code, version.status_code, login.status_code) == (200, 200, 200)
    assert version.json()["version"].count(".") == 2
    assert "_xsrf" in tree.cookies


async def test_what_clients_ask_first(site: Site) -> None:
    async with site.client() as ada:
        specs = (await ada.get("/api/kernelspecs")).json()
        logo = await ada.get(specs["kernelspecs"]["python3"]["resources"]["logo-64x64"].removeprefix("/jupyter"))
        one = (await ada.get("/api/kernelspecs/bash")).json()
        escape = await ada.get("/kernelspecs/python3/kernel.json")
        status = (await ada.get("/api/status")).json()
        me = (await ada.get("/api/me", params={"permissions": '{"contents": ["read", "rule"]}'})).json()
        wrong = await ada.get("/api/me", params={"permissions": "{"})
        nothing = await ada.get("/api/nothing")

    assert specs["default"] == "python3"
    assert {"python3", "bash"} <= specs["kernelspecs"].keys()
    assert specs["kernelspecs"]["python3"]["spec"]["language"] == "python"
    assert (logo.status_code, logo.headers["content-type"]) == (200, "image/png")
    assert (one["name"], escape.status_code) == ("bash", 404)
    assert (status["kernels"], status["connections"]) == (0, 0)
    assert me["permissions"] == {"contents": ["read"]}
    assert (wrong.status_code, nothing.status_code) == (400, 404)
