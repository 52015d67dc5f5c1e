"""Handing letters in by SMTP."""

from contextlib import AsyncExitStack
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from email.utils import formatdate

import aiosmtplib
import anyio

from collegium.notifications.model import Letter, one_line
from collegium.notifications.ports import NotSent, Refused, Unsure
from collegium.notifications.settings import MailSettings


class SmtpMail:
    """One connection per letter: they are few, and a line that is kept is a line that breaks."""

    def __init__(self, settings: MailSettings) -> None:
        assert settings.host is not None, "no mail without a host"
        self._settings = settings
        self._host = settings.host

    async def send(self, letter: Letter) -> None:
        """Returns when the server has taken it. Raises NotSent, Refused or Unsure."""
        try:
            content = composed(letter, sender=self._settings.sender)
        except ValueError as error:
            raise Refused(f"this mail cannot be written: {error}") from error
        handed_in = False
        try:
            with anyio.fail_after(self._settings.timeout.total_seconds()):
                async with AsyncExitStack() as stack:
                    line = await stack.enter_async_context(self._line())
                    await self._sign_in(line)
                    options = [] if letter.to.email.isascii() else ["SMTPUTF8"]
                    await line.mail(self._settings.sender, options=options, encoding="utf-8")
                    await self._address(line, letter.to.email)
                    handed_in = True
                    await line.data(content)
                    # Taken: what the server says to the goodbye changes nothing.
                    stack.pop_all()
                    line.close()
        except aiosmtplib.SMTPResponseException as error:
            never = isinstance(error, aiosmtplib.SMTPDataError) and error.code >= 500
            raise (Refused if never else NotSent)(f"{error.code} {error.message}") from error
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            why = str(error) or type(error).__name__
            raise (Unsure(why) if handed_in else NotSent(why)) from error

    def _line(self) -> aiosmtplib.SMTP:
        return aiosmtplib.SMTP(
            hostname=self._host,
            port=self._settings.port,
            timeout=self._settings.timeout.total_seconds(),
            use_tls=self._settings.security == "tls",
            start_tls=self._settings.security == "starttls",
        )

    async def _sign_in(self, line: aiosmtplib.SMTP) -> None:
        user, password = self._settings.user, self._settings.password
        if user is not None and password is not None:
            await line.login(user, password.get_secret_value())

    async def _address(self, line: aiosmtplib.SMTP, to: str) -> None:
        try:
            await line.rcpt(to, encoding="utf-8")
        except aiosmtplib.SMTPRecipientRefused as error:
            if 500 <= error.code < 600:
                raise Refused(f"{error.code} {error.message}") from error
            raise


def composed(letter: Letter, *, sender: str) -> bytes:
    """The letter as it goes over the line. Raises ValueError for what cannot stand in a header."""
    message = EmailMessage(policy=SMTP_POLICY.clone(utf8=not letter.to.email.isascii(), max_line_length=200))
    name = f"{letter.author} (Collegium)" if letter.author else "Collegium"
    user, _, domain = letter.to.email.rpartition("@")
    message["From"] = Address(name, addr_spec=sender)
    message["To"] = Address(one_line(letter.to.name, 100), user, domain)
    message["Subject"] = letter.subject
    message["Date"] = formatdate()
    message["Message-ID"] = f"<{letter.id}@{sender.rpartition('@')[2]}>"
    message["Auto-Submitted"] = "auto-generated"
    if letter.settings_link is not None:
        message["List-Unsubscribe"] = f"<{letter.settings_link}>"
    message.set_content(letter.text, cte="quoted-printable")
    return bytes(message)
