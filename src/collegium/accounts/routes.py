"""The API of signing in, and the middleware that finds out who makes a request."""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, SecretStr
from starlette.requests import HTTPConnection, cookie_parser
from starlette.types import ASGIApp, Receive, Scope, Send

from collegium.accounts.model import (
    EMAIL_LENGTH_MAX,
    NAME_LENGTH_MAX,
    PASSWORD_LENGTH_MAX,
    Principal,
    User,
    color_of,
)
from collegium.accounts.service import SECRET_LENGTH_MAX, TOKEN_DAYS_MAX, Accounts, signed_in
from collegium.ground.errors import CollegiumError
from collegium.ground.http import header, refuse
from collegium.ground.ids import LoginId, TokenId, UserId

COOKIE_LENGTH_MAX = 8192

Email = Annotated[str, Field(min_length=1, max_length=EMAIL_LENGTH_MAX)]
Name = Annotated[str, Field(min_length=1, max_length=NAME_LENGTH_MAX)]
Password = Annotated[SecretStr, Field(min_length=1, max_length=PASSWORD_LENGTH_MAX)]
Id = Annotated[str, Field(max_length=64)]


class Me(BaseModel):
    """Who is signed in."""

    id: str
    name: str
    email: str
    color: str = Field(description="The colour of this user's cursor and avatar, everywhere.")
    admin: bool


class SignInRequest(BaseModel):
    """What the sign-in page sends."""

    email: Email
    password: Password


class WelcomeRequest(BaseModel):
    """What the first administrator sends, once."""

    secret: Annotated[SecretStr, Field(min_length=1, max_length=SECRET_LENGTH_MAX)]
    name: Name
    email: Email
    password: Password


class SignedIn(BaseModel):
    """Sign-in succeeded; the cookie came with this answer."""

    user: Me


class PasswordChange(BaseModel):
    """The password now, and the one to be."""

    current: Password
    new: Password


class LoginShown(BaseModel):
    """A place where the user is signed in."""

    id: str
    created_at: int
    seen_at: int
    address: str
    agent: str
    current: bool = Field(description="This very request was made with it.")


class TokenRequest(BaseModel):
    """A token to be made."""

    name: Name
    days: Annotated[int, Field(ge=1, le=TOKEN_DAYS_MAX)] | None = Field(
        default=None, description="How long it shall hold; without it, until it is revoked."
    )


class TokenShown(BaseModel):
    """A token, without its secret."""

    id: str
    name: str
    created_at: int
    used_at: int | None
    expires_at: int | None


class TokenCreated(BaseModel):
    """A new token. The secret is shown this once."""

    id: str
    name: str
    secret: str


def routes(accounts: Accounts) -> APIRouter:
    """Everything about one's own account, relative to /api/v1."""
    router = APIRouter(tags=["accounts"])
    router.include_router(_login_routes(accounts))
    router.include_router(_own_login_routes(accounts))
    router.include_router(_token_routes(accounts))
    return router


def _login_routes(accounts: Accounts) -> APIRouter:
    router = APIRouter()

    @router.post("/login", response_model=SignedIn, summary="Sign in")
    async def sign_in(body: SignInRequest, request: Request, response: Response) -> SignedIn:
        user, secret = await accounts.sign_in(
            body.email, body.password.get_secret_value(), address=address_of(request, accounts), agent=_agent(request)
        )
        await _end_former_login(request, accounts)
        _set_cookie(request, response, accounts, secret)
        return SignedIn(user=_me(user))

    @router.post("/login/link", response_model=SignedIn, summary="Sign in as the first administrator, once")
    async def sign_in_by_link(body: WelcomeRequest, request: Request, response: Response) -> SignedIn:
        user, secret = await accounts.sign_in_by_link(
            body.secret.get_secret_value(),
            email=body.email,
            name=body.name,
            password=body.password.get_secret_value(),
            address=address_of(request, accounts),
            agent=_agent(request),
        )
        _set_cookie(request, response, accounts, secret)
        return SignedIn(user=_me(user))

    @router.delete("/login", status_code=204, summary="Sign out")
    async def sign_out(request: Request, principal: Annotated[Principal, Depends(signed_in)]) -> Response:
        await accounts.sign_out(principal)
        response = Response(status_code=204)
        name, secure = cookie_of(request, trust_proxy=accounts.settings.trust_proxy)
        response.delete_cookie(name, path="/", secure=secure, httponly=True, samesite="lax")
        return response

    return router


def _own_login_routes(accounts: Accounts) -> APIRouter:
    router = APIRouter()

    @router.get("/me", response_model=Me, summary="Who is signed in")
    async def read_me(principal: Annotated[Principal, Depends(signed_in)]) -> Me:
        return _me(principal)

    @router.put("/me/password", status_code=204, summary="Change the password, and end all other logins")
    async def change_password(body: PasswordChange, principal: Annotated[Principal, Depends(signed_in)]) -> None:
        await accounts.change_password(principal, body.current.get_secret_value(), body.new.get_secret_value())

    @router.get("/me/logins", response_model=list[LoginShown], summary="Where one is signed in")
    async def list_logins(principal: Annotated[Principal, Depends(signed_in)]) -> list[LoginShown]:
        return [
            LoginShown(
                id=login.id,
                created_at=login.created_at,
                seen_at=login.seen_at,
                address=login.address,
                agent=login.agent,
                current=login.id == principal.login,
            )
            for login in await accounts.logins(principal.user)
        ]

    @router.delete("/me/logins/{login}", status_code=204, summary="End a login, and close its sockets")
    async def end_login(login: Id, principal: Annotated[Principal, Depends(signed_in)]) -> None:
        await accounts.end_login(principal.user, LoginId(login))

    return router


def _token_routes(accounts: Accounts) -> APIRouter:
    router = APIRouter()

    @router.get("/me/tokens", response_model=list[TokenShown], summary="One's API tokens")
    async def list_tokens(principal: Annotated[Principal, Depends(signed_in)]) -> list[TokenShown]:
        return [
            TokenShown(
                id=token.id,
                name=token.name,
                created_at=token.created_at,
                used_at=token.seen_at,
                expires_at=token.expires_at,
            )
            for token in await accounts.tokens(principal.user)
        ]

    @router.post("/me/tokens", status_code=201, response_model=TokenCreated, summary="Make an API token")
    async def create_token(body: TokenRequest, principal: Annotated[Principal, Depends(signed_in)]) -> TokenCreated:
        token, secret = await accounts.create_own_token(principal, body.name, days=body.days)
        return TokenCreated(id=token.id, name=token.name, secret=secret)

    @router.delete("/me/tokens/{token}", status_code=204, summary="Revoke an API token")
    async def revoke_token(token: Id, principal: Annotated[Principal, Depends(signed_in)]) -> None:
        await accounts.revoke_token(principal.user, TokenId(token))

    return router


class Authentication:
    """ASGI middleware: puts a Principal or None into `scope["state"]["principal"]`, for HTTP and WebSocket.

    An `Authorization` header is taken at its word: if what it holds is not valid, no cookie is looked at.
    """

    def __init__(self, app: ASGIApp, accounts: Accounts) -> None:
        self.app = app
        self.accounts = accounts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket"):
            try:
                scope.setdefault("state", {})["principal"] = await self._principal(scope)
            except CollegiumError as error:
                await refuse(scope, receive, send, error)
                return
        await self.app(scope, receive, send)

    async def _principal(self, scope: Scope) -> Principal | None:
        authorization = header(scope, b"authorization")
        if authorization is not None:
            scheme, _, secret = authorization.partition(" ")
            if scheme.lower() not in ("bearer", "token"):
                return None
            return await self.accounts.principal_by_token(secret.strip())
        cookie = _cookie_secret(HTTPConnection(scope), trust_proxy=self.accounts.settings.trust_proxy)
        return None if cookie is None else await self.accounts.principal_by_cookie(cookie)


def cookie_of(connection: HTTPConnection, *, trust_proxy: bool) -> tuple[str, bool]:
    """The name of the login cookie at this address, and whether it is sent over TLS only."""
    scheme: str = connection.scope["scheme"]
    if trust_proxy:
        scheme = _last(connection, "x-forwarded-proto") or scheme
    secure = scheme.lower() in ("https", "wss")
    return ("__Host-collegium", True) if secure else ("collegium", False)


def address_of(connection: HTTPConnection, accounts: Accounts) -> str:
    """The network address a request comes from: what the proxy in front says, if one is trusted."""
    forwarded = _last(connection, "x-forwarded-for") if accounts.settings.trust_proxy else None
    if forwarded:
        return forwarded
    return connection.client.host if connection.client else "local"


def _last(connection: HTTPConnection, name: str) -> str | None:
    """The part of a forwarding header that the nearest proxy wrote; what stands before it anybody could have sent."""
    values = connection.headers.getlist(name)
    return values[-1].rsplit(",", 1)[-1].strip() if values else None


def _agent(request: Request) -> str:
    return request.headers.get("user-agent", "")


def _cookie_secret(connection: HTTPConnection, *, trust_proxy: bool) -> str | None:
    name, _ = cookie_of(connection, trust_proxy=trust_proxy)
    text = connection.headers.get("cookie", "")
    return cookie_parser(text).get(name) if len(text) <= COOKIE_LENGTH_MAX else None


async def _end_former_login(request: Request, accounts: Accounts) -> None:
    """Signing in again in one browser replaces its login: nobody could reach the former one to end it."""
    secret = _cookie_secret(request, trust_proxy=accounts.settings.trust_proxy)
    if secret is not None:
        await accounts.end_replaced_login(secret)


def _set_cookie(request: Request, response: Response, accounts: Accounts, secret: str) -> None:
    name, secure = cookie_of(request, trust_proxy=accounts.settings.trust_proxy)
    samesite: Literal["lax"] = "lax"
    age = int(accounts.settings.login_lifetime.total_seconds())
    response.set_cookie(name, secret, max_age=age, path="/", secure=secure, httponly=True, samesite=samesite)


def _me(who: User | Principal) -> Me:
    user: UserId = who.user if isinstance(who, Principal) else who.id
    return Me(id=user, name=who.name, email=who.email, color=color_of(user), admin=who.admin)
