"""The tables of users, logins, tokens and the first administrator's link, and their statements."""

from collections.abc import Iterable
from functools import cache
from typing import Any

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Boolean,
    Column,
    CompoundSelect,
    ForeignKey,
    Row,
    Select,
    String,
    Table,
    bindparam,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.model import Login, Principal, Token, User
from collegium.ground.db import metadata
from collegium.ground.ids import LoginId, TokenId, UserId

users = Table(
    "users",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("email", String(254), nullable=False),
    Column("email_key", String(320), nullable=True, unique=True),
    Column("name", String(100), nullable=False),
    Column("password", String(256), nullable=True),
    Column("admin", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("removed_at", BigInteger, nullable=True),
)
"""A removed user keeps the row, for what others see of the past, and loses `email_key` and `password`."""

logins = Table(
    "logins",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("user", String(22), ForeignKey("users.id"), nullable=False, index=True),
    Column("secret_hash", String(64), nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("address", String(64), nullable=False),
    Column("agent", String(256), nullable=False),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("user", String(22), ForeignKey("users.id"), nullable=False, index=True),
    Column("name", String(100), nullable=False),
    Column("secret_hash", String(64), nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger, nullable=True),
    Column("expires_at", BigInteger, nullable=True),
)

setup_links = Table(
    "setup_links",
    metadata,
    Column("secret_hash", String(64), primary_key=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
)


def user_from(row: Row[Any]) -> User:
    """A row of `users`."""
    return User(UserId(row.id), row.email, row.name, bool(row.admin), removed=row.removed_at is not None)


# --- users ---------------------------------------------------------------------------------------


async def insert_user(tx: AsyncConnection, user: User, *, key: str, password: str | None, now_ms: int) -> None:
    """Raises IntegrityError if the address is taken."""
    row = {"id": user.id, "email": user.email, "email_key": key, "name": user.name, "admin": user.admin}
    await tx.execute(insert(users).values(**row, password=password, created_at=now_ms))


async def any_user(tx: AsyncConnection) -> bool:
    """Whether there is, or ever was, an account."""
    return (await tx.execute(select(users.c.id).limit(1))).first() is not None


async def user_by_key(tx: AsyncConnection, key: str) -> tuple[User, str | None] | None:
    """The user with this address and the hash of their password."""
    row = (await tx.execute(select(users).where(users.c.email_key == key))).one_or_none()
    return None if row is None else (user_from(row), row.password)


async def user_by_id(tx: AsyncConnection, user: UserId) -> tuple[User, str | None] | None:
    """The user, unless removed, and the hash of their password."""
    found = select(users).where(users.c.id == user, users.c.removed_at.is_(None))
    row = (await tx.execute(found)).one_or_none()
    return None if row is None else (user_from(row), row.password)


async def users_by_ids(tx: AsyncConnection, ids: Iterable[UserId]) -> dict[UserId, User]:
    """These users, removed ones too."""
    rows = await tx.execute(select(users).where(users.c.id.in_(list(ids))))
    return {UserId(row.id): user_from(row) for row in rows}


async def all_users(tx: AsyncConnection) -> list[User]:
    """Everybody who has an account now, oldest first."""
    rows = await tx.execute(select(users).where(users.c.removed_at.is_(None)).order_by(users.c.created_at))
    return [user_from(row) for row in rows]


async def set_password(tx: AsyncConnection, user: UserId, password: str) -> None:
    """Replace the hash of a user's password."""
    await tx.execute(update(users).where(users.c.id == user).values(password=password))


async def mark_removed(tx: AsyncConnection, user: UserId, now_ms: int) -> None:
    """The account is gone; its address is free again."""
    gone = update(users).where(users.c.id == user)
    await tx.execute(gone.values(removed_at=now_ms, email_key=None, password=None, admin=False))


# --- logins --------------------------------------------------------------------------------------


async def insert_login(tx: AsyncConnection, login: Login, secret_hash: str) -> None:
    """Keep a new login."""
    row = {"id": login.id, "user": login.user, "created_at": login.created_at, "seen_at": login.seen_at}
    rest = {"expires_at": login.expires_at, "address": login.address, "agent": login.agent}
    await tx.execute(insert(logins).values(secret_hash=secret_hash, **row, **rest))


def _living_login(now_ms: Any, idle_ms: Any) -> Any:
    return (logins.c.expires_at > now_ms) & (logins.c.seen_at > now_ms - idle_ms)


def _principals() -> Select[Any]:
    who = (users.c.id.label("user"), users.c.name.label("user_name"), users.c.email, users.c.admin)
    return select(*who).where(users.c.removed_at.is_(None))


# Statements that every request runs are made once: to make one takes longer than to run it.
_NOW, _IDLE = bindparam("now", type_=BigInteger), bindparam("idle", type_=BigInteger)


@cache
def _holder_of_login() -> Select[Any]:
    found = _principals().add_columns(logins.c.id.label("login"), logins.c.seen_at).join(logins)
    return found.where(logins.c.secret_hash == bindparam("secret_hash"), _living_login(_NOW, _IDLE))


def principal_by_login(tx: Connection, secret_hash: str, *, now_ms: int, idle_ms: int) -> tuple[Principal, int] | None:
    """Who holds the cookie, and when it was last seen."""
    asked = {"secret_hash": secret_hash, "now": now_ms, "idle": idle_ms}
    row = tx.execute(_holder_of_login(), asked).one_or_none()
    if row is None:
        return None
    user = UserId(row.user)
    return Principal(user, row.user_name, row.email, bool(row.admin), login=LoginId(row.login)), row.seen_at


async def logins_of(tx: AsyncConnection, user: UserId, *, now_ms: int, idle_ms: int) -> list[Login]:
    """A user's living logins, the last seen first."""
    found = select(logins).where(logins.c.user == user, _living_login(now_ms, idle_ms))
    rows = await tx.execute(found.order_by(logins.c.seen_at.desc(), logins.c.id))
    return [
        Login(LoginId(row.id), UserId(row.user), row.created_at, row.seen_at, row.expires_at, row.address, row.agent)
        for row in rows
    ]


async def login_seen(tx: AsyncConnection, login: LoginId, now_ms: int) -> None:
    """The login was used."""
    await tx.execute(update(logins).where(logins.c.id == login).values(seen_at=now_ms))


async def delete_logins(
    tx: AsyncConnection, user: UserId, *, only: LoginId | None = None, but: LoginId | None = None
) -> list[LoginId]:
    """End a user's logins: all, one, or all but one. Returns those that were ended."""
    which = logins.c.user == user
    if only is not None:
        which &= logins.c.id == only
    if but is not None:
        which &= logins.c.id != but
    rows = await tx.execute(delete(logins).where(which).returning(logins.c.id))
    return [LoginId(row.id) for row in rows]


async def delete_dead_logins(tx: AsyncConnection, *, now_ms: int, idle_ms: int) -> None:
    """Forget what has expired."""
    await tx.execute(delete(logins).where(or_(logins.c.expires_at <= now_ms, logins.c.seen_at <= now_ms - idle_ms)))


async def count_logins(tx: AsyncConnection, user: UserId) -> int:
    """How many logins a user has."""
    return int((await tx.execute(select(func.count()).where(logins.c.user == user))).scalar_one())


async def oldest_login(tx: AsyncConnection, user: UserId) -> LoginId:
    """The login that was not seen for the longest time."""
    found = select(logins.c.id).where(logins.c.user == user).order_by(logins.c.seen_at, logins.c.id).limit(1)
    return LoginId((await tx.execute(found)).scalar_one())


@cache
def _living() -> CompoundSelect[Any]:
    wanted: BindParameter[Any] = bindparam("ids", expanding=True)
    kept = users.c.removed_at.is_(None)
    by_login = select(logins.c.id).join(users).where(logins.c.id.in_(wanted), _living_login(_NOW, _IDLE), kept)
    by_token = select(tokens.c.id).join(users).where(tokens.c.id.in_(wanted), _living_token(_NOW), kept)
    return by_login.union_all(by_token)


def living(tx: Connection, ids: Iterable[str], *, now_ms: int, idle_ms: int) -> set[str]:
    """Which of these logins and tokens still hold."""
    return {str(row.id) for row in tx.execute(_living(), {"ids": list(ids), "now": now_ms, "idle": idle_ms})}


# --- tokens --------------------------------------------------------------------------------------


async def insert_token(tx: AsyncConnection, token: Token, secret_hash: str) -> None:
    """Keep a new token."""
    row = {"id": token.id, "user": token.user, "name": token.name, "created_at": token.created_at}
    await tx.execute(insert(tokens).values(secret_hash=secret_hash, expires_at=token.expires_at, **row))


def _living_token(now_ms: Any) -> Any:
    return or_(tokens.c.expires_at.is_(None), tokens.c.expires_at > now_ms)


@cache
def _holder_of_token() -> Select[Any]:
    found = _principals().add_columns(tokens.c.id.label("token"), tokens.c.seen_at).join(tokens)
    return found.where(tokens.c.secret_hash == bindparam("secret_hash"), _living_token(_NOW))


def principal_by_token(tx: Connection, secret_hash: str, *, now_ms: int) -> tuple[Principal, int] | None:
    """Who holds the token, and when it was last seen (0: never)."""
    row = tx.execute(_holder_of_token(), {"secret_hash": secret_hash, "now": now_ms}).one_or_none()
    if row is None:
        return None
    user = UserId(row.user)
    return Principal(user, row.user_name, row.email, bool(row.admin), token=TokenId(row.token)), row.seen_at or 0


async def tokens_of(tx: AsyncConnection, user: UserId) -> list[Token]:
    """A user's tokens, expired ones too, the newest first."""
    rows = await tx.execute(
        select(tokens).where(tokens.c.user == user).order_by(tokens.c.created_at.desc(), tokens.c.id)
    )
    return [
        Token(TokenId(row.id), UserId(row.user), row.name, row.created_at, row.seen_at, row.expires_at) for row in rows
    ]


async def token_seen(tx: AsyncConnection, token: TokenId, now_ms: int) -> None:
    """The token was used."""
    await tx.execute(update(tokens).where(tokens.c.id == token).values(seen_at=now_ms))


async def delete_tokens(tx: AsyncConnection, user: UserId, *, only: TokenId | None = None) -> list[TokenId]:
    """Revoke a user's tokens: all, or one. Returns those that were revoked."""
    which = tokens.c.user == user
    if only is not None:
        which &= tokens.c.id == only
    rows = await tx.execute(delete(tokens).where(which).returning(tokens.c.id))
    return [TokenId(row.id) for row in rows]


# --- the first administrator ---------------------------------------------------------------------


async def replace_setup_link(tx: AsyncConnection, secret_hash: str, *, now_ms: int, expires_at: int) -> None:
    """From now on only this link works."""
    await tx.execute(delete(setup_links))
    await tx.execute(insert(setup_links).values(secret_hash=secret_hash, created_at=now_ms, expires_at=expires_at))


async def setup_link_holds(tx: AsyncConnection, secret_hash: str, now_ms: int) -> bool:
    """Whether this link would work now."""
    found = select(setup_links.c.secret_hash).where(
        setup_links.c.secret_hash == secret_hash, setup_links.c.expires_at > now_ms
    )
    return (await tx.execute(found)).first() is not None


async def consume_setup_link(tx: AsyncConnection, secret_hash: str, now_ms: int) -> bool:
    """Use the link up. Whether it was there to be used."""
    used = delete(setup_links).where(setup_links.c.secret_hash == secret_hash, setup_links.c.expires_at > now_ms)
    return bool((await tx.execute(used)).rowcount)
