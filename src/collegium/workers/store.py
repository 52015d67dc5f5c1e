"""The workers in SQL. All of it is short, and runs in one go."""

from collections.abc import Mapping
from typing import Any

import sqlalchemy as sa
from sqlalchemy import BigInteger, Column, Integer, String, Table, Text
from sqlalchemy.engine import Connection

from collegium.ground.db import metadata
from collegium.workers.model import Worker, WorkerId

worker = Table(
    "worker",
    metadata,
    Column("id", String(22), primary_key=True),
    Column("address", Text, nullable=False),
    Column("beat", BigInteger, nullable=False),
)
worker_lead = Table(
    "worker_lead",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("worker_id", String(22)),
    Column("fence", BigInteger, nullable=False),
)


def is_registered(id: sa.ColumnElement[Any]) -> sa.ColumnElement[bool]:
    """Whether the worker of this id is one of those that live."""
    return sa.exists().where(worker.c.id == id)


def insert(tx: Connection, new: Worker) -> None:
    """A worker begins."""
    tx.execute(worker.insert(), {"id": new.id, "address": new.address, "beat": new.beat})


def forget_all_below(tx: Connection, folder: str) -> None:
    """Those whose addresses are in this folder are none any more."""
    tx.execute(sa.delete(worker).where(worker.c.address.startswith(folder, autoescape=True)))


def beat(tx: Connection, id: WorkerId) -> bool:
    """Its heart beats once more; False if it was taken for dead."""
    moved = tx.execute(sa.update(worker).where(worker.c.id == id).values(beat=worker.c.beat + 1))
    return moved.rowcount == 1


def delete(tx: Connection, beats: Mapping[WorkerId, int]) -> None:
    """These are dead, unless one of them has beaten since."""
    for id, last in beats.items():
        tx.execute(sa.delete(worker).where(worker.c.id == id, worker.c.beat == last))


def delete_whatever_beat(tx: Connection, id: WorkerId) -> None:
    """This one is no more."""
    tx.execute(sa.delete(worker).where(worker.c.id == id))


def read_all(tx: Connection) -> list[Worker]:
    """Those who are registered."""
    rows = tx.execute(sa.select(worker.c.id, worker.c.address, worker.c.beat))
    return [Worker(WorkerId(row.id), row.address, row.beat) for row in rows]


def take_lead(tx: Connection, id: WorkerId) -> None:
    """Lead, if nobody who lives does."""
    free = sa.or_(worker_lead.c.worker_id.is_(None), ~is_registered(worker_lead.c.worker_id))
    tx.execute(sa.update(worker_lead).where(free).values(worker_id=id, fence=worker_lead.c.fence + 1))


def give_up_lead(tx: Connection, id: WorkerId) -> None:
    """Lead no more."""
    tx.execute(sa.update(worker_lead).where(worker_lead.c.worker_id == id).values(worker_id=None))


def read_lead(tx: Connection) -> WorkerId | None:
    """Who leads; it may be dead."""
    found = tx.execute(sa.select(worker_lead.c.worker_id)).scalar_one_or_none()
    return None if found is None else WorkerId(found)


def registered(id: WorkerId) -> sa.Select[Any]:
    """One row if it lives, else none."""
    return sa.select(worker.c.id).where(worker.c.id == id)
