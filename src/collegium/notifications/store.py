"""The tables of what people were told and of the mails that wait, and their statements."""

from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.ground.db import metadata
from collegium.ground.ids import ItemId, UserId, new_id
from collegium.notifications.model import Notification, Occasion, Told, WaitingMail

notifications = Table(
    "notifications",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("user", String(22), ForeignKey("users.id"), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("by", String(22), ForeignKey("users.id"), nullable=False),
    Column("item", String(22), nullable=False, index=True),
    Column("item_kind", String(16), nullable=False),
    Column("item_name", String(255), nullable=False),
    Column("thread", String(22), nullable=True),
    Column("comment", String(22), nullable=True),
    Column("text", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("read_at", BigInteger, nullable=True),
    Column("mail", String(22), nullable=True, index=True),
    Index("ix_notifications_user_at", "user", "at"),
)
"""`mail` names the mail that will tell it, until that was sent."""

mails = Table(
    "mails",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("user", String(22), ForeignKey("users.id"), nullable=False),
    Column("item", String(22), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("due_at", BigInteger, nullable=False, index=True),
    Column("begun", Integer, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("claim", String(22), nullable=True),
    Column("claimed_until", BigInteger, nullable=False),
    UniqueConstraint("user", "item"),
)
"""`begun` counts the attempts of which nobody knows how they ended."""

choices = Table(
    "notification_choices",
    metadata,
    Column("user", String(22), ForeignKey("users.id"), primary_key=True),
    Column("mail", Boolean, nullable=False),
)
"""Who chose nothing has no row, and gets mail."""


def _notification(row: Row[Any]) -> Notification:
    occasion = Occasion(
        Told(row.kind),
        UserId(row.by),
        ItemId(row.item),
        row.item_kind,
        row.item_name,
        row.text,
        row.thread,
        row.comment,
    )
    return Notification(row.id, UserId(row.user), occasion, row.at, row.read_at)


# --- what people were told -----------------------------------------------------------------------


async def insert_notifications(tx: AsyncConnection, told: Sequence[Notification], *, mails: dict[UserId, str]) -> None:
    """Keep them, each with the mail that will tell its user, if there is one."""
    await tx.execute(insert(notifications), [_values(one, mail=mails.get(one.user)) for one in told])


def _values(one: Notification, *, mail: str | None) -> dict[str, Any]:
    occasion = one.occasion
    row = {"id": one.id, "user": one.user, "kind": occasion.kind, "by": occasion.by, "item": occasion.item}
    about = {"item_kind": occasion.item_kind, "item_name": occasion.item_name, "text": occasion.text}
    place = {"thread": occasion.thread, "comment": occasion.comment, "at": one.at, "read_at": one.read_at}
    return {"mail": mail, **row, **about, **place}


async def delete_repeated(tx: AsyncConnection, users: Sequence[UserId], occasion: Occasion) -> None:
    """Forget the same occasion of before, of those who have not read it: it is told once, as the latest."""
    same = and_(
        notifications.c.user.in_(list(users)),
        notifications.c.kind == occasion.kind,
        notifications.c.by == occasion.by,
        notifications.c.item == occasion.item,
        notifications.c.read_at.is_(None),
        notifications.c.thread.is_not_distinct_from(occasion.thread),
        notifications.c.comment.is_not_distinct_from(occasion.comment),
    )
    await tx.execute(delete(notifications).where(same))


async def delete_oldest(tx: AsyncConnection, users: Sequence[UserId], *, keep: int) -> None:
    """Of what each of them was told only the latest is kept."""
    counted = select(notifications.c.user).where(notifications.c.user.in_(list(users)))
    counted = counted.group_by(notifications.c.user).having(func.count() > keep)
    for user in [row.user for row in await tx.execute(counted)]:
        latest = select(notifications.c.id).where(notifications.c.user == user)
        latest = latest.order_by(notifications.c.at.desc(), notifications.c.id.desc()).offset(keep).limit(1_000)
        old = [row.id for row in await tx.execute(latest)]
        await tx.execute(delete(notifications).where(notifications.c.id.in_(old)))


async def read_page(
    tx: AsyncConnection, user: UserId, *, before: tuple[int, str] | None, limit: int
) -> list[Notification]:
    """What somebody was told, the latest first, from before this time and id on."""
    found = select(notifications).where(notifications.c.user == user)
    if before is not None:
        at, one = before
        found = found.where(
            or_(notifications.c.at < at, and_(notifications.c.at == at, notifications.c.id < one)),
        )
    found = found.order_by(notifications.c.at.desc(), notifications.c.id.desc()).limit(limit)
    return [_notification(row) for row in await tx.execute(found)]


async def count_unread(tx: AsyncConnection, user: UserId) -> int:
    """How much of it they have not read."""
    found = select(func.count()).where(notifications.c.user == user, notifications.c.read_at.is_(None))
    return int((await tx.execute(found)).scalar_one())


async def mark_read(
    tx: AsyncConnection, user: UserId, ids: Sequence[str] | None, *, thread: str | None, now_ms: int
) -> int:
    """They have read these, those of one thread, or (neither) all; how many they had not."""
    which = and_(notifications.c.user == user, notifications.c.read_at.is_(None))
    if ids is not None:
        which = and_(which, notifications.c.id.in_(list(ids)))
    if thread is not None:
        which = and_(which, notifications.c.thread == thread)
    return int((await tx.execute(update(notifications).where(which).values(read_at=now_ms))).rowcount)


async def delete_of_comments(tx: AsyncConnection, comments: Iterable[str]) -> list[UserId]:
    """Nobody is told of these comments any more; who was."""
    gone = delete(notifications).where(notifications.c.comment.in_(list(comments)))
    return list({UserId(row.user) for row in await tx.execute(gone.returning(notifications.c.user))})


async def delete_of_items(tx: AsyncConnection, items: Sequence[ItemId]) -> list[UserId]:
    """Nobody is told of these items any more; who was."""
    users: set[UserId] = set()
    for start in range(0, len(items), 500):
        some = list(items[start : start + 500])
        gone = delete(notifications).where(notifications.c.item.in_(some)).returning(notifications.c.user)
        users |= {UserId(row.user) for row in await tx.execute(gone)}
        await tx.execute(delete(mails).where(mails.c.item.in_(some)))
    return list(users)


# --- who wants mail ------------------------------------------------------------------------------


async def who_wants_mail(tx: AsyncConnection, users: Sequence[UserId]) -> list[UserId]:
    """Those of these users who want mail."""
    refused = select(choices.c.user).where(choices.c.user.in_(list(users)), choices.c.mail.is_(False))
    without = {row.user for row in await tx.execute(refused)}
    return [user for user in users if user not in without]


async def set_choice(tx: AsyncConnection, user: UserId, *, mail: bool) -> None:
    """From now on."""
    await tx.execute(delete(choices).where(choices.c.user == user))
    await tx.execute(insert(choices).values(user=user, mail=mail))


# --- mails that wait -----------------------------------------------------------------------------


async def queue_mails(
    tx: AsyncConnection, users: Sequence[UserId], item: ItemId, *, now_ms: int, delay_ms: int, delay_ms_max: int
) -> dict[UserId, str]:
    """The mail in which each of them will be told of this item: the one that waits already, or a new one."""
    queued: dict[UserId, str] = {}
    for row in (await tx.execute(select(mails).where(mails.c.user.in_(list(users)), mails.c.item == item))).all():
        queued[UserId(row.user)] = row.id
        if row.failures == 0 and row.claim is None:
            due_at = min(row.created_at + delay_ms_max, now_ms + delay_ms)
            await tx.execute(update(mails).where(mails.c.id == row.id).values(due_at=max(row.due_at, due_at)))
    new = {user: new_id() for user in users if user not in queued}
    if new:
        fresh = {"item": item, "created_at": now_ms, "due_at": now_ms + delay_ms}
        state = {"begun": 0, "failures": 0, "claim": None, "claimed_until": 0}
        await tx.execute(insert(mails), [{"id": mail, "user": user, **fresh, **state} for user, mail in new.items()])
    return queued | new


async def claim_mail(tx: AsyncConnection, *, claim: str, now_ms: int, until: int) -> WaitingMail | None:
    """One mail that is due; nobody else is given it until then."""
    due = select(mails).where(mails.c.due_at <= now_ms, mails.c.claimed_until <= now_ms)
    row = (await tx.execute(due.order_by(mails.c.due_at, mails.c.id).limit(1))).one_or_none()
    if row is None:
        return None
    taken = {"claim": claim, "claimed_until": until, "begun": row.begun + 1}
    await tx.execute(update(mails).where(mails.c.id == row.id).values(**taken))
    return WaitingMail(row.id, claim, UserId(row.user), ItemId(row.item), row.begun + 1, row.failures)


async def next_mail_at(tx: AsyncConnection) -> int | None:
    """When the next mail may be claimed; None: there is none."""
    free_at = case((mails.c.due_at > mails.c.claimed_until, mails.c.due_at), else_=mails.c.claimed_until)
    at: int | None = (await tx.execute(select(func.min(free_at)))).scalar_one()
    return at


async def read_told_by(tx: AsyncConnection, mail: str) -> list[Notification]:
    """What a mail is to say, the oldest first: what its user has not read in the page."""
    found = select(notifications).where(notifications.c.mail == mail, notifications.c.read_at.is_(None))
    return [_notification(row) for row in await tx.execute(found.order_by(notifications.c.at, notifications.c.id))]


async def finish_mail(
    tx: AsyncConnection, mail: WaitingMail, *, told: Sequence[str] | None, now_ms: int, delay_ms: int
) -> None:
    """It told these (None: all, or nobody ever will); what came since waits for another."""
    mine = (await tx.execute(select(mails.c.claim).where(mails.c.id == mail.id))).scalar_one_or_none()
    if mine != mail.claim:
        return
    which = notifications.c.mail == mail.id
    if told is not None:
        which = and_(which, or_(notifications.c.id.in_(list(told)), notifications.c.read_at.is_not(None)))
    await tx.execute(update(notifications).where(which).values(mail=None))
    left = (await tx.execute(select(notifications.c.id).where(notifications.c.mail == mail.id).limit(1))).first()
    if left is None:
        await tx.execute(delete(mails).where(mails.c.id == mail.id))
    else:
        fresh = {"created_at": now_ms, "due_at": now_ms + delay_ms, "begun": 0, "failures": 0}
        await tx.execute(update(mails).where(mails.c.id == mail.id).values(claim=None, claimed_until=0, **fresh))


async def postpone_mail(tx: AsyncConnection, mail: WaitingMail, *, due_at: int, begun: int) -> None:
    """It is tried again then."""
    mine = and_(mails.c.id == mail.id, mails.c.claim == mail.claim)
    again = {"due_at": due_at, "begun": begun, "failures": mail.failures + 1}
    await tx.execute(update(mails).where(mine).values(claim=None, claimed_until=0, **again))
