"""Signing in over HTTP: cookies, headers, and what a stranger learns."""

from typing import Annotated, Any

import pytest
from argon2 import PasswordHasher
from fastapi import Depends, FastAPI, WebSocket
from httpx import ASGITransport, AsyncClient, Response
from starlette.types import Message

from collegium.accounts.adapters import Argon2Passwords
from collegium.accounts.model import Principal
from collegium.accounts.routes import Authentication, routes
from collegium.accounts.service import Accounts, signed_in_admin
from collegium.accounts.service import signed_in as signed_in_now
from collegium.accounts.settings import AccountsSettings
from collegium.ground.db import Database
from collegium.ground.errors import Unavailable
from collegium.ground.http import Gate, add_problem_handlers

pytestmark = pytest.mark.anyio
ADA, PASSWORD = "ada@example.org", "correct horse"


async def signed_in(client: AsyncClient, accounts: Accounts) -> Response:
    if not await accounts.users():
        await accounts.create_user(ADA, "Ada", PASSWORD)
    answer = await client.post("/login", json={"email": ADA, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    return answer


def cookie_parts(answer: Response) -> tuple[str, str, set[str]]:
    first, *rest = answer.headers["set-cookie"].split("; ")
    name, _, value = first.partition("=")
    return name, value, {part.lower() for part in rest}


async def test_who_signed_in_is_known_and_after_signing_out_nobody(client: AsyncClient, accounts: Accounts) -> None:
    assert (await client.get("/me")).status_code == 401
    answer = await signed_in(client, accounts)
    me = (await client.get("/me")).json()
    cookie = client.cookies["collegium"]
    assert (await client.delete("/login")).status_code == 204

    assert me == answer.json()["user"]
    assert me["email"] == ADA
    assert me["color"].startswith("#")
    assert "collegium" not in client.cookies
    assert (await client.get("/me")).status_code == 401
    assert (await client.get("/me", headers={"cookie": f"collegium={cookie}"})).status_code == 401


async def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(client: AsyncClient, accounts: Accounts) -> None:
    name, value, flags = cookie_parts(await signed_in(client, accounts))

    assert name == "collegium"
    assert len(value) >= 43
    assert {"httponly", "samesite=lax", "path=/"} <= flags
    assert "secure" not in flags
    assert not any(flag.startswith("domain") for flag in flags)


async def test_over_tls_the_cookie_is_bound_to_this_host(tls_client: AsyncClient, accounts: Accounts) -> None:
    name, value, flags = cookie_parts(await signed_in(tls_client, accounts))

    assert name == "__Host-collegium"
    assert {"httponly", "samesite=lax", "path=/", "secure"} <= flags
    assert not any(flag.startswith("domain") for flag in flags)
    assert (await tls_client.get("/me")).status_code == 200
    # A neighbour domain can set a cookie of the plain name for us, but not one that begins with __Host-.
    tls_client.cookies.clear()
    assert (await tls_client.get("/me", headers={"cookie": f"collegium={value}"})).status_code == 401


@pytest.mark.parametrize(("trusted", "name"), [(True, "__Host-collegium"), (False, "collegium")])
async def test_only_a_trusted_proxy_says_that_there_is_tls_and_who_asks(
    database: Database, passwords_hasher: PasswordHasher, trusted: bool, name: str
) -> None:
    accounts = Accounts(database, Argon2Passwords(passwords_hasher), AccountsSettings(trust_proxy=trusted))
    app = FastAPI()
    app.add_middleware(Authentication, accounts=accounts)
    app.include_router(routes(accounts), prefix="/api/v1")
    forwarded = {"x-forwarded-proto": "https", "x-forwarded-for": "6.6.6.6, 198.51.100.4"}
    transport = ASGITransport(app, client=("192.0.2.7", 4000))
    async with AsyncClient(transport=transport, base_url="http://collegium.test/api/v1", headers=forwarded) as client:
        answer = await signed_in(client, accounts)
        user = (await accounts.users())[0]

        assert cookie_parts(answer)[0] == name
        (login,) = await accounts.logins(user.id)
        assert login.address == ("198.51.100.4" if trusted else "192.0.2.7")


async def test_a_secret_that_was_there_before_signing_in_is_worth_nothing_after(
    client: AsyncClient, accounts: Accounts
) -> None:
    client.cookies.set("collegium", "planted" * 7, domain="collegium.test")
    _, value, _ = cookie_parts(await signed_in(client, accounts))

    assert value != "planted" * 7
    assert await accounts.principal_by_cookie("planted" * 7) is None


async def test_signing_in_again_replaces_the_login_of_this_browser(client: AsyncClient, accounts: Accounts) -> None:
    _, first, _ = cookie_parts(await signed_in(client, accounts))
    _, second, _ = cookie_parts(await signed_in(client, accounts))

    assert first != second
    assert await accounts.principal_by_cookie(first) is None
    assert len((await client.get("/me/logins")).json()) == 1


async def test_a_wrong_password_and_a_missing_account_get_the_same_answer(
    client: AsyncClient, accounts: Accounts
) -> None:
    await accounts.create_user(ADA, "Ada", PASSWORD)
    wrong = await client.post("/login", json={"email": ADA, "password": "wrong"})
    missing = await client.post("/login", json={"email": "nobody@example.org", "password": "wrong"})

    assert wrong.status_code == missing.status_code == 401
    assert wrong.json() == missing.json()
    assert wrong.json()["code"] == "wrong_credentials"
    assert wrong.headers.keys() == missing.headers.keys()
    assert "set-cookie" not in wrong.headers


async def test_after_too_many_failures_one_is_told_how_long_to_wait(client: AsyncClient, accounts: Accounts) -> None:
    for _ in range(accounts.settings.sign_in_failures_per_email):
        await client.post("/login", json={"email": ADA, "password": "wrong"})
    answer = await client.post("/login", json={"email": ADA, "password": "wrong"})

    assert (answer.status_code, answer.json()["code"]) == (429, "too_many")
    assert int(answer.headers["retry-after"]) > 0


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"\xff\xfe",
        b'{"email":"a@b"}',
        b'{"email":1,"password":2}',
        b'{"email":"a@b","password":"' + b"x" * 300 + b'"}',
        b'{"email":"' + b"x" * 300 + b'","password":"x"}',
        b'{"email":"\\ud800@b","password":"xxxxxxxx"}',
        b'{"email":"a@b","password":"\\ud800xxxxxxxx"}',
        b'{"email":null,"password":null}',
    ],
)
async def test_what_is_no_sign_in_is_a_clear_problem_that_repeats_no_secret(client: AsyncClient, body: bytes) -> None:
    answer = await client.post("/login", content=body, headers={"content-type": "application/json"})

    assert answer.status_code == 422
    assert answer.json()["code"] == "invalid"
    assert "xxxx" not in answer.text


async def test_a_header_is_taken_at_its_word(client: AsyncClient, accounts: Accounts) -> None:
    await signed_in(client, accounts)
    token = await accounts.create_token(ADA, "laptop")
    for scheme in ("Bearer", "bearer", "token", "Token"):
        assert (await client.get("/me", headers={"authorization": f"{scheme} {token}"})).status_code == 200

    for wrong in ("Bearer col_wrong", "Bearer", "Basic YTpi", token, f"Bearer  x{token}", ""):
        answer = await client.get("/me", headers={"authorization": wrong})
        assert answer.status_code == 401, wrong
        assert answer.headers["www-authenticate"] == "Bearer"


async def test_a_token_in_the_address_is_not_looked_at(client: AsyncClient, accounts: Accounts) -> None:
    await accounts.create_user(ADA, "Ada", PASSWORD)
    token = await accounts.create_token(ADA, "laptop")

    assert (await client.get("/me", params={"token": token})).status_code == 401


async def test_logins_are_listed_and_ended(client: AsyncClient, tls_client: AsyncClient, accounts: Accounts) -> None:
    await signed_in(client, accounts)
    await signed_in(tls_client, accounts)
    logins = (await client.get("/me/logins")).json()
    (other,) = [login for login in logins if not login["current"]]

    assert len(logins) == 2
    assert other["address"] == "192.0.2.8"
    assert (await client.delete(f"/me/logins/{other['id']}")).status_code == 204
    assert (await tls_client.get("/me")).status_code == 401
    assert (await client.delete(f"/me/logins/{other['id']}")).status_code == 404


async def test_a_tokens_secret_is_shown_once(client: AsyncClient, accounts: Accounts) -> None:
    await signed_in(client, accounts)
    made = await client.post("/me/tokens", json={"name": "laptop", "days": 30})
    listed = await client.get("/me/tokens")
    secret = made.json()["secret"]

    assert made.status_code == 201
    assert secret.startswith("col_")
    assert [token["name"] for token in listed.json()] == ["laptop"]
    assert secret not in listed.text
    assert (await client.get("/me", headers={"authorization": f"Bearer {secret}"})).status_code == 200
    assert (await client.delete(f"/me/tokens/{made.json()['id']}")).status_code == 204
    assert (await client.get("/me", headers={"authorization": f"Bearer {secret}"})).status_code == 401


@pytest.mark.parametrize("body", [{"name": ""}, {"name": "a\nb"}, {"name": "x" * 101}, {"name": "a", "days": 0}, {}])
async def test_a_bad_token_request_is_refused(client: AsyncClient, accounts: Accounts, body: dict[str, Any]) -> None:
    await signed_in(client, accounts)

    assert (await client.post("/me/tokens", json=body)).status_code == 422


async def test_the_password_is_changed_and_other_browsers_are_signed_out(
    client: AsyncClient, tls_client: AsyncClient, accounts: Accounts
) -> None:
    await signed_in(client, accounts)
    await signed_in(tls_client, accounts)
    wrong = await client.put("/me/password", json={"current": "wrong", "new": "battery staple"})
    right = await client.put("/me/password", json={"current": PASSWORD, "new": "battery staple"})

    assert (wrong.status_code, wrong.json()["code"]) == (403, "wrong_password")
    assert right.status_code == 204
    assert (await client.get("/me")).status_code == 200
    assert (await tls_client.get("/me")).status_code == 401


async def test_the_first_administrator_signs_in_by_the_link(client: AsyncClient, accounts: Accounts) -> None:
    secret = await accounts.setup_link()
    welcome = {"secret": secret, "name": "Ada", "email": ADA, "password": PASSWORD}
    answer = await client.post("/login/link", json=welcome)
    again = await client.post("/login/link", json=welcome | {"email": "eve@example.org"})

    assert answer.status_code == 200
    assert answer.json()["user"]["admin"] is True
    assert (await client.get("/me")).json()["email"] == ADA
    assert (again.status_code, again.json()["code"]) == (403, "bad_link")


async def test_another_sites_form_cannot_sign_anybody_in(client: AsyncClient, accounts: Accounts) -> None:
    await accounts.create_user(ADA, "Ada", PASSWORD)
    body = {"email": ADA, "password": PASSWORD}
    for headers in ({"origin": "http://evil.com"}, {"origin": "null"}, {"sec-fetch-site": "cross-site"}):
        answer = await client.post("/login", json=body, headers=headers)

        assert (answer.status_code, answer.json()["code"]) == (403, "cross_site")
        assert "set-cookie" not in answer.headers


async def test_only_an_administrator_passes_where_one_is_needed(accounts: Accounts) -> None:
    app = FastAPI()
    add_problem_handlers(app)
    app.add_middleware(Authentication, accounts=accounts)
    app.add_middleware(Gate)

    @app.get("/admin")
    async def admin(principal: Annotated[Principal, Depends(signed_in_admin)]) -> str:
        return principal.name

    await accounts.create_user(ADA, "Ada", PASSWORD, admin=True)
    await accounts.create_user("eve@example.org", "Eve", PASSWORD)
    async with AsyncClient(transport=ASGITransport(app), base_url="http://collegium.test") as client:
        answers = [
            (await client.get("/admin", headers={"authorization": f"Bearer {secret}"})).status_code
            for secret in (
                await accounts.create_token(ADA, "t"),
                await accounts.create_token("eve@example.org", "t"),
                "",
            )
        ]

    assert answers == [200, 403, 401]


async def test_a_database_that_is_away_when_somebody_asks_is_told_as_such_and_not_as_a_bug(
    client: AsyncClient, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    await signed_in(client, accounts)

    async def away(secret: str) -> Principal | None:
        raise Unavailable("The database cannot be reached.")

    monkeypatch.setattr(accounts, "principal_by_cookie", away)
    monkeypatch.setattr(accounts, "principal_by_token", away)
    by_cookie = await client.get("/me")
    by_token = await client.get("/me", headers={"authorization": "Bearer x"})

    assert [(answer.status_code, answer.json()["code"]) for answer in (by_cookie, by_token)] == [
        (503, "unavailable"),
        (503, "unavailable"),
    ]


async def test_secrets_do_not_reach_the_log(
    client: AsyncClient, accounts: Accounts, capsys: pytest.CaptureFixture[str]
) -> None:
    await signed_in(client, accounts)
    token = (await client.post("/me/tokens", json={"name": "laptop"})).json()["secret"]
    cookie = client.cookies["collegium"]
    await client.post("/login", json={"email": ADA, "password": "wrong secret"})
    logged = "".join(capsys.readouterr())

    assert "login.started" in logged
    for secret in (token, cookie, PASSWORD, "wrong secret"):
        assert secret not in logged


async def test_a_socket_knows_who_opens_it_and_closes_for_nobody(app: FastAPI, accounts: Accounts) -> None:
    @app.websocket("/socket")
    async def socket(socket: WebSocket, principal: Annotated[Principal, Depends(signed_in_now)]) -> None:
        await socket.accept()
        await socket.send_text(principal.email)
        await socket.close()

    await accounts.create_user(ADA, "Ada", PASSWORD)
    _, cookie = await accounts.sign_in(ADA, PASSWORD, address="192.0.2.7", agent="")
    token = await accounts.create_token(ADA, "laptop")

    async def opened(**headers: str) -> list[Message]:
        sent: list[Message] = []
        raw = [(key.encode(), value.encode()) for key, value in headers.items()]

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            sent.append(message)

        query = f"token={token}".encode()
        scope = {"type": "websocket", "scheme": "ws", "path": "/socket", "headers": raw, "query_string": query}
        await app(scope, receive, send)
        return sent

    for headers in ({"cookie": f"collegium={cookie}"}, {"authorization": f"Bearer {token}"}):
        _, text, _ = await opened(**headers)
        assert text["text"] == ADA
    for headers in ({}, {"cookie": "collegium=wrong"}, {"authorization": "Bearer col_wrong"}):
        _, closed = await opened(**headers)
        assert (closed["type"], closed["code"]) == ("websocket.close", 4401)
