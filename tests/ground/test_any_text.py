"""Text that comes from machines is kept as it is, whatever is in it."""

import pytest
import sqlalchemy as sa

from collegium.ground.db import AnyText, Database

pytestmark = pytest.mark.anyio
TABLE = sa.Table("texts", sa.MetaData(), sa.Column("text", AnyText))


@pytest.mark.parametrize("text", ["", "\0", "a\0b", "\x1a", "\x1a0", "\x1ae", "\x1a\0e\0\x1a", "ü📊\u2028\r\n\t"])
async def test_what_was_written_is_read(database: Database, text: str) -> None:
    async with database.write() as tx:
        await tx.run_sync(TABLE.create)
        await tx.execute(sa.insert(TABLE).values(text=text))

    async with database.read() as tx:
        assert await tx.scalar(sa.select(TABLE.c.text)) == text
        assert await tx.scalar(sa.select(TABLE.c.text).where(TABLE.c.text == text)) == text


async def test_half_a_surrogate_pair_does_not_end_a_transaction(database: Database) -> None:
    async with database.write() as tx:
        await tx.run_sync(TABLE.create)
        await tx.execute(sa.insert(TABLE).values(text="a\ud800b"))

    async with database.read() as tx:
        assert await tx.scalar(sa.select(TABLE.c.text)) == "a?b"
