"""Keeps what we remember and what the engine has in step, and the engine's stock filled."""

from collections.abc import Iterator
from contextlib import contextmanager

import anyio

from collegium.ground import reasons
from collegium.ground.errors import CollegiumError, Unavailable
from collegium.ground.ids import RuntimeId
from collegium.ground.log import get_log
from collegium.runtimes.books import Books
from collegium.runtimes.catalogue import Catalogue
from collegium.runtimes.metrics import Numbers
from collegium.runtimes.model import Machine, Runtime, State, lost, strangers
from collegium.runtimes.offers import specification
from collegium.runtimes.ports import Engine, Environments
from collegium.runtimes.settings import RuntimesSettings
from collegium.runtimes.turns import Turns

RECONNECT_SECONDS = 1.0
RECONCILE_SECONDS = 60.0

log = get_log("runtimes")


class Keeper:
    """Follows the engine, and mends what differs. Accelerators are handed on only while both sides agree."""

    def __init__(
        self,
        books: Books,
        engine: Engine,
        environments: Environments,
        settings: RuntimesSettings,
        *,
        catalogue: Catalogue,
        turns: Turns,
        numbers: Numbers,
    ) -> None:
        self._books = books
        self._engine = engine
        self._environments = environments
        self._settings = settings
        self._catalogue = catalogue
        self._turns = turns
        self._numbers = numbers

    async def forget_requests(self) -> None:
        """At the start: nobody waits any more for what was being requested when the server ended."""
        living = await self._books.living()
        self._turns.restore(living)
        for runtime in living:
            if runtime.state is State.REQUESTED:
                self._cleaned("request", runtime.id)
                reason = reasons.words("request_lost")
                if await self._books.delete_from_engine(runtime.id):
                    await self._books.end(runtime.id, State.FAILED, reason, "lost")
                else:
                    await self._books.stopping(runtime.id, reason)

    async def follow(self) -> None:
        """Hear from the engine what ends by itself, for ever; after a break, compare everything again."""
        while True:
            with said("engine.not_followed"):
                async with self._engine.watch() as changes:
                    self._catalogue.ask_again()
                    await self._fill_stock()
                    await self.reconcile()
                    self._turns.open()
                    async for machine in changes:
                        await self._changed(machine)
            self._turns.close()
            await anyio.sleep(RECONNECT_SECONDS)

    async def compare(self) -> None:
        """Now and then, for ever: what no event told of is found all the same."""
        while True:
            await anyio.sleep(RECONCILE_SECONDS)
            with said("runtimes.not_reconciled"):
                await self.reconcile()

    async def reconcile(self) -> None:
        """Bring what we remember and what the engine has in step; the engine is right about what lives."""
        boot = (await self._catalogue.abilities()).boot
        ours, theirs = await self._books.both()
        believed = [one for one in ours if not self._books.is_held(one.id)]
        for runtime, reason in lost([one for one in believed if one.state is State.READY], theirs, boot):
            if await self._books.end(runtime.id, State.FAILED, reason, "lost"):
                self._cleaned("lost", runtime.id)
        for runtime in believed:
            if runtime.state is State.STOPPING:
                await self._finish(runtime, "unfinished", runtime.reason)
            elif runtime.state is State.REQUESTED:
                await self._finish(runtime, "request", reasons.words("request_given_up"))
        for stranger in strangers(ours, theirs):
            self._cleaned("stranger", stranger)
            await self._books.delete_from_engine(stranger)

    async def _finish(self, runtime: Runtime, what: str, reason: str) -> None:
        """End what somebody began to end, or did not begin to use."""
        self._cleaned(what, runtime.id)
        if await self._books.delete_from_engine(runtime.id):
            await self._books.end(runtime.id, State.STOPPED, reason, "given_back")

    async def _changed(self, machine: Machine) -> None:
        if machine.state is not State.FAILED:
            return
        await self._books.end(machine.id, State.FAILED, machine.reason, "failed")
        await self._books.delete_from_engine(machine.id)

    async def _fill_stock(self) -> None:
        settings, version = self._settings, self._settings.version
        try:
            environment = await self._environments.ready(version)
        except Unavailable as error:
            # Who asks for a runtime is told the same; those that are lent go on and are followed.
            log.warning("environment.unavailable", version=version, why=error.detail)
            return
        stock = []
        for offer in await self._catalogue.offers():
            count = max(offer.type.pool, settings.pool if offer.name == settings.type else 0)
            if count and offer.available and offer.type.accelerator is None:
                wanted = specification(offer, settings, version=version, environment=str(environment))
                stock.append((wanted, count))
        await self._engine.keep_ready(stock)

    def _cleaned(self, what: str, runtime: RuntimeId) -> None:
        self._numbers.cleaned(what)
        log.warning("runtime.reconciled", runtime=runtime, what=what)


@contextmanager
def said(event: str) -> Iterator[None]:
    """What goes wrong now, with a full disk or without an engine, may go well the next time: nobody ends for it."""
    try:
        yield
    except CollegiumError as error:
        log.warning(event, why=error.detail)
