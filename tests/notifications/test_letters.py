"""What a mail says, and that nothing a stranger wrote becomes a header."""

import email
import email.policy

import pytest

from collegium.accounts.model import User
from collegium.ground.ids import ItemId, UserId, new_id
from collegium.notifications.adapters import composed
from collegium.notifications.model import (
    BACKOFF_SECONDS,
    QUOTED_MAX,
    TEXT_LENGTH_MAX,
    Letter,
    Notification,
    Occasion,
    Told,
    clipped,
    letter,
    one_line,
    wait_after,
)

ADA = User(UserId("a" * 22), "ada@example.org", "Ada", admin=False)
BOB = UserId("b" * 22)
SITE = "https://collegium.example.org"


def told(kind: Told = Told.MENTION, text: str = "look\nhere", name: str = "lesson.ipynb") -> Notification:
    occasion = Occasion(kind, BOB, ItemId("n" * 22), "notebook", name, text, "t" * 22, "c" * 22)
    return Notification(new_id(), ADA.id, occasion, 1, None)


def read(paper: Letter) -> email.message.EmailMessage:
    parsed = email.message_from_bytes(composed(paper, sender="collegium@example.org"), policy=email.policy.default)
    assert isinstance(parsed, email.message.EmailMessage)
    return parsed


def test_a_mail_says_who_did_what_where_and_how_to_stop_it() -> None:
    mail = read(letter("m1", ADA, [told()], {BOB: "Bob"}, address=SITE))

    assert mail["Subject"] == "Bob mentioned you in “lesson.ipynb”"
    assert mail["From"] == '"Bob (Collegium)" <collegium@example.org>'
    assert mail["To"] == "Ada <ada@example.org>"
    assert mail["List-Unsubscribe"] == f"<{SITE}/account#mail>"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail.get_content().splitlines() == [
        "Bob mentioned you in “lesson.ipynb”:",
        "    look",
        "    here",
        f"    {SITE}/notebooks/{'n' * 22}#comment={'t' * 22}",
        "",
        "-- ",
        "Collegium sends this because it concerns you.",
        f"You can turn these mails off at {SITE}/account#mail.",
    ]


def test_a_burst_is_one_mail_of_bounded_length() -> None:
    burst = [told(Told.REPLY, f"reply {number}") for number in range(QUOTED_MAX + 5)]
    mail = read(letter("m1", ADA, burst, {BOB: "Bob"}, address=None))

    assert mail["Subject"] == f"{QUOTED_MAX + 5} new comments in “lesson.ipynb”"
    assert "    reply 0" in mail.get_content().splitlines()
    assert f"    reply {QUOTED_MAX}" not in mail.get_content().splitlines()
    assert "… and 5 more." in mail.get_content()
    assert "http" not in mail.get_content()
    assert mail["List-Unsubscribe"] is None


@pytest.mark.parametrize(
    ("kinds", "subject"),
    [
        ([Told.SHARED, Told.SHARED], "“lesson.ipynb” was shared with you"),
        ([Told.RESOLVED, Told.RESOLVED, Told.RESOLVED], "3 threads resolved in “lesson.ipynb”"),
        ([Told.MENTION, Told.REPLY, Told.COMMENT], "3 new comments in “lesson.ipynb”"),
        ([Told.SHARED, Told.MENTION], "“lesson.ipynb” was shared with you, 1 new comment"),
        ([Told.COMMENT, Told.RESOLVED, Told.REPLY], "2 new comments and resolved threads in “lesson.ipynb”"),
        ([Told.SHARED, Told.RESOLVED], "“lesson.ipynb” was shared with you, resolved threads"),
    ],
)
def test_a_mail_about_several_things_says_what_they_are(kinds: list[Told], subject: str) -> None:
    assert letter("m1", ADA, [told(kind) for kind in kinds], {BOB: "Bob"}, address=None).subject == subject


HOSTILE = [
    "x\r\nBcc: everybody@example.org",
    "x\nBcc: everybody@example.org\n\nbody",
    "x\u2028Bcc: e@example.org",
    "x\x00y\x0b\x0cz\x85",
    "=?utf-8?q?=0ABcc:_e@example.org?=",
    '"<e@example.org>, x',
    "\u202egnp.exe",
    "n" * 5000,
]


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_a_stranger_wrote_becomes_a_header(text: str) -> None:
    to = User(ADA.id, ADA.email, text[:100], admin=False)
    mail = read(letter("m1", to, [told(name=text, text=text)], {BOB: text}, address=SITE))

    assert mail["Bcc"] is None
    assert {name.lower() for name in mail} == {
        "from", "to", "subject", "date", "message-id", "auto-submitted", "list-unsubscribe", "content-type",
        "content-transfer-encoding", "mime-version",
    }  # fmt: skip
    assert [one.addr_spec for one in mail["To"].addresses] == ["ada@example.org"]
    assert [one.addr_spec for one in mail["From"].addresses] == ["collegium@example.org"]
    assert len(mail["Subject"]) <= 200


def test_a_mailbox_can_tell_that_a_mail_came_twice_and_that_another_is_new() -> None:
    one, two = told(), told()
    first, again, later = (
        read(letter("m1", ADA, some, {BOB: "Bob"}, address=None))["Message-ID"] for some in ([one], [one], [one, two])
    )

    assert first == again != later


def test_long_texts_are_clipped() -> None:
    assert len(clipped("x" * 9000)) == TEXT_LENGTH_MAX
    assert clipped(" a\x00b ") == "ab"
    assert one_line("a\n b\t\u2029c", 100) == "a b c"


def test_waits_grow_and_end() -> None:
    waits = [wait_after(failures, scale=1) for failures in range(1, len(BACKOFF_SECONDS) + 2)]

    assert waits[:-1] == sorted(wait for wait in waits[:-1] if wait is not None)
    assert waits[-1] is None
