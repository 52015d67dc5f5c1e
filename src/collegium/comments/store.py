"""The tables of threads and comments, and their statements."""

import json
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    Row,
    String,
    Table,
    Text,
    UniqueConstraint,
    and_,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.comments.model import Anchor, Comment, Place, Thread
from collegium.ground.db import metadata
from collegium.ground.errors import NotFound
from collegium.ground.ids import CellId, NotebookId, UserId, is_id

threads = Table(
    "comment_threads",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("notebook", String(22), nullable=False),
    Column("number", Integer, nullable=False),
    Column("cell", String(64), nullable=False),
    Column("anchor", Text, nullable=True),
    Column("quote", Text, nullable=False),
    Column("before", Text, nullable=False),
    Column("after", Text, nullable=False),
    Column("resolved_at", BigInteger, nullable=True),
    Column("resolved_by", String(22), ForeignKey("users.id"), nullable=True),
    UniqueConstraint("notebook", "number"),
)
"""`number` counts the threads of a notebook; pages go by it."""

comments = Table(
    "comments",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("thread", String(22), ForeignKey("comment_threads.id"), nullable=False),
    Column("number", Integer, nullable=False),
    Column("by", String(22), ForeignKey("users.id"), nullable=False),
    Column("draft", String(64), nullable=False),
    Column("text", Text, nullable=False),
    Column("mentions", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    Column("deleted_at", BigInteger, nullable=True),
    UniqueConstraint("thread", "number"),
    UniqueConstraint("by", "draft"),
)
"""`draft` is the page's own name for what it sends, so that sending it again does not say it twice."""


def _comment(row: Row[Any]) -> Comment:
    mentions = tuple(UserId(user) for user in json.loads(row.mentions))
    deleted = row.deleted_at is not None
    return Comment(row.id, row.number, UserId(row.by), row.text, mentions, row.at, row.changed_at, deleted)


def _thread(row: Row[Any], said: Iterable[Comment]) -> Thread:
    anchor = None if row.anchor is None else Anchor(**json.loads(row.anchor))
    place = Place(CellId(row.cell), anchor, row.quote, row.before, row.after)
    resolved_by = None if row.resolved_by is None else UserId(row.resolved_by)
    return Thread(row.id, NotebookId(row.notebook), row.number, place, row.resolved_at, resolved_by, tuple(said))


async def _comments_of(tx: AsyncConnection, ids: Sequence[str]) -> dict[str, list[Comment]]:
    found: dict[str, list[Comment]] = defaultdict(list)
    for row in await tx.execute(select(comments).where(comments.c.thread.in_(ids)).order_by(comments.c.number)):
        found[row.thread].append(_comment(row))
    return found


async def read_threads(tx: AsyncConnection, notebook: NotebookId, *, after: int, limit: int) -> list[Thread]:
    """The threads of a notebook with a higher number than this, in order."""
    page = select(threads).where(threads.c.notebook == notebook, threads.c.number > after)
    rows = (await tx.execute(page.order_by(threads.c.number).limit(limit))).all()
    said = await _comments_of(tx, [row.id for row in rows])
    return [_thread(row, said[row.id]) for row in rows]


async def read_thread(tx: AsyncConnection, notebook: NotebookId, thread: str) -> Thread:
    """A thread of this very notebook. Raises NotFound."""
    found = select(threads).where(threads.c.id == thread, threads.c.notebook == notebook)
    row = (await tx.execute(found)).one_or_none() if is_id(thread) else None
    if row is None:
        raise NotFound("There is no such thread here; perhaps it was deleted.")
    return _thread(row, (await _comments_of(tx, [thread]))[thread])


async def thread_of_draft(tx: AsyncConnection, user: UserId, draft: str) -> tuple[NotebookId, str] | None:
    """Where a draft of this user was said already: the notebook and the thread."""
    found = select(threads.c.notebook, threads.c.id).join(comments, comments.c.thread == threads.c.id)
    row = (await tx.execute(found.where(comments.c.by == user, comments.c.draft == draft))).one_or_none()
    return None if row is None else (NotebookId(row.notebook), row.id)


async def count_threads(tx: AsyncConnection, notebook: NotebookId) -> int:
    """How many threads a notebook has."""
    return int((await tx.execute(select(func.count()).where(threads.c.notebook == notebook))).scalar_one())


async def insert_thread(tx: AsyncConnection, thread: str, notebook: NotebookId, place: Place) -> None:
    """A new thread in which nothing is said yet."""
    highest = select(func.max(threads.c.number)).where(threads.c.notebook == notebook)
    number = ((await tx.execute(highest)).scalar_one() or 0) + 1
    anchor = None if place.anchor is None else json.dumps({"start": place.anchor.start, "end": place.anchor.end})
    row = {"id": thread, "notebook": notebook, "number": number, "cell": place.cell, "anchor": anchor}
    await tx.execute(insert(threads).values(quote=place.quote, before=place.before, after=place.after, **row))


async def insert_comment(tx: AsyncConnection, thread: str, comment: Comment, *, draft: str) -> None:
    """Say something at the end of a thread."""
    row = {"id": comment.id, "thread": thread, "number": comment.number, "by": comment.by, "text": comment.text}
    times = {"at": comment.at, "changed_at": comment.changed_at}
    await tx.execute(insert(comments).values(draft=draft, mentions=json.dumps(comment.mentions), **row, **times))


async def update_comment(
    tx: AsyncConnection, comment: str, *, text: str, mentions: Sequence[UserId], changed_at: int
) -> None:
    """It says something else now."""
    changed = update(comments).where(comments.c.id == comment)
    await tx.execute(changed.values(text=text, mentions=json.dumps(list(mentions)), changed_at=changed_at))


async def empty_comment(tx: AsyncConnection, comment: str, *, at: int) -> None:
    """It says nothing any more."""
    emptied = update(comments).where(comments.c.id == comment)
    await tx.execute(emptied.values(text="", mentions="[]", deleted_at=at))


async def set_resolved(tx: AsyncConnection, thread: str, *, by: UserId | None, at: int | None) -> None:
    """It is done with; or (None) it is open again."""
    await tx.execute(update(threads).where(threads.c.id == thread).values(resolved_at=at, resolved_by=by))


async def delete_thread(tx: AsyncConnection, thread: str) -> None:
    """And all that was said in it."""
    await tx.execute(delete(comments).where(comments.c.thread == thread))
    await tx.execute(delete(threads).where(threads.c.id == thread))


async def delete_of_notebooks(tx: AsyncConnection, notebooks: Sequence[NotebookId]) -> None:
    """Everything that was said about these notebooks."""
    for start in range(0, len(notebooks), 500):
        some = list(notebooks[start : start + 500])
        theirs = select(threads.c.id).where(threads.c.notebook.in_(some))
        await tx.execute(delete(comments).where(comments.c.thread.in_(theirs)))
        await tx.execute(delete(threads).where(threads.c.notebook.in_(some)))


async def read_authors(tx: AsyncConnection, notebook: NotebookId, *, limit: int) -> list[UserId]:
    """Who said something about a notebook."""
    found = select(comments.c.by).join(threads, threads.c.id == comments.c.thread)
    living = and_(threads.c.notebook == notebook, comments.c.deleted_at.is_(None))
    return [UserId(row.by) for row in await tx.execute(found.where(living).distinct().limit(limit))]
