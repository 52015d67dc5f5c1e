"""The table of the words by which items are found, and its statements.

The database itself keeps the index over it (SQLite by triggers, PostgreSQL by GIN), so whoever writes here is found.
How an index is asked differs: see `Matcher` in `search.py`.
"""

import secrets
from collections.abc import Sequence
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, String, Table, Text, and_, delete, exists, insert, or_, select
from sqlalchemy import update as update_rows
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.drive.words import TEXT_LENGTH_MAX, distinct_words
from collegium.ground.db import metadata
from collegium.ground.ids import ItemId

search_texts = Table(
    "search_texts",
    metadata,
    Column("item", String(22), ForeignKey("items.id"), primary_key=True),
    Column("number", BigInteger, nullable=False, unique=True),
    Column("name_words", Text, nullable=False),
    Column("text_words", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("indexed_at", BigInteger, nullable=True),
)
"""`number`: the row's own, by which SQLite's index speaks of it. `indexed_at`: null until its text was looked at."""

NUMBERS = 1 << 62
_NO_TEXT = {"text_words": "", "text": "", "indexed_at": None}


async def insert_name(tx: AsyncConnection, item: ItemId, name: str) -> None:
    """A new item can be found by its name."""
    await insert_names(tx, [(item, name)])


async def insert_names(tx: AsyncConnection, named: Sequence[tuple[ItemId, str]]) -> None:
    """New items can be found by their names."""
    rows = [
        {"item": item, "number": secrets.randbelow(NUMBERS), "name_words": distinct_words(name)} | _NO_TEXT
        for item, name in named
    ]
    if rows:
        await tx.execute(insert(search_texts), rows)


async def set_name(tx: AsyncConnection, item: ItemId, name: str) -> None:
    """The item has another name."""
    renamed = update_rows(search_texts).where(search_texts.c.item == item).values(name_words=distinct_words(name))
    await tx.execute(renamed)


async def set_text(tx: AsyncConnection, item: ItemId, text: str, text_words: str, now: int) -> None:
    """What the item says, as of now."""
    kept = text[:TEXT_LENGTH_MAX].replace("\0", " ").encode("utf-8", "replace").decode()
    values = {"text": kept, "text_words": text_words, "indexed_at": now}
    await tx.execute(update_rows(search_texts).where(search_texts.c.item == item).values(values))


async def mark_looked_at(tx: AsyncConnection, item: ItemId, now: int) -> None:
    """The item says the same as before."""
    await tx.execute(update_rows(search_texts).where(search_texts.c.item == item).values(indexed_at=now))


async def read_text_words(tx: AsyncConnection, item: ItemId) -> tuple[str, str] | None:
    """The text and the words kept for an item; None: nothing is."""
    found = select(search_texts.c.text, search_texts.c.text_words).where(search_texts.c.item == item)
    row = (await tx.execute(found)).one_or_none()
    return None if row is None else (row.text, row.text_words)


async def read_texts(tx: AsyncConnection, ids: Sequence[ItemId]) -> dict[ItemId, str]:
    """What these items say, as far as it is kept."""
    found = select(search_texts.c.item, search_texts.c.text).where(search_texts.c.item.in_(ids))
    return {ItemId(row.item): row.text for row in await tx.execute(found)}


async def delete_texts(tx: AsyncConnection, ids: Sequence[ItemId]) -> None:
    """These items are being deleted."""
    await tx.execute(delete(search_texts).where(search_texts.c.item.in_(ids)))


async def unnamed(tx: AsyncConnection, items: Table, *, limit: int) -> list[tuple[ItemId, str]]:
    """Items that cannot be found yet, with their names: they are older than the search."""
    known = exists().where(search_texts.c.item == items.c.id)
    found = select(items.c.id, items.c.name).where(~known).limit(limit)
    return [(ItemId(row.id), row.name) for row in await tx.execute(found)]


async def unread(tx: AsyncConnection, items: Table, kind: str, *, limit: int) -> list[ItemId]:
    """Items of this kind that were changed after they were looked at."""
    late: Any = or_(search_texts.c.indexed_at.is_(None), search_texts.c.indexed_at < items.c.modified_at)
    found = select(items.c.id).join(search_texts, and_(search_texts.c.item == items.c.id, late))
    found = found.where(items.c.kind == kind).order_by(items.c.modified_at.desc()).limit(limit)
    return [ItemId(item) for item in (await tx.execute(found)).scalars()]
