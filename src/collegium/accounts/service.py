"""Signing in and out, users and their tokens, and who a request comes from."""

from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta

import anyio
from sqlalchemy.exc import IntegrityError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.requests import HTTPConnection

from collegium.accounts import store
from collegium.accounts.model import (
    ADDRESS_LENGTH_MAX,
    AGENT_LENGTH_MAX,
    GUEST,
    TOKEN_PREFIX,
    Login,
    Patience,
    Principal,
    Token,
    User,
    clipped,
    email_key,
    hash_of,
    network_of,
    new_secret,
    new_token_secret,
    normal_password,
    parsed_email,
    parsed_name,
    parsed_password,
    patience_at,
    seconds_until_one,
    taken,
)
from collegium.accounts.ports import Passwords
from collegium.accounts.preferences_store import delete_preferences
from collegium.accounts.settings import AccountsSettings
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import (
    CollegiumError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    NotSignedIn,
    StorageFull,
    TooMany,
)
from collegium.ground.ids import LoginId, TokenId, UserId, new_id
from collegium.ground.log import get_log

log = get_log("accounts")

SEEN_EVERY_MS = 5 * 60_000
LOGINS_PER_USER_MAX = 100
TOKENS_PER_USER_MAX = 100
REMEMBERED_MAX = 20_000
SECRET_LENGTH_MAX = 200
TOKEN_DAYS_MAX = 3650


def signed_in(connection: HTTPConnection) -> Principal:
    """FastAPI dependency, for HTTP and WebSocket: who makes this request. Raises NotSignedIn for nobody."""
    principal = connection.scope.get("state", {}).get("principal")
    if not isinstance(principal, Principal):
        raise NotSignedIn("Please sign in.")
    return principal


def visitor(connection: HTTPConnection) -> Principal:
    """FastAPI dependency, for what a link may open to anyone: who makes this request, or else GUEST."""
    principal = connection.scope.get("state", {}).get("principal")
    return principal if isinstance(principal, Principal) else GUEST


def signed_in_admin(connection: HTTPConnection) -> Principal:
    """FastAPI dependency: an administrator. Raises NotSignedIn or Forbidden."""
    principal = signed_in(connection)
    if not principal.admin:
        raise Forbidden("Only an administrator may do this.")
    return principal


class Restraint:
    """Bears a number of failures per key within a window. Remembers a bounded number of keys, the latest."""

    def __init__(self, failures_max: int, window: timedelta) -> None:
        self._failures_max = failures_max
        self._window_ms = int(window.total_seconds() * 1000)
        self._known: OrderedDict[str, Patience] = OrderedDict()

    def wait_seconds(self, key: str) -> int:
        """How long until one more try is borne; 0: now."""
        return seconds_until_one(self._now(key), failures_max=self._failures_max, window_ms=self._window_ms)

    def take(self, key: str) -> None:
        """Count a try, before it is known whether it fails: a hundred at once are a hundred."""
        self._known[key] = taken(self._now(key))
        self._known.move_to_end(key)
        while len(self._known) > REMEMBERED_MAX:
            self._known.popitem(last=False)

    def forgive(self, key: str) -> None:
        """The try succeeded: it does not count."""
        patience = self._now(key)
        self._known[key] = Patience(min(float(self._failures_max), patience.left + 1), patience.at_ms)

    def _now(self, key: str) -> Patience:
        known = self._known.get(key)
        return patience_at(known, now_ms(), failures_max=self._failures_max, window_ms=self._window_ms)


class Accounts:
    """Users, the logins and tokens they hold, and those who wait for one of these to end."""

    def __init__(self, database: Database, passwords: Passwords, settings: AccountsSettings) -> None:
        self._database = database
        self._passwords = passwords
        self.settings = settings
        self._idle_ms = _ms(settings.login_idle_lifetime)
        self._by_address = Restraint(settings.sign_in_failures_per_address, settings.sign_in_window)
        self._by_email = Restraint(settings.sign_in_failures_per_email, settings.sign_in_window)
        self._waiting: dict[str, set[anyio.Event]] = {}
        self._doubted = anyio.Event()
        self.on_end: Callable[[], None] | None = None
        """Called after logins or tokens were ended here; other processes may have sockets of theirs."""

    # --- who asks --------------------------------------------------------------------------------

    async def principal_by_cookie(self, secret: str) -> Principal | None:
        """Who holds this login's secret; None: nobody, or not any more."""
        if not 0 < len(secret) <= SECRET_LENGTH_MAX:
            return None
        now = now_ms()
        login, idle = hash_of(secret), self._idle_ms
        found = await self._database.glance(lambda tx: store.principal_by_login(tx, login, now_ms=now, idle_ms=idle))
        if found is None:
            return None
        principal, seen_at = found
        if now - seen_at >= min(SEEN_EVERY_MS, self._idle_ms // 10):
            await self._seen(principal, now)
        return principal

    async def principal_by_token(self, secret: str) -> Principal | None:
        """Who holds this API token; None: nobody, or not any more."""
        if not secret.startswith(TOKEN_PREFIX) or len(secret) > SECRET_LENGTH_MAX:
            return None
        now = now_ms()
        token = hash_of(secret)
        found = await self._database.glance(lambda tx: store.principal_by_token(tx, token, now_ms=now))
        if found is None:
            return None
        principal, seen_at = found
        if now - seen_at >= SEEN_EVERY_MS:
            await self._seen(principal, now)
        return principal

    async def _seen(self, principal: Principal, now: int) -> None:
        try:
            async with self._database.write() as tx:
                if principal.login is not None:
                    await store.login_seen(tx, principal.login, now)
                if principal.token is not None:
                    await store.token_seen(tx, principal.token, now)
        except (StorageFull, SQLAlchemyError) as error:
            # Who is signed in may still read: a full or busy disk costs them only this note.
            log.warning("login.seen_lost", user=principal.user, error=type(error).__name__)

    @asynccontextmanager
    async def ended(self, principal: Principal) -> AsyncIterator[anyio.Event]:
        """An event that is set as soon as this login or token has ended: sockets wait for it, and close.

        It is set within `watch_interval` even if another process ended it, or its time ran out. A guest has no login
        that could end.
        """
        if principal.guest:
            yield anyio.Event()
            return
        key = _credential(principal)
        event = anyio.Event()
        self._waiting.setdefault(key, set()).add(event)
        try:
            # It may have ended after this request was let in and before it began to wait here.
            now, idle = now_ms(), self._idle_ms
            if not await self._database.glance(lambda tx: store.living(tx, [key], now_ms=now, idle_ms=idle)):
                event.set()
            yield event
        finally:
            self._waiting[key].discard(event)
            if not self._waiting[key]:
                del self._waiting[key]

    async def watch(self) -> None:
        """Set the events of what ended by age or elsewhere, for as long as the server runs."""
        while True:
            with anyio.move_on_after(self.settings.watch_interval.total_seconds()):
                await self._doubted.wait()
            self._doubted = anyio.Event()
            try:
                await self._end_what_is_gone()
            except (CollegiumError, SQLAlchemyError) as error:
                # A database that is busy or away for once costs a round, not the server.
                log.warning("logins.unwatched", exc_info=error)

    async def _end_what_is_gone(self) -> None:
        waiting = list(self._waiting)
        for start in range(0, len(waiting), 500):
            some = waiting[start : start + 500]
            async with self._database.read() as tx:
                living = await tx.run_sync(store.living, some, now_ms=now_ms(), idle_ms=self._idle_ms)
            self._close(key for key in some if key not in living)

    def look_again(self) -> None:
        """Logins may have ended at another process: look now, and not only in a while."""
        self._doubted.set()

    def _end(self, credentials: Iterable[str]) -> None:
        self._close(credentials)
        if self.on_end is not None:
            self.on_end()

    def _close(self, credentials: Iterable[str]) -> None:
        for credential in credentials:
            for event in self._waiting.get(credential, ()):
                event.set()

    # --- signing in and out ----------------------------------------------------------------------

    async def sign_in(self, email: str, password: str, *, address: str, agent: str) -> tuple[User, str]:
        """A new login and the secret for its cookie.

        Raises NotSignedIn alike for a wrong password and for an unknown address, after the same work, and TooMany
        after too many failures from one address or for one e-mail.
        """
        key, password, network = email_key(email), normal_password(password), network_of(address)
        self._refuse_impatience(network, key)
        self._by_address.take(network)
        self._by_email.take(key)
        async with self._database.read() as tx:
            found = await store.user_by_key(tx, key)
        user, password_hash = found or (None, None)
        right = await self._passwords.verify(password_hash, password)
        if user is None or password_hash is None or not right:
            log.info("login.refused", address=address)
            raise NotSignedIn("This e-mail address and password do not belong together.", code="wrong_credentials")
        self._by_address.forgive(network)
        self._by_email.forgive(key)
        if self._passwords.outdated(password_hash):
            password_hash = await self._strengthen(user.id, password_hash, password)
        return user, await self._begin_login(user.id, password_hash, address=address, agent=agent)

    def _refuse_impatience(self, network: str | None, key: str | None) -> None:
        by_address = 0 if network is None else self._by_address.wait_seconds(network)
        wait = max(by_address, 0 if key is None else self._by_email.wait_seconds(key))
        if wait:
            log.info("login.delayed", network=network)
            detail = f"Too many failed attempts. Please wait {wait} seconds."
            raise TooMany(detail, why="many_attempts", retry_after=wait)

    async def _strengthen(self, user: UserId, old: str, password: str) -> str:
        new = await self._passwords.hash(password)
        async with self._database.write() as tx:
            found = await store.user_by_id(tx, user)
            if found is None or found[1] != old:
                return old
            await store.set_password(tx, user, new)
        return new

    async def _begin_login(self, user: UserId, password_hash: str, *, address: str, agent: str) -> str:
        async with self._database.write() as tx:
            found = await store.user_by_id(tx, user)
            # The password was checked outside this transaction, and may have been changed since.
            if found is None or found[1] != password_hash:
                raise NotSignedIn("This e-mail address and password do not belong together.", code="wrong_credentials")
            return await self._insert_login(tx, user, address=address, agent=agent)

    async def _insert_login(self, tx: AsyncConnection, user: UserId, *, address: str, agent: str) -> str:
        now = now_ms()
        await store.delete_dead_logins(tx, now_ms=now, idle_ms=self._idle_ms)
        while await store.count_logins(tx, user) >= LOGINS_PER_USER_MAX:
            self._end(await store.delete_logins(tx, user, only=await store.oldest_login(tx, user)))
        secret = new_secret()
        login = Login(
            LoginId(new_id()),
            user,
            created_at=now,
            seen_at=now,
            expires_at=now + _ms(self.settings.login_lifetime),
            address=clipped(address, ADDRESS_LENGTH_MAX),
            agent=clipped(agent, AGENT_LENGTH_MAX),
        )
        await store.insert_login(tx, login, hash_of(secret))
        log.info("login.started", user=user, login=login.id, address=login.address)
        return secret

    async def sign_out(self, principal: Principal) -> None:
        """End the login this request was made with. Raises Forbidden for a token: that is revoked instead."""
        await self.end_login(principal.user, _own_login(principal))

    async def end_replaced_login(self, secret: str) -> None:
        """End the login with this secret, if there is one: the browser that held it has a new one."""
        former = await self.principal_by_cookie(secret)
        if former is not None:
            async with self._database.write() as tx:
                ended = await store.delete_logins(tx, former.user, only=former.login)
            self._end(ended)

    async def end_login(self, user: UserId, login: LoginId) -> None:
        """End one of a user's logins, and close its sockets. Raises NotFound."""
        async with self._database.write() as tx:
            ended = await store.delete_logins(tx, user, only=login)
        if not ended:
            raise NotFound("There is no such login.")
        self._end(ended)
        log.info("login.ended", user=user, login=login)

    async def logins(self, user: UserId) -> list[Login]:
        """The places where a user is signed in, the last used first."""
        async with self._database.read() as tx:
            return await store.logins_of(tx, user, now_ms=now_ms(), idle_ms=self._idle_ms)

    async def change_password(self, principal: Principal, current: str, new: str) -> None:
        """Set a new password and end every other login. Raises Forbidden if the current one is wrong."""
        own = _own_login(principal)
        new = parsed_password(new)
        key = email_key(principal.email)
        self._refuse_impatience(None, key)
        self._by_email.take(key)
        async with self._database.read() as tx:
            found = await store.user_by_id(tx, principal.user)
        old_hash = found[1] if found else None
        if not await self._passwords.verify(old_hash, normal_password(current)):
            raise Forbidden("The current password is wrong.", code="wrong_password")
        self._by_email.forgive(key)
        new_hash = await self._passwords.hash(new)
        async with self._database.write() as tx:
            found = await store.user_by_id(tx, principal.user)
            if found is None or found[1] != old_hash:
                raise Conflict("The password was changed elsewhere at this moment.")
            await store.set_password(tx, principal.user, new_hash)
            ended = await store.delete_logins(tx, principal.user, but=own)
        self._end(ended)
        log.info("password.changed", user=principal.user, logins_ended=len(ended))

    # --- tokens ----------------------------------------------------------------------------------

    async def create_token(self, email: str, name: str, *, days: int | None = None) -> str:
        """A new API token for the user with this address. Its secret is shown this once. Raises NotFound."""
        user = await self.user_by_email(email)
        _, secret = await self.create_token_for(user.id, name, days=days)
        return secret

    async def create_token_for(self, user: UserId, name: str, *, days: int | None = None) -> tuple[Token, str]:
        """A new token and its secret, which is kept only as a hash. Raises Conflict if there are too many."""
        if days is not None and not 1 <= days <= TOKEN_DAYS_MAX:
            raise Invalid(f"A token holds for 1 to {TOKEN_DAYS_MAX} days.", field="days")
        now, secret = now_ms(), new_token_secret()
        expires_at = None if days is None else now + _ms(timedelta(days=days))
        token = Token(TokenId(new_id()), user, parsed_name(name), now, seen_at=None, expires_at=expires_at)
        async with self._database.write() as tx:
            if len(await store.tokens_of(tx, user)) >= TOKENS_PER_USER_MAX:
                most = TOKENS_PER_USER_MAX
                raise Conflict(f"There are {most} tokens already. Revoke one first.", why="many_tokens", most=most)
            await store.insert_token(tx, token, hash_of(secret))
        log.info("token.created", user=user, token=token.id)
        return token, secret

    async def create_own_token(self, principal: Principal, name: str, *, days: int | None) -> tuple[Token, str]:
        """Raises Forbidden for a token: one that leaked must not be able to outlive its revocation."""
        _own_login(principal)
        return await self.create_token_for(principal.user, name, days=days)

    async def tokens(self, user: UserId) -> list[Token]:
        """A user's tokens, without their secrets."""
        async with self._database.read() as tx:
            return await store.tokens_of(tx, user)

    async def revoke_token(self, user: UserId, token: TokenId) -> None:
        """The token no longer holds, and its sockets close. Raises NotFound."""
        async with self._database.write() as tx:
            revoked = await store.delete_tokens(tx, user, only=token)
        if not revoked:
            raise NotFound("There is no such token.")
        self._end(revoked)
        log.info("token.revoked", user=user, token=token)

    # --- users -----------------------------------------------------------------------------------

    async def create_user(self, email: str, name: str, password: str, *, admin: bool = False) -> User:
        """Raises Invalid for a bad address, name or password, and Conflict if the address is taken."""
        user = User(UserId(new_id()), parsed_email(email), parsed_name(name), admin)
        password_hash = await self._passwords.hash(parsed_password(password))
        async with self._database.write() as tx:
            await _insert_user(tx, user, password_hash)
        return user

    async def reset_password(self, email: str, new: str) -> None:
        """Set the password of somebody who forgot it, and end all their logins. Raises NotFound, Invalid."""
        user = await self.user_by_email(email)
        new_hash = await self._passwords.hash(parsed_password(new))
        async with self._database.write() as tx:
            await store.set_password(tx, user.id, new_hash)
            ended = await store.delete_logins(tx, user.id)
        self._end(ended)
        log.info("password.reset", user=user.id, logins_ended=len(ended))

    async def remove_user(self, email: str) -> None:
        """End all logins and tokens, and forget the password and settings. What they own stays. Raises NotFound."""
        user = await self.user_by_email(email)
        async with self._database.write() as tx:
            ended = [*await store.delete_logins(tx, user.id), *await store.delete_tokens(tx, user.id)]
            await delete_preferences(tx, user.id)
            await store.mark_removed(tx, user.id, now_ms())
        self._end(ended)
        log.info("user.removed", user=user.id)

    async def user_by_email(self, email: str) -> User:
        """Raises NotFound, with a text for the person who typed the address."""
        async with self._database.read() as tx:
            found = await store.user_by_key(tx, email_key(email))
        if found is None:
            raise NotFound("Nobody here has this e-mail address.", why="unknown_email")
        return found[0]

    async def users(self) -> list[User]:
        """Everybody who has an account."""
        async with self._database.read() as tx:
            return await store.all_users(tx)

    async def users_by_ids(self, ids: Iterable[UserId]) -> dict[UserId, User]:
        """These users by id; removed ones keep their name."""
        wanted = set(ids)
        if not wanted:
            return {}
        async with self._database.read() as tx:
            return await store.users_by_ids(tx, wanted)

    # --- the first administrator -----------------------------------------------------------------

    async def setup_link(self) -> str | None:
        """The secret of a new one-time link for the first administrator (`/welcome#SECRET`); older ones end.

        None if there is, or ever was, a user.
        """
        secret, now = new_secret(), now_ms()
        async with self._database.write() as tx:
            if await store.any_user(tx):
                return None
            expires_at = now + _ms(self.settings.setup_link_lifetime)
            await store.replace_setup_link(tx, hash_of(secret), now_ms=now, expires_at=expires_at)
        return secret

    async def sign_in_by_link(
        self, secret: str, *, email: str, name: str, password: str, address: str, agent: str
    ) -> tuple[User, str]:
        """The first administrator's account and login. Uses the link up. Raises Forbidden if it does not hold."""
        refused = Forbidden("This link was used already, or is too old. A restart prints a new one.", code="bad_link")
        network = network_of(address)
        self._refuse_impatience(network, None)
        self._by_address.take(network)
        async with self._database.read() as tx:
            # Looked up before the slow hash, so that a stranger cannot make the server work.
            if not await store.setup_link_holds(tx, hash_of(secret), now_ms()):
                raise refused
        user = User(UserId(new_id()), parsed_email(email), parsed_name(name), admin=True)
        password_hash = await self._passwords.hash(parsed_password(password))
        async with self._database.write() as tx:
            if not await store.consume_setup_link(tx, hash_of(secret), now_ms()) or await store.any_user(tx):
                raise refused
            await _insert_user(tx, user, password_hash)
            login_secret = await self._insert_login(tx, user.id, address=address, agent=agent)
        self._by_address.forgive(network)
        return user, login_secret


@asynccontextmanager
async def open_accounts(
    database: Database, passwords: Passwords, settings: AccountsSettings
) -> AsyncIterator[Accounts]:
    """The accounts, and the task that notices what ended by age or elsewhere."""
    accounts = Accounts(database, passwords, settings)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(accounts.watch)
        try:
            yield accounts
        finally:
            tasks.cancel_scope.cancel()


async def _insert_user(tx: AsyncConnection, user: User, password_hash: str) -> None:
    try:
        await store.insert_user(tx, user, key=email_key(user.email), password=password_hash, now_ms=now_ms())
    except IntegrityError as error:
        raise Conflict("There is an account with this e-mail address already.", code="email_taken") from error
    log.info("user.created", user=user.id, admin=user.admin)


def _own_login(principal: Principal) -> LoginId:
    if principal.login is None:
        raise Forbidden("This needs a login; an API token may not do it.", code="login_needed")
    return principal.login


def _credential(principal: Principal) -> str:
    credential = principal.login or principal.token
    assert credential is not None, "a principal comes from a login or a token"
    return credential


def _ms(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)
