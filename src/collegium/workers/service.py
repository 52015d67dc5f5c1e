"""This process among its fellows: it beats, sees who is silent, leads when nobody does, and is spoken to."""

import asyncio
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import TaskGroup
from sqlalchemy.engine import Connection
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.ground import errors
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, Unavailable
from collegium.ground.ids import new_id
from collegium.ground.log import get_log
from collegium.ground.streams import UnixStream
from collegium.workers import store
from collegium.workers.model import BEAT_SECONDS, LEASE_SECONDS, Sighting, Worker, WorkerId, seen, silent
from collegium.workers.wire import Garbled, HungUp, Line, Message, dialled, encoded, is_own, listening

__all__ = [
    "Garbled",
    "HungUp",
    "Line",
    "Message",
    "Worker",
    "WorkerId",
    "Workers",
    "encoded",
    "is_registered",
    "open_workers",
]

log = get_log("workers")

Handler = Callable[[Line, Message, bytes], Awaitable[None]]
Clock = Callable[[], float]

FOLDER = "workers"
WAIT_SECONDS_MAX = 10.0
"""How long somebody waits for a leader, or for an owner to be found dead."""
FIRST_WORD_SECONDS_MAX = 10.0
LINES_MAX = 20_000

is_registered = store.is_registered


class Workers:
    """The processes of this server, as this one sees them, itself among them."""

    def __init__(self, database: Database, folder: Path, tasks: TaskGroup, *, alone: bool, clock: Clock) -> None:
        self.id = WorkerId(new_id())
        self.alone = alone
        """Nobody else can be there: nothing has to beat, and nothing is passed on."""
        self.address = str(folder / FOLDER / f"{self.id}.sock")
        self.handlers: dict[str, Handler] = {}
        """Who answers a line, by the `kind` of its first message."""
        self.ready = anyio.Event()
        """Set once the handlers are all there."""
        self.on_lost: Callable[[], None] = _nothing
        """Called when this process was taken for dead: whatever it owned is somebody else's."""
        self.on_gone: list[Callable[[WorkerId], None]] = []
        self.on_found: list[Callable[[Worker], None]] = []
        self.is_lost = False
        self._database = database
        self._tasks = tasks
        self._clock = clock
        self._sightings: dict[WorkerId, Sighting] = {}
        self._fellows: dict[WorkerId, Worker] = {}
        self._lead: WorkerId | None = None
        self._changed = anyio.Event()
        self._lines = 0
        self._rounds = anyio.Lock()

    # --- who is there ------------------------------------------------------------------------------------------

    @property
    def leads(self) -> bool:
        """Whether this process has what only one may have."""
        return self._lead == self.id and not self.is_lost

    @property
    def fellows(self) -> dict[WorkerId, Worker]:
        """The others that live."""
        return self._fellows

    def is_elsewhere(self, owner: str | None) -> bool:
        """Whether this is another process, and it lives."""
        return owner is not None and owner != self.id and WorkerId(owner) in self._fellows

    async def leader(self) -> WorkerId:
        """Who leads. Raises Unavailable if nobody does for long."""
        with anyio.move_on_after(WAIT_SECONDS_MAX):
            while self._lead is None or (self._lead != self.id and self._lead not in self._fellows):
                await self._changed.wait()
            return self._lead
        raise Unavailable("The server is being restarted. Try again in a moment.")

    async def until_gone(self, worker: WorkerId) -> None:
        """Comes back when this one lives no more."""
        while worker in self._fellows:
            await self._changed.wait()

    async def until_leading(self) -> None:
        """Comes back when this process leads."""
        while not self.leads:
            await self._changed.wait()

    # --- the round ---------------------------------------------------------------------------------------------

    async def run(self) -> None:
        """Beat and look around, for ever."""
        while True:
            await anyio.sleep(BEAT_SECONDS)
            await self.look()

    async def look(self) -> None:
        """Beat once, bury who was silent for too long, and lead if nobody does."""
        if self.is_lost:
            return
        async with self._rounds:
            try:
                living, lead = await self._database.write_in_one_go(self._round)
            except (CollegiumError, SQLAlchemyError, OSError) as error:
                # A database that cannot be written to now costs this beat.
                log.warning("beat.missed", error=type(error).__name__)
                return
        if living is None:
            self.lost()
            return
        self._adopt(living, lead)

    def _round(self, tx: Connection) -> tuple[list[Worker] | None, WorkerId | None]:
        if not self.alone and not store.beat(tx, self.id):
            return None, None
        # Read first, judge then: one that was asleep itself knows nothing of how long the others were silent.
        self._sightings = seen(self._sightings, store.read_all(tx), self._clock())
        dead = silent(self._sightings, self._clock())
        dead.pop(self.id, None)
        store.delete(tx, dead)
        store.take_lead(tx, self.id)
        return store.read_all(tx), store.read_lead(tx)

    def _adopt(self, living: list[Worker], lead: WorkerId | None) -> None:
        fellows = {worker.id: worker for worker in living if worker.id != self.id}
        before, self._fellows = self._fellows, fellows
        if lead != self._lead:
            log.info("lead.changed", worker=lead, here=lead == self.id)
        self._lead = lead
        for worker in fellows.keys() - before.keys():
            for found in self.on_found:
                found(fellows[worker])
        for worker in before.keys() - fellows.keys():
            log.info("worker.gone", worker=worker)
            for gone in self.on_gone:
                gone(worker)
        self._changed.set()
        self._changed = anyio.Event()

    async def suspect(self, worker: WorkerId) -> None:
        """Nobody answers there. On one machine that proves its end: it is buried without waiting for its silence."""
        known = self._fellows.get(worker)
        if known is None:
            return
        try:
            line = await dialled(known.address)
        except HungUp:
            with suppress(CollegiumError, SQLAlchemyError, OSError):
                await self._database.write_in_one_go(lambda tx: store.delete_whatever_beat(tx, worker))
            await self.look()
        else:
            await line.aclose()

    def lost(self) -> None:
        """This process was taken for dead."""
        if not self.is_lost:
            self.is_lost = True
            log.error("worker.lost", worker=self.id)
            self._changed.set()
            self._changed = anyio.Event()
            self.on_lost()

    async def guard(self, tx: AsyncConnection) -> None:
        """Refuse a transaction of a process that was taken for dead. Raises Unavailable."""
        if (await tx.execute(store.registered(self.id))).one_or_none() is None:
            self.lost()
            raise Unavailable("This process was taken for dead, and begins again.")

    # --- lines -------------------------------------------------------------------------------------------------

    async def dial(self, worker: WorkerId, first: Message, body: bytes = b"") -> Line:
        """A line to another worker, begun with this message. Raises HungUp."""
        known = self._fellows.get(worker)
        if known is None:
            raise HungUp
        line = await dialled(known.address)
        try:
            await line.send(first, body)
        except BaseException:
            await line.aclose()
            raise
        return line

    async def ask(self, worker: WorkerId, message: Message, body: bytes = b"") -> tuple[Message, bytes]:
        """One question, one answer. Raises what the other side raised, and Unavailable if it does not answer."""
        with anyio.move_on_after(LEASE_SECONDS + WAIT_SECONDS_MAX):
            try:
                line = await self.dial(worker, message, body)
                try:
                    answer, content = await line.receive()
                finally:
                    await line.aclose()
            except (HungUp, Garbled) as error:
                await self.suspect(worker)
                raise Unavailable("Another process of the server went away. Try again in a moment.") from error
            if "error" in answer:
                raise _raised(answer)
            return answer, content
        raise Unavailable("Another process of the server does not answer.")

    def answers(self, kind: str, answer: Callable[[Message, bytes], Awaitable[tuple[Message, bytes]]]) -> None:
        """Have questions of this kind answered; errors that a caller can act on are told, and raised there."""

        async def handled(line: Line, message: Message, body: bytes) -> None:
            try:
                said, content = await answer(message, body)
            except CollegiumError as error:
                kinds = {"error": type(error).__name__, "detail": error.detail, "code": error.code}
                said, content = kinds | {"extra": error.extra}, b""
            await line.send(said, content)

        self.handlers[kind] = handled

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Somebody dialled."""
        stream = UnixStream(reader, writer)
        if self._tasks.cancel_scope.cancel_called or self._lines >= LINES_MAX or not is_own(stream):
            writer.transport.abort()
            return
        self._tasks.start_soon(self._serve, Line(stream))

    async def _serve(self, line: Line) -> None:
        self._lines += 1
        try:
            with anyio.fail_after(FIRST_WORD_SECONDS_MAX):
                message, body = await line.receive()
                await self.ready.wait()
            handler = self.handlers.get(str(message.get("kind")))
            if handler is None:
                raise Garbled("a line of no known kind")
            await handler(line, message, body)
        except HungUp:
            return
        except (Garbled, TimeoutError) as error:
            log.warning("line.garbled", error=str(error))
        except Exception:
            # A bug in one line ends that line, and not the others.
            log.exception("line.failed")
        finally:
            self._lines -= 1
            with anyio.CancelScope(shield=True):
                await line.aclose()


def _nothing() -> None:
    return None


def _raised(answer: Message) -> CollegiumError:
    kind = getattr(errors, str(answer["error"]), None)
    known = kind if isinstance(kind, type) and issubclass(kind, CollegiumError) else Unavailable
    extra: dict[str, Any] = answer.get("extra") or {}
    return known(str(answer.get("detail")), code=answer.get("code"), **extra)


@asynccontextmanager
async def open_workers(
    database: Database, folder: Path, *, alone: bool = True, founding: bool = True, clock: Clock = time.monotonic
) -> AsyncIterator[Workers]:
    """Be one of the workers of this folder until the end, then give up all that a worker has.

    `alone`: there can be no other. `founding`: whoever is registered for this folder is dead; nobody else began yet.
    """
    async with anyio.create_task_group() as tasks:
        workers = Workers(database, folder, tasks, alone=alone, clock=clock)
        server = None
        if not alone:
            if founding:
                for left in (folder / FOLDER).glob("*.sock"):
                    left.unlink()
            server = await asyncio.start_unix_server(workers.accept, sock=listening(workers.address), limit=1 << 20)

        def begin(tx: Connection) -> None:
            if alone:
                # Whoever is registered, be it for a folder that has moved since, is dead.
                store.forget_all_below(tx, "")
            elif founding:
                store.forget_all_below(tx, str(folder / FOLDER) + os.sep)
            store.insert(tx, Worker(workers.id, workers.address, 0))

        await database.write_in_one_go(begin)
        await workers.look()
        if not alone:
            database.guard = workers.guard
            tasks.start_soon(workers.run)
        try:
            yield workers
        finally:
            tasks.cancel_scope.cancel()
            with anyio.CancelScope(shield=True):
                if server is not None:
                    server.close()
                    await anyio.Path(workers.address).unlink(missing_ok=True)
                await _end(workers, database)


async def _end(workers: Workers, database: Database) -> None:
    def end(tx: Connection) -> None:
        store.give_up_lead(tx, workers.id)
        store.delete_whatever_beat(tx, workers.id)

    database.guard = None
    try:
        await database.write_in_one_go(end)
    except (CollegiumError, SQLAlchemyError, OSError) as error:
        # The others find out by its silence.
        log.warning("worker.not_ended", error=type(error).__name__)
