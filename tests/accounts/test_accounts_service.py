"""Logins, tokens, users, and those who wait for them to end."""

import time
from datetime import timedelta
from pathlib import Path

import anyio
import pytest
from argon2 import PasswordHasher
from sqlalchemy import update
from sqlalchemy.exc import OperationalError

from collegium.accounts import service as accounts_service
from collegium.accounts import store
from collegium.accounts.adapters import ASKING_MAX, Argon2Passwords
from collegium.accounts.model import Principal
from collegium.accounts.service import REMEMBERED_MAX, Accounts, Restraint
from collegium.accounts.settings import AccountsSettings
from collegium.ground.db import Database
from collegium.ground.errors import (
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    NotSignedIn,
    StorageFull,
    TooMany,
    Unavailable,
)
from collegium.ground.ids import LoginId

pytestmark = pytest.mark.anyio
ADA, PASSWORD = "ada@example.org", "correct horse"
FROM = {"address": "192.0.2.7", "agent": "Firefox"}


class CountedPasswords:
    """Real hashing that counts what it is asked."""

    def __init__(self, hasher: PasswordHasher) -> None:
        self.inner = Argon2Passwords(hasher)
        self.verified: list[bool] = []

    async def hash(self, password: str) -> str:
        return await self.inner.hash(password)

    async def verify(self, password_hash: str | None, password: str) -> bool:
        self.verified.append(password_hash is not None)
        return await self.inner.verify(password_hash, password)

    def outdated(self, password_hash: str) -> bool:
        return self.inner.outdated(password_hash)


async def ada_signed_in(accounts: Accounts, *, make: bool = True) -> Principal:
    if make:
        await accounts.create_user(ADA, "Ada", PASSWORD)
    _, secret = await accounts.sign_in(ADA, PASSWORD, **FROM)
    principal = await accounts.principal_by_cookie(secret)
    assert principal is not None
    return principal


async def test_a_login_knows_its_user_and_its_place(accounts: Accounts) -> None:
    principal = await ada_signed_in(accounts)
    (login,) = await accounts.logins(principal.user)

    assert (principal.name, principal.email, principal.admin) == ("Ada", ADA, False)
    assert login.id == principal.login
    assert (login.address, login.agent) == ("192.0.2.7", "Firefox")


async def test_nothing_that_is_kept_lets_anybody_in(accounts: Accounts, database: Database, tmp_path: Path) -> None:
    await accounts.create_user(ADA, "Ada", PASSWORD)
    _, cookie = await accounts.sign_in(ADA, PASSWORD, **FROM)
    token = await accounts.create_token(ADA, "laptop")
    async with database.read() as tx:
        kept = (await tx.exec_driver_sql("SELECT secret_hash FROM logins UNION SELECT secret_hash FROM tokens")).all()
    on_disk = b"".join(file.read_bytes() for file in tmp_path.glob("collegium.db*"))

    assert len(kept) == 2
    for secret in (cookie, token, PASSWORD):
        assert secret.encode() not in on_disk
    for (hashed,) in kept:
        assert await accounts.principal_by_cookie(hashed) is None
        assert await accounts.principal_by_token(hashed) is None


async def test_a_missing_account_is_answered_like_a_wrong_password(
    database: Database, passwords_hasher: PasswordHasher
) -> None:
    passwords = CountedPasswords(passwords_hasher)
    accounts = Accounts(database, passwords, AccountsSettings())
    await accounts.create_user(ADA, "Ada", PASSWORD)
    with pytest.raises(NotSignedIn) as wrong:
        await accounts.sign_in(ADA, "wrong", **FROM)
    with pytest.raises(NotSignedIn) as missing:
        await accounts.sign_in("nobody@example.org", "wrong", **FROM)

    assert passwords.verified == [True, False]
    assert (wrong.value.detail, wrong.value.code) == (missing.value.detail, missing.value.code)


async def test_an_unknown_account_costs_a_whole_hash(passwords_hasher: PasswordHasher) -> None:
    passwords = Argon2Passwords(passwords_hasher)

    assert not await passwords.verify(None, "nobody has this password")
    assert await passwords.verify(await passwords.hash("x"), "x")


async def test_too_many_failures_for_one_address_are_not_borne_and_tell_nothing(
    database: Database, passwords_hasher: PasswordHasher
) -> None:
    settings = AccountsSettings(sign_in_failures_per_email=3)
    accounts = Accounts(database, Argon2Passwords(passwords_hasher), settings)
    await accounts.create_user(ADA, "Ada", PASSWORD)
    for email in (ADA, "nobody@example.org"):
        for _ in range(3):
            with pytest.raises(NotSignedIn):
                await accounts.sign_in(email, "wrong", **FROM)

    details = set()
    for email in (ADA.upper(), "nobody@example.org"):
        with pytest.raises(TooMany) as refused:
            await accounts.sign_in(email, PASSWORD, **FROM)
        details.add(refused.value.detail)
        assert refused.value.extra["retry_after"] > 0
    assert len(details) == 1


async def test_too_many_failures_from_one_network_are_not_borne(
    database: Database, passwords_hasher: PasswordHasher
) -> None:
    settings = AccountsSettings(sign_in_failures_per_address=3)
    accounts = Accounts(database, Argon2Passwords(passwords_hasher), settings)
    await accounts.create_user(ADA, "Ada", PASSWORD)
    for number in range(3):
        with pytest.raises(NotSignedIn):
            await accounts.sign_in(f"x{number}@example.org", "wrong", address=f"2001:db8::{number}", agent="")

    with pytest.raises(TooMany):
        await accounts.sign_in(ADA, PASSWORD, address="2001:db8::ffff", agent="")
    await accounts.sign_in(ADA, PASSWORD, address="192.0.2.9", agent="")


async def test_a_class_that_signs_in_from_one_address_is_not_delayed(
    database: Database, passwords_hasher: PasswordHasher
) -> None:
    settings = AccountsSettings(sign_in_failures_per_address=2, sign_in_failures_per_email=1)
    accounts = Accounts(database, Argon2Passwords(passwords_hasher), settings)
    await accounts.create_user(ADA, "Ada", PASSWORD)

    for _ in range(5):
        await accounts.sign_in(ADA, PASSWORD, **FROM)


def test_only_a_bounded_number_of_addresses_is_remembered() -> None:
    restraint = Restraint(5, timedelta(minutes=1))
    for number in range(REMEMBERED_MAX + 100):
        restraint.take(str(number))

    assert len(restraint._known) == REMEMBERED_MAX


async def test_a_crowd_at_the_door_is_told_to_come_back(passwords_hasher: PasswordHasher) -> None:
    passwords = Argon2Passwords(passwords_hasher)
    refused = 0

    async def try_in() -> None:
        nonlocal refused
        try:
            await passwords.verify(None, "x")
        except Unavailable:
            refused += 1

    async with anyio.create_task_group() as tasks:
        for _ in range(ASKING_MAX * 2):
            tasks.start_soon(try_in)
    assert refused == ASKING_MAX
    assert not await passwords.verify(None, "x")


async def test_a_hash_made_with_weaker_parameters_is_made_again_at_sign_in(
    database: Database, passwords_hasher: PasswordHasher
) -> None:
    await Accounts(database, Argon2Passwords(passwords_hasher), AccountsSettings()).create_user(ADA, "Ada", PASSWORD)
    stronger = Argon2Passwords(PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    accounts = Accounts(database, stronger, AccountsSettings())
    user, _ = await accounts.sign_in(ADA, PASSWORD, **FROM)
    async with database.read() as tx:
        found = await store.user_by_id(tx, user.id)

    assert found is not None
    assert found[1] is not None
    assert not stronger.outdated(found[1])
    await accounts.sign_in(ADA, PASSWORD, **FROM)


async def test_signing_out_ends_the_login_and_tells_those_who_wait(accounts: Accounts) -> None:
    principal = await ada_signed_in(accounts)
    other = await ada_signed_in(accounts, make=False)
    async with accounts.ended(principal) as ended, accounts.ended(other) as other_ended:
        assert not ended.is_set()
        await accounts.sign_out(principal)

        assert ended.is_set()
        assert not other_ended.is_set()
    assert [login.id for login in await accounts.logins(principal.user)] == [other.login]


async def test_changing_the_password_ends_every_other_login(accounts: Accounts) -> None:
    here, there = await ada_signed_in(accounts), await ada_signed_in(accounts, make=False)
    async with accounts.ended(here) as here_ended, accounts.ended(there) as there_ended:
        await accounts.change_password(here, PASSWORD, "battery staple")

        assert there_ended.is_set()
        assert not here_ended.is_set()
    assert [login.id for login in await accounts.logins(here.user)] == [here.login]
    with pytest.raises(NotSignedIn):
        await accounts.sign_in(ADA, PASSWORD, **FROM)
    await accounts.sign_in(ADA, "battery staple", **FROM)


async def test_a_password_is_not_changed_without_the_present_one_or_by_a_token(accounts: Accounts) -> None:
    here = await ada_signed_in(accounts)
    by_token = await accounts.principal_by_token(await accounts.create_token(ADA, "laptop"))
    assert by_token is not None

    with pytest.raises(Forbidden, match="wrong"):
        await accounts.change_password(here, "wrong", "battery staple")
    with pytest.raises(Invalid):
        await accounts.change_password(here, PASSWORD, "short")
    with pytest.raises(Forbidden, match="token"):
        await accounts.change_password(by_token, PASSWORD, "battery staple")
    with pytest.raises(Forbidden, match="token"):
        await accounts.create_own_token(by_token, "another", days=None)


async def test_the_present_password_cannot_be_guessed_in_an_open_browser(
    database: Database, passwords_hasher: PasswordHasher
) -> None:
    settings = AccountsSettings(sign_in_failures_per_email=3)
    accounts = Accounts(database, Argon2Passwords(passwords_hasher), settings)
    here = await ada_signed_in(accounts)
    for _ in range(3):
        with pytest.raises(Forbidden):
            await accounts.change_password(here, "guess", "battery staple")

    with pytest.raises(TooMany):
        await accounts.change_password(here, PASSWORD, "battery staple")


async def test_a_forgotten_password_is_reset_and_every_login_ends(accounts: Accounts) -> None:
    login = await ada_signed_in(accounts)
    async with accounts.ended(login) as ended:
        await accounts.reset_password(ADA, "battery staple")

        assert ended.is_set()
    assert await accounts.logins(login.user) == []
    await accounts.sign_in(ADA, "battery staple", **FROM)
    with pytest.raises(NotFound):
        await accounts.reset_password("nobody@example.org", "battery staple")


async def test_removing_a_user_ends_all_they_hold_and_frees_the_address(accounts: Accounts) -> None:
    login = await ada_signed_in(accounts)
    secret = await accounts.create_token(ADA, "laptop")
    token = await accounts.principal_by_token(secret)
    assert token is not None
    async with accounts.ended(login) as login_ended, accounts.ended(token) as token_ended:
        await accounts.remove_user(ADA)

        assert login_ended.is_set()
        assert token_ended.is_set()
    assert await accounts.principal_by_token(secret) is None
    with pytest.raises(NotSignedIn):
        await accounts.sign_in(ADA, PASSWORD, **FROM)
    with pytest.raises(NotFound):
        await accounts.user_by_email(ADA)
    assert (await accounts.users_by_ids([login.user]))[login.user].name == "Ada"
    assert (await accounts.create_user(ADA, "Another Ada", PASSWORD)).id != login.user


async def test_what_ended_before_the_wait_began_is_noticed_at_once(accounts: Accounts) -> None:
    principal = await ada_signed_in(accounts)
    await accounts.sign_out(principal)

    async with accounts.ended(principal) as ended:
        assert ended.is_set()


async def test_what_another_process_or_time_ended_is_noticed_soon(
    database: Database, passwords_hasher: PasswordHasher
) -> None:
    settings = AccountsSettings(watch_interval=timedelta(milliseconds=20))
    here = Accounts(database, Argon2Passwords(passwords_hasher), settings)
    elsewhere = Accounts(database, Argon2Passwords(passwords_hasher), settings)
    signed_out, expired = await ada_signed_in(here), await ada_signed_in(here, make=False)
    kept = await ada_signed_in(here, make=False)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(here.watch)
        async with here.ended(signed_out) as one, here.ended(expired) as two, here.ended(kept) as three:
            await elsewhere.sign_out(signed_out)
            async with database.write() as tx:
                old = update(store.logins).where(store.logins.c.id == expired.login)
                await tx.execute(old.values(expires_at=int(time.time() * 1000) - 1))
            with anyio.fail_after(5):
                await one.wait()
                await two.wait()

            assert not three.is_set()
        tasks.cancel_scope.cancel()


async def test_a_login_ends_by_age_and_by_disuse(database: Database, passwords_hasher: PasswordHasher) -> None:
    accounts = Accounts(database, Argon2Passwords(passwords_hasher), AccountsSettings())
    await accounts.create_user(ADA, "Ada", PASSWORD)
    now = int(time.time() * 1000)
    for column, value in (("expires_at", now - 1), ("seen_at", now - 15 * 24 * 3600 * 1000)):
        user, secret = await accounts.sign_in(ADA, PASSWORD, **FROM)
        assert await accounts.principal_by_cookie(secret) is not None
        async with database.write() as tx:
            await tx.execute(update(store.logins).values({column: value}))

        assert await accounts.principal_by_cookie(secret) is None
        assert await accounts.logins(user.id) == []


async def test_the_hundredth_and_first_login_ends_the_one_used_least_lately(
    accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts_service, "LOGINS_PER_USER_MAX", 2)
    first = await ada_signed_in(accounts)
    second, third = await ada_signed_in(accounts, make=False), await ada_signed_in(accounts, make=False)

    living = {login.id for login in await accounts.logins(first.user)}
    assert len(living) == 2
    assert third.login in living
    assert {first.login, second.login} & living != {first.login, second.login}


async def test_a_token_holds_until_it_is_revoked_or_too_old(accounts: Accounts, database: Database) -> None:
    user = await accounts.create_user(ADA, "Ada", PASSWORD)
    forever, secret = await accounts.create_token_for(user.id, "laptop")
    _, dated = await accounts.create_token_for(user.id, "course", days=1)
    principal = await accounts.principal_by_token(secret)
    assert principal is not None
    assert (principal.user, principal.token, principal.login) == (user.id, forever.id, None)
    assert await accounts.principal_by_token(dated) is not None

    async with database.write() as tx:
        await tx.execute(update(store.tokens).where(store.tokens.c.name == "course").values(expires_at=1))
    await accounts.revoke_token(user.id, forever.id)

    assert await accounts.principal_by_token(secret) is None
    assert await accounts.principal_by_token(dated) is None
    assert [token.name for token in await accounts.tokens(user.id)] == ["course"]


async def test_nobody_ends_what_is_somebody_elses(accounts: Accounts) -> None:
    ada = await ada_signed_in(accounts)
    eve = await accounts.create_user("eve@example.org", "Eve", PASSWORD)
    token, secret = await accounts.create_token_for(ada.user, "laptop")
    assert ada.login is not None

    with pytest.raises(NotFound):
        await accounts.end_login(eve.id, ada.login)
    with pytest.raises(NotFound):
        await accounts.end_login(eve.id, LoginId("x" * 22))
    with pytest.raises(NotFound):
        await accounts.revoke_token(eve.id, token.id)
    assert await accounts.principal_by_token(secret) is not None


@pytest.mark.parametrize("error", [StorageFull("full"), OperationalError("locked", None, Exception())])
async def test_a_full_or_busy_disk_does_not_sign_readers_out(
    accounts: Accounts, database: Database, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    await accounts.create_user(ADA, "Ada", PASSWORD)
    _, secret = await accounts.sign_in(ADA, PASSWORD, **FROM)
    async with database.write() as tx:
        await tx.execute(update(store.logins).values(seen_at=int(time.time() * 1000) - 3600_000))

    async def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(accounts_service.store, "login_seen", fail)
    assert await accounts.principal_by_cookie(secret) is not None


@pytest.mark.parametrize("secret", ["", "col_", "col_x", "x" * 43, "col_" + "x" * 10_000, "col_\x00", "' OR 1=1 --"])
async def test_what_is_no_secret_is_nobodys(accounts: Accounts, secret: str) -> None:
    await ada_signed_in(accounts)

    assert await accounts.principal_by_token(secret) is None
    assert await accounts.principal_by_cookie(secret) is None


async def test_a_login_is_no_token_and_a_token_no_login(accounts: Accounts) -> None:
    await accounts.create_user(ADA, "Ada", PASSWORD)
    _, cookie = await accounts.sign_in(ADA, PASSWORD, **FROM)
    token = await accounts.create_token(ADA, "laptop")

    assert await accounts.principal_by_token(cookie) is None
    assert await accounts.principal_by_cookie(token) is None


async def test_an_address_has_one_account(accounts: Accounts) -> None:
    await accounts.create_user(ADA, "Ada", PASSWORD)

    with pytest.raises(Conflict):
        await accounts.create_user("ADA@EXAMPLE.org", "Eve", PASSWORD)


async def test_the_first_administrators_link_works_once(accounts: Accounts) -> None:
    old = await accounts.setup_link()
    secret = await accounts.setup_link()
    assert old is not None
    assert secret is not None
    who = {"email": ADA, "name": "Ada", "password": PASSWORD, **FROM}

    for bad in (old, "x" * 43):
        with pytest.raises(Forbidden):
            await accounts.sign_in_by_link(bad, **who)
    with pytest.raises(Invalid):
        await accounts.sign_in_by_link(secret, **(who | {"password": "short"}))
    user, cookie = await accounts.sign_in_by_link(secret, **who)

    assert user.admin
    assert (await accounts.principal_by_cookie(cookie)) is not None
    with pytest.raises(Forbidden):
        await accounts.sign_in_by_link(secret, **(who | {"email": "eve@example.org"}))
    assert await accounts.setup_link() is None


async def test_of_many_who_use_the_link_at_once_one_becomes_administrator(accounts: Accounts) -> None:
    secret = await accounts.setup_link()
    assert secret is not None
    won: list[str] = []

    async def race(number: int) -> None:
        try:
            user, _ = await accounts.sign_in_by_link(
                secret, email=f"a{number}@example.org", name="A", password=PASSWORD, **FROM
            )
            won.append(user.email)
        except Forbidden:
            pass

    async with anyio.create_task_group() as tasks:
        for number in range(10):
            tasks.start_soon(race, number)

    assert len(won) == 1
    assert [user.email for user in await accounts.users()] == won


async def test_there_is_no_link_where_there_is_a_user(accounts: Accounts) -> None:
    secret = await accounts.setup_link()
    await accounts.create_user(ADA, "Ada", PASSWORD)
    assert secret is not None

    with pytest.raises(Forbidden):
        await accounts.sign_in_by_link(secret, email="eve@example.org", name="Eve", password=PASSWORD, **FROM)
