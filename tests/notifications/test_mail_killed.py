"""Mail of a server that is killed while it sends."""

import pytest

from support.mailbox import Mailbox, open_mailbox
from support.server import server

pytestmark = [pytest.mark.long]


def test_a_server_killed_between_sending_and_noting_it_sends_once_more_and_not_again() -> None:
    with open_mailbox(Mailbox()) as mailbox:
        mailbox.slow_seconds = 3
        mail = {
            "COLLEGIUM_ENGINE": "none",
            "COLLEGIUM_MAIL__HOST": "127.0.0.1",
            "COLLEGIUM_MAIL__PORT": str(mailbox.port),
            "COLLEGIUM_MAIL__SECURITY": "none",
            "COLLEGIUM_MAIL__DELAY": "PT0S",
            "COLLEGIUM_MAIL__TIMEOUT": "PT2S",
            "COLLEGIUM_MAIL__RETRY_SCALE": "0.01",
        }
        with server(env=mail) as running:
            ada = running.add_user("ada@example.org")
            bob = running.add_user("bob@example.org")
            with running.client(bob) as api:
                api.put("/me/notifications/mail", json={"mail": False}).raise_for_status()
            notebook = running.notebook(ada, {"a": "1"}, name="n.ipynb", shared={"bob@example.org": "commenter"})
            with running.client(bob) as api:
                said = api.post(f"/notebooks/{notebook}/comments", json={"place": {"cell": "a"}, "text": "for Ada"})
                said.raise_for_status()
            mailbox.until(lambda: len(mailbox.letters) == 1, "mail")
            running.kill()
            mailbox.slow_seconds = 0
            running.start()
            mailbox.until(lambda: len(mailbox.letters) == 2, "the same mail")
            with running.client(bob) as api:
                api.post(f"/notebooks/{notebook}/comments", json={"place": {"cell": "a"}, "text": "and another"})
            mailbox.until(lambda: any("and another" in text for text in mailbox.texts("ada@")), "the next mail")

    first, again, *_ = mailbox.letters
    assert first["Message-ID"] == again["Message-ID"]
    assert sum("for Ada" in text for text in mailbox.texts("ada@")) == 2
