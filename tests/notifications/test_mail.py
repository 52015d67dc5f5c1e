"""Mail through a real SMTP server: what is sent, to whom, how often, and what happens when it goes wrong."""

from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import pytest
from pydantic import SecretStr
from sqlalchemy import select, update

from collegium.accounts.model import User
from collegium.ground.db import sqlite_url
from collegium.ground.ids import ItemId, UserId, new_id
from collegium.notifications.adapters import SmtpMail
from collegium.notifications.model import Letter, Occasion, Told
from collegium.notifications.ports import NotSent
from collegium.notifications.settings import MailSettings
from collegium.notifications.store import mails
from comments.site import Site, address_of, open_site
from support.mailbox import Mailbox, open_mailbox

pytestmark = pytest.mark.anyio


QUICK = MailSettings(
    host="127.0.0.1",
    security="none",
    timeout=timedelta(seconds=0.4),
    delay=timedelta(seconds=0.3),
    delay_max=timedelta(seconds=2),
    retry_scale=0.005,
    address="https://collegium.example.org",
)


@pytest.fixture(scope="module")
def open_box() -> Iterator[Mailbox]:
    with open_mailbox(Mailbox()) as mailbox:
        yield mailbox


@pytest.fixture(scope="module")
async def post_office(
    shared_url: str, open_box: Mailbox, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Site]:
    mail = QUICK.model_copy(update={"port": open_box.port})
    with pytest.MonkeyPatch.context() as patch:
        async with open_site(tmp_path_factory.mktemp("site"), shared_url, patch, mail=mail) as site:
            yield site


@pytest.fixture
async def site(post_office: Site) -> Site:
    """A fresh notebook on a server that sends mail quickly."""
    return await post_office.anew()


@pytest.fixture
def mailbox(open_box: Mailbox, site: Site) -> Mailbox:
    """Where it is sent, empty."""
    open_box.empty()
    return open_box


async def arrived(mailbox: Mailbox, count: int) -> None:
    await anyio.to_thread.run_sync(mailbox.until, lambda: len(mailbox.letters) >= count, f"{count} letters")


async def waiting(site: Site) -> list[Any]:
    async with site.house.database.read() as tx:
        return list((await tx.execute(select(mails))).all())


async def nothing_waits(site: Site) -> None:
    with anyio.fail_after(10):
        while await waiting(site):
            await anyio.sleep(0.02)


@contextmanager
def held(site: Site) -> Iterator[None]:
    """No mail is sent before the block ends."""
    postman = site.house.notifications.postman
    assert postman is not None
    postman.authority = None
    yield
    postman.authority = site.house.drive
    postman.hurry()


async def test_a_mention_is_mailed(site: Site, mailbox: Mailbox) -> None:
    thread = (await site.begin("Cleo", "@vi@example.org look"))["thread"]["id"]
    await arrived(mailbox, 2)
    await nothing_waits(site)

    assert sorted(mailbox.recipients) == ["ada@example.org", "vi@example.org"]
    (text,) = mailbox.texts("vi@example.org")
    assert "Cleo mentioned you in “lesson.ipynb”" in text
    assert f"https://collegium.example.org/notebooks/{site.notebook}#comment={thread}" in text


async def test_what_is_shared_with_a_group_is_mailed_to_each_but_who_shared_it(site: Site, mailbox: Mailbox) -> None:
    root = replace(site.people["Ada"], admin=True)
    group = await site.house.groups.create(root, "Physics")
    for name in ("Ada", "Ed", "Eve"):
        await site.house.groups.add(root, group.id, address_of(name))
    body = {"group": group.id, "role": "viewer"}
    (await site.clients["Ada"].put(f"/drive/items/{site.notebook}/grants", json=body)).raise_for_status()
    await arrived(mailbox, 1)
    await nothing_waits(site)

    assert mailbox.recipients == ["eve@example.org"]
    (text,) = mailbox.texts("eve@example.org")
    assert "Ada shared “lesson.ipynb” with you" in text
    assert f"https://collegium.example.org/notebooks/{site.notebook}" in text


async def test_a_burst_is_one_mail(site: Site, mailbox: Mailbox) -> None:
    notifications = site.house.notifications
    async with site.house.database.write() as tx:
        for number in range(5):
            item = ItemId(site.notebook)
            occasion = Occasion(
                Told.REPLY, site.people["Cleo"].user, item, "notebook", "lesson.ipynb", f"again {number}"
            )
            told = await notifications.note(tx, replace(occasion, comment=new_id()), [site.people["Vi"].user])
    notifications.told(told)
    await arrived(mailbox, 1)
    await nothing_waits(site)

    (text,) = mailbox.texts("vi@example.org")
    assert all(f"again {number}" in text for number in range(5))


async def test_mail_goes_to_nobody_who_lost_access_was_removed_wants_none_or_has_read_it(
    site: Site, mailbox: Mailbox
) -> None:
    with held(site):
        everybody = " ".join(f"@{address_of(name)}" for name in ("Cleo", "Ed", "Vi"))
        thread = (await site.begin("Ada", everybody))["thread"]["id"]
        (await site.clients["Ed"].put("/me/notifications/mail", json={"mail": False})).raise_for_status()
        body = {"email": address_of("Vi")}
        gone = await site.clients["Ada"].request("DELETE", f"/drive/items/{site.notebook}/grants", json=body)
        gone.raise_for_status()
        (await site.clients["Cleo"].post("/me/notifications/read", json={"thread": thread})).raise_for_status()
        await site.begin("Cleo", "for Ada, who is told")
    await arrived(mailbox, 1)
    await nothing_waits(site)

    assert mailbox.recipients == ["ada@example.org"]


async def test_a_comment_that_was_deleted_in_time_is_not_mailed(site: Site, mailbox: Mailbox) -> None:
    with held(site):
        thread = (await site.begin("Cleo", "@vi@example.org oops, my password"))["thread"]["id"]
        (await site.clients["Cleo"].delete(f"{site.path}/{thread}")).raise_for_status()
    await nothing_waits(site)

    assert mailbox.letters == []


async def test_a_server_that_is_down_is_tried_again(site: Site, mailbox: Mailbox) -> None:
    mailbox.answer = "451 come back later"
    await site.begin("Cleo", "for Ada")
    await arrived(mailbox, 2)
    mailbox.answer = "250 OK"
    await nothing_waits(site)
    before = len(mailbox.letters)

    assert before >= 2
    assert len({letter["Message-ID"] for letter in mailbox.letters}) == 1


async def test_a_server_that_cannot_be_reached_is_tried_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    late = Mailbox()
    url, mail = sqlite_url(tmp_path / "collegium.db"), QUICK.model_copy(update={"port": late.port})
    async with open_site(tmp_path, url, monkeypatch, mail=mail) as site:
        await site.begin("Cleo", "for Ada")
        with anyio.fail_after(10):
            while not (await waiting(site))[0].failures:
                await anyio.sleep(0.02)
        with open_mailbox(late):
            await arrived(late, 1)
            await nothing_waits(site)

    assert len(late.letters) == 1


async def test_a_recipient_who_is_refused_costs_nobody_else_a_mail(site: Site, mailbox: Mailbox) -> None:
    mailbox.refused = {"vi@example.org": "550 no such mailbox"}
    await site.begin("Cleo", "@vi@example.org @ed@example.org")
    await arrived(mailbox, 2)
    await nothing_waits(site)

    assert sorted(mailbox.recipients) == ["ada@example.org", "ed@example.org"]


async def test_a_server_too_slow_to_say_whether_it_took_a_mail_gets_it_once_more_at_most(
    site: Site, mailbox: Mailbox
) -> None:
    mailbox.slow_seconds = 1
    await site.begin("Cleo", "for Ada")
    await nothing_waits(site)

    assert len(mailbox.letters) == 2
    assert len({letter["Message-ID"] for letter in mailbox.letters}) == 1


@pytest.mark.parametrize("deaths", [1, 2])
async def test_a_process_that_died_while_it_sent_sends_once_more_at_most(
    site: Site, mailbox: Mailbox, deaths: int
) -> None:
    """What a kill -9 between the sending and its note leaves behind: a claim that ends, and an attempt that began."""
    with held(site):
        await site.begin("Cleo", "for Ada")
        async with site.house.database.write() as tx:
            await tx.execute(update(mails).values(begun=deaths, claim="0" * 22, claimed_until=0))
    await nothing_waits(site)

    assert len(mailbox.letters) == 2 - deaths


async def test_two_processes_send_a_mail_once(site: Site, mailbox: Mailbox) -> None:
    mailbox.slow_seconds = 0.2
    await site.begin("Cleo", "for Ada")
    postman = site.house.notifications.postman
    assert postman is not None
    async with anyio.create_task_group() as tasks:
        other = type(postman)(site.house.database, site.house.accounts, postman._mail, postman._settings)
        other.authority = site.house.drive
        tasks.start_soon(other.run)
        await arrived(mailbox, 1)
        await nothing_waits(site)
        tasks.cancel_scope.cancel()

    assert len(mailbox.letters) == 1


async def test_an_address_in_any_script_is_written_to(open_box: Mailbox) -> None:
    open_box.empty()
    to = User(UserId("z" * 22), "zoë@exämple.org", "Zoë", admin=False)
    mail = QUICK.model_copy(update={"port": open_box.port})
    await SmtpMail(mail).send(Letter("m1", to, "Bob", "Grüße", "Grüße.\n", None))

    assert open_box.recipients == ["zoë@exämple.org"]


async def test_a_letter_that_breaks_the_code_is_given_up_and_the_next_is_sent(
    site: Site, mailbox: Mailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object, **__: object) -> bytes:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr("collegium.notifications.adapters.composed", broken)
        await site.begin("Cleo", "for Ada")
        await nothing_waits(site)
    await site.begin("Cleo", "for Ada again")
    await arrived(mailbox, 1)

    assert len(mailbox.letters) == 1


async def test_it_signs_in_where_it_has_to(open_box: Mailbox) -> None:
    open_box.empty()
    known = {"port": open_box.port, "user": "collegium", "password": SecretStr("letmein")}
    mail = QUICK.model_copy(update=known)
    to = User(UserId("a" * 22), "ada@example.org", "Ada", admin=False)
    await SmtpMail(mail).send(Letter("m1", to, "", "Hello", "Hello.\n", None))
    with pytest.raises(NotSent):
        await SmtpMail(mail.model_copy(update={"password": SecretStr("wrong")})).send(
            Letter("m2", to, "", "Hello", "Hello.\n", None)
        )

    assert open_box.logins == [("collegium", "letmein"), ("collegium", "wrong")]
    assert len(open_box.letters) == 1
    assert "letmein" not in repr(mail)
