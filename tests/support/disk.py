"""A disk that is full, as the database sees it."""

import anyio.to_thread
from sqlalchemy import text
from sqlalchemy.engine import Connection

from collegium.ground.db import Database, is_sqlite
from support.postgres import postgres


async def leave_room(database: Database, pages: int | None) -> None:
    """Let the database grow by so many pages from now on (None: as far as it likes)."""
    if not is_sqlite(database.url):
        await anyio.to_thread.run_sync(postgres().leave_room, database.url, pages)
        return

    def limit(tx: Connection) -> None:
        used = tx.execute(text("PRAGMA page_count")).scalar_one()
        tx.execute(text(f"PRAGMA max_page_count={1 << 30 if pages is None else used + pages}"))

    # The limit is each connection's own, and two of them write.
    async with database.write() as tx:
        await tx.run_sync(limit)
    await database.write_in_one_go(limit)
