"""Telling people what happened: at once in the pages they have open, and by mail where there is any."""

from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from typing import Any

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream, MemoryObjectSendStream
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.model import Principal
from collegium.accounts.service import Accounts
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import TooMany
from collegium.ground.ids import ItemId, UserId, is_id, new_id
from collegium.ground.log import get_log
from collegium.ground.news import News
from collegium.notifications import store
from collegium.notifications.model import Notification, Occasion, clipped
from collegium.notifications.ports import Authority, Mail
from collegium.notifications.postman import Postman
from collegium.notifications.settings import MailSettings

log = get_log("notifications")

TOLD = "told"
"""News: somebody was told something, or has read it."""
KEPT_PER_USER_MAX = 500
TOLD_AT_ONCE = 500
"""A group of thousands is told with a few statements, since whoever else writes waits meanwhile."""
LISTENERS_PER_USER_MAX = 64
PAGE_MAX = 100


class Notifications:
    """What people are told, and who waits to hear that there is something new."""

    def __init__(
        self, database: Database, accounts: Accounts, news: News, mail: Mail | None, settings: MailSettings
    ) -> None:
        self._database = database
        self.accounts = accounts
        self._news = news
        self._delay_ms = int(settings.delay.total_seconds() * 1000)
        self._delay_ms_max = int(settings.delay_max.total_seconds() * 1000)
        self._listeners: dict[UserId, set[MemoryObjectSendStream[None]]] = defaultdict(set)
        self.postman = None if mail is None else Postman(database, accounts, mail, settings)

    @property
    def mail_is_sent(self) -> bool:
        """Whether this installation sends mail at all."""
        return self.postman is not None

    def ask(self, authority: Authority) -> None:
        """Mail goes only to those who, by this authority, may see what it is about."""
        if self.postman is not None:
            self.postman.authority = authority

    # --- telling ---------------------------------------------------------------------------------

    async def notify(self, occasion: Occasion, users: Iterable[UserId]) -> None:
        """Tell these people, in a transaction of its own; whoever did it is not told."""
        async with self._database.write() as tx:
            told = await self.note(tx, occasion, users)
        self.told(told)

    async def note(self, tx: AsyncConnection, occasion: Occasion, users: Iterable[UserId]) -> list[UserId]:
        """`notify` as part of the caller's transaction; whom to give to `told` once that is committed."""
        occasion = replace(occasion, text=clipped(occasion.text))
        wanted = sorted(set(users) - {occasion.by})
        now = now_ms()
        for start in range(0, len(wanted), TOLD_AT_ONCE):
            some = wanted[start : start + TOLD_AT_ONCE]
            mails: dict[UserId, str] = {}
            if self.mail_is_sent:
                delays = {"delay_ms": self._delay_ms, "delay_ms_max": self._delay_ms_max}
                readers = await store.who_wants_mail(tx, some)
                mails = await store.queue_mails(tx, readers, occasion.item, now_ms=now, **delays)
            await store.delete_repeated(tx, some, occasion)
            told = [Notification(new_id(), user, occasion, at=now, read_at=None) for user in some]
            await store.insert_notifications(tx, told, mails=mails)
            await store.delete_oldest(tx, some, keep=KEPT_PER_USER_MAX)
        return wanted

    def told(self, users: Sequence[UserId]) -> None:
        """What was noted for these people is committed: their pages look again."""
        if users:
            self._news.tell(TOLD, users=list(users))

    async def withdraw(self, tx: AsyncConnection, comments: Iterable[str]) -> list[UserId]:
        """Nobody is told of these comments any more, nor mailed; whom to give to `told`."""
        return await store.delete_of_comments(tx, comments)

    async def forget(self, tx: AsyncConnection, items: Sequence[ItemId]) -> None:
        """The items are deleted, and with them whatever was to be told of them."""
        await store.delete_of_items(tx, items)

    # --- hearing ---------------------------------------------------------------------------------

    async def page(
        self, principal: Principal, *, before: str | None, limit: int
    ) -> tuple[int, list[Notification], str | None]:
        """How much is unread, a page of what one was told, the latest first, and where the next page begins."""
        async with self._database.read() as tx:
            unread = await store.count_unread(tx, principal.user)
            found = await store.read_page(tx, principal.user, before=_place(before), limit=limit + 1)
        more = f"{found[limit - 1].at}-{found[limit - 1].id}" if len(found) > limit else None
        return unread, found[:limit], more

    async def unread(self, user: UserId) -> int:
        """How much somebody has not read."""
        async with self._database.read() as tx:
            return await store.count_unread(tx, user)

    async def read(self, principal: Principal, ids: Sequence[str] | None, *, thread: str | None = None) -> None:
        """One has read these, or those of a thread, or (neither) all."""
        known = None if ids is None else [one for one in ids if is_id(one)]
        if thread is not None and not is_id(thread):
            return
        async with self._database.write() as tx:
            changed = await store.mark_read(tx, principal.user, known, thread=thread, now_ms=now_ms())
        if changed:
            self.told([principal.user])

    @contextmanager
    def _listening(self, user: UserId, stream: MemoryObjectSendStream[None]) -> Any:
        self._listeners[user].add(stream)
        try:
            yield
        finally:
            self._listeners[user].discard(stream)
            if not self._listeners[user]:
                del self._listeners[user]

    @asynccontextmanager
    async def watch(self, user: UserId) -> AsyncIterator[MemoryObjectReceiveStream[None]]:
        """A stream that says "look again". Look once after entering; from then on nothing is missed. Raises TooMany."""
        if len(self._listeners.get(user, ())) >= LISTENERS_PER_USER_MAX:
            raise TooMany("Too many pages of yours are open.", retry_after=60)
        send, receive = anyio.create_memory_object_stream[None](1)
        with send, receive, self._listening(user, send):
            yield receive

    def _heard(self, news: dict[str, Any]) -> None:
        for user in news["users"]:
            for stream in self._listeners.get(UserId(user), ()):
                if not stream.statistics().current_buffer_used:
                    stream.send_nowait(None)
        if self.postman is not None:
            self.postman.hurry()

    # --- choices ---------------------------------------------------------------------------------

    async def wants_mail(self, user: UserId) -> bool:
        """Whether somebody wants mail."""
        async with self._database.read() as tx:
            return bool(await store.who_wants_mail(tx, [user]))

    async def choose(self, principal: Principal, *, mail: bool) -> None:
        """Whether one wants mail from now on; what waits is not sent either."""
        async with self._database.write() as tx:
            await store.set_choice(tx, principal.user, mail=mail)
        log.info("mail.chosen", user=principal.user, mail=mail)


def _place(text: str | None) -> tuple[int, str] | None:
    at, _, one = (text or "").partition("-")
    return (int(at), one) if at.isdecimal() and len(at) <= 15 and is_id(one) else None


@asynccontextmanager
async def open_notifications(
    database: Database, accounts: Accounts, news: News, mail: Mail | None, settings: MailSettings
) -> AsyncIterator[Notifications]:
    """The notifications, and the task that sends what mail is due."""
    notifications = Notifications(database, accounts, news, mail, settings)
    async with anyio.create_task_group() as tasks:
        if notifications.postman is not None:
            tasks.start_soon(notifications.postman.run)
        try:
            with news.listening(TOLD, notifications._heard):
                yield notifications
        finally:
            tasks.cancel_scope.cancel()
