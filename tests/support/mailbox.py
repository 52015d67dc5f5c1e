"""A real SMTP server on this machine, that keeps what it is given, and can be made to misbehave."""

import asyncio
import email
import email.policy
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult, LoginPassword

from support.server import free_port

PATIENCE_SECONDS = 20


class Mailbox:
    """What arrived, and how the server answers."""

    def __init__(self) -> None:
        self.port = free_port()
        self._arrived = threading.Condition()
        self.empty()

    def empty(self) -> None:
        """As it was at first."""
        self.letters: list[EmailMessage] = []
        self.recipients: list[str] = []
        self.refused: dict[str, str] = {}
        """Answers to the address of a letter, by the address."""
        self.answer = "250 OK"
        """To a letter, which is kept whatever the answer is."""
        self.slow_seconds = 0.0
        self.logins: list[tuple[str, str]] = []

    async def handle_RCPT(self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any) -> str:
        if address in self.refused:
            return self.refused[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        with self._arrived:
            self.letters.append(letter)
            self.recipients += envelope.rcpt_tos
            self._arrived.notify_all()
        await asyncio.sleep(self.slow_seconds)
        return self.answer

    def signed_in(self, _server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        assert isinstance(data, LoginPassword)
        self.logins.append((data.login.decode(), data.password.decode()))
        return AuthResult(success=data.password == b"letmein")

    def until(self, enough: Callable[[], Any], what: str) -> None:
        """Wait until what arrived is enough."""
        end = time.monotonic() + PATIENCE_SECONDS
        with self._arrived:
            while not enough():
                assert self._arrived.wait(max(0.0, end - time.monotonic())), f"no {what} in {len(self.letters)} letters"

    def texts(self, to: str) -> list[str]:
        """What somebody was written."""
        return [letter.get_content() for letter in self.letters if to in str(letter["To"])]


@contextmanager
def open_mailbox(mailbox: Mailbox) -> Iterator[Mailbox]:
    """The mailbox takes mail until the block ends."""
    controller = Controller(
        mailbox, hostname="127.0.0.1", port=mailbox.port, auth_require_tls=False, authenticator=mailbox.signed_in
    )
    controller.start()
    try:
        yield mailbox
    finally:
        controller.stop()
