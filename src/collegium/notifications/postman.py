"""Sends the mails that are due: one after another, each by one process, and each as often as is honest."""

import math

import anyio
from sqlalchemy.exc import SQLAlchemyError

from collegium.accounts.service import Accounts
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError
from collegium.ground.ids import new_id
from collegium.ground.log import get_log
from collegium.notifications import store
from collegium.notifications.model import Notification, WaitingMail, letter, wait_after
from collegium.notifications.ports import Authority, Mail, NotSent, Refused, Unsure
from collegium.notifications.settings import MailSettings

log = get_log("mail")

POLL_SECONDS_MAX = 15.0
"""Another process may have queued a mail, and died before it sent it."""
POLL_SECONDS_MIN = 0.02
UNKNOWN_ENDS_MAX = 2
"""A mail may have gone out twice when the process died, or the line broke, before its end was known; never more."""


class Postman:
    """Claims mails and hands them in. A claim ends by itself, should its process die."""

    def __init__(self, database: Database, accounts: Accounts, mail: Mail, settings: MailSettings) -> None:
        self._database = database
        self._accounts = accounts
        self._mail = mail
        self._settings = settings
        self._claim_ms = int(settings.timeout.total_seconds() * 3000)
        self._delay_ms = int(settings.delay.total_seconds() * 1000)
        self._moved = anyio.Event()
        self.authority: Authority | None = None
        """Asked before every mail. Nothing is sent before it is there."""

    def hurry(self) -> None:
        """A mail may have been queued."""
        self._moved.set()

    async def run(self) -> None:
        """Send what is due, for as long as the server runs."""
        await self._database.until_in_charge()
        while True:
            self._moved = anyio.Event()
            wait = POLL_SECONDS_MAX
            try:
                if self.authority is not None:
                    while await self.send_one():
                        pass
                    wait = await self._seconds_to_next()
            except (CollegiumError, SQLAlchemyError) as error:
                # A database that is busy for once costs a round, not the mails.
                log.warning("mail.delayed", error=type(error).__name__)
            with anyio.move_on_after(wait):
                await self._moved.wait()

    async def _seconds_to_next(self) -> float:
        async with self._database.read() as tx:
            at = await store.next_mail_at(tx)
        wait = math.inf if at is None else (at - now_ms()) / 1000
        return min(POLL_SECONDS_MAX, max(POLL_SECONDS_MIN, wait))

    async def send_one(self) -> bool:
        """Deal with one mail that is due; whether there was one."""
        async with self._database.read() as tx:
            at = await store.next_mail_at(tx)
        now = now_ms()
        if at is None or at > now:
            return False
        async with self._database.write() as tx:
            mail = await store.claim_mail(tx, claim=new_id(), now_ms=now, until=now + self._claim_ms)
        if mail is None:
            return False
        if mail.begun > UNKNOWN_ENDS_MAX:
            log.error("mail.given_up", mail=mail.id, user=mail.user, why="nobody knows whether it was sent")
            await self._finish(mail, None)
            return True
        try:
            await self._deal(mail)
        except (CollegiumError, SQLAlchemyError):
            raise
        except Exception as error:
            # A letter that nobody can write must not end the server, now and at every start.
            log.error("mail.given_up", mail=mail.id, user=mail.user, exc_info=error)
            await self._finish(mail, None)
        return True

    async def _deal(self, mail: WaitingMail) -> None:
        async with self._database.read() as tx:
            told = await store.read_told_by(tx, mail.id)
            wanted = bool(await store.who_wants_mail(tx, [mail.user]))
        people = await self._accounts.users_by_ids({mail.user, *(one.occasion.by for one in told)})
        to = people[mail.user]
        assert self.authority is not None, "it is asked before anything is sent"
        allowed = not to.removed and await self.authority.role(mail.user, mail.item) is not None
        if not (told and wanted and allowed):
            await self._finish(mail, None)
            return
        names = {user: person.name for user, person in people.items()}
        paper = letter(mail.id, to, told, names, address=self._settings.address)
        try:
            await self._mail.send(paper)
        except Refused as error:
            log.warning("mail.refused", mail=mail.id, user=mail.user, why=str(error)[:200])
            await self._finish(mail, None)
        except NotSent as error:
            await self._again(mail, error, begun=mail.begun - 1)
        except Unsure as error:
            await self._again(mail, error, begun=mail.begun)
        else:
            log.info("mail.sent", mail=mail.id, user=mail.user, notifications=len(told))
            await self._finish(mail, told)

    async def _finish(self, mail: WaitingMail, told: list[Notification] | None) -> None:
        ids = None if told is None else [one.id for one in told]
        async with self._database.write() as tx:
            await store.finish_mail(tx, mail, told=ids, now_ms=now_ms(), delay_ms=self._delay_ms)

    async def _again(self, mail: WaitingMail, error: Exception, *, begun: int) -> None:
        wait_ms = wait_after(mail.failures + 1, scale=self._settings.retry_scale)
        if wait_ms is None:
            log.error("mail.given_up", mail=mail.id, user=mail.user, why=str(error)[:200])
            await self._finish(mail, None)
            return
        log.warning("mail.postponed", mail=mail.id, wait_ms=wait_ms, why=str(error)[:200])
        async with self._database.write() as tx:
            await store.postpone_mail(tx, mail, due_at=now_ms() + wait_ms, begun=begun)
