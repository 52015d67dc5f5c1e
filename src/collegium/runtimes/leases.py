"""The time that runtimes are lent for: what counts as use, who is told before the end, and taking them back."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

import anyio

from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, Conflict, NotFound
from collegium.ground.ids import RuntimeId
from collegium.ground.log import get_log
from collegium.runtimes import store
from collegium.runtimes.lifetime import Notice, NoticeKind, due, kept, review, why
from collegium.runtimes.model import Runtime, State

log = get_log("runtimes")

OnNotice = Callable[[RuntimeId, Notice | None], None]
TakeBack = Callable[[RuntimeId, str, NoticeKind], Awaitable[None]]


class Leases:
    """Which notices stand. When something was used is kept in memory, and written down at every review."""

    def __init__(self, database: Database, *, notice: timedelta, take_back: TakeBack) -> None:
        self.on_notice: list[OnNotice] = []
        """Called with a notice, and with None once it stands no more, because somebody still uses the runtime."""
        self._database = database
        self._notice_ms = int(notice.total_seconds() * 1000)
        self._take_back = take_back
        self._used: dict[RuntimeId, int] = {}
        self._notices: dict[RuntimeId, Notice] = {}

    def touch(self, runtime: RuntimeId) -> None:
        """Somebody uses it now."""
        self._used[runtime] = now_ms()
        notice = self._notices.get(runtime)
        if notice is not None and notice.kind is NoticeKind.IDLE:
            self._stand(runtime, None)

    async def keep(self, runtime: RuntimeId) -> Runtime:
        """Its user asks for more time. Raises NotFound, and Conflict if it has had all there is."""
        async with self._database.write() as tx:
            found = await store.read_runtime(tx, runtime)
            if found is None or found.state is not State.READY:
                raise NotFound(f"There is no runtime {runtime[:32]} any more.")
            longer = kept(found, now_ms())
            await store.update_runtime(tx, longer)
        self._used[runtime] = longer.used_at
        notice = self._notices.get(runtime)
        if notice is None:
            return longer
        if notice.kind is NoticeKind.LIFETIME and longer.expires_at == found.expires_at:
            raise Conflict("This runtime has been kept for as long as its type allows.", code="lifetime_over")
        self._stand(runtime, review(longer, None, now=now_ms(), notice_ms=self._notice_ms))
        return longer

    def notice(self, runtime: RuntimeId) -> Notice | None:
        """What its users have been told."""
        return self._notices.get(runtime)

    def notices(self) -> dict[RuntimeId, Notice]:
        """All that stand."""
        return dict(self._notices)

    def forget(self, runtime: RuntimeId) -> None:
        """It is over."""
        self._used.pop(runtime, None)
        self._notices.pop(runtime, None)

    async def review(self, runtimes: list[Runtime]) -> None:
        """Write down what was used, tell who must be told, and take back what nobody may have any longer."""
        used = dict(self._used)
        async with self._database.write() as tx:
            await store.set_used(tx, used.items())
        async with anyio.create_task_group() as tasks:
            for runtime in runtimes:
                lately = self._lately(runtime)
                notice, now = self._notices.get(runtime.id), now_ms()
                if notice is not None and notice.at <= now and due(lately).at <= now:
                    tasks.start_soon(self._end, lately, notice.kind)
                else:
                    self._stand(runtime.id, review(lately, notice, now=now, notice_ms=self._notice_ms))
        for runtime_id, at in used.items():
            if self._used.get(runtime_id) == at:
                del self._used[runtime_id]

    async def _end(self, runtime: Runtime, kind: NoticeKind) -> None:
        """Each by itself: one that does not end delays no other, and is tried again at the next review."""
        try:
            await self._take_back(runtime.id, why(runtime, kind), kind)
        except CollegiumError as error:
            log.warning("runtime.not_taken_back", runtime=runtime.id, why=error.detail)

    def _lately(self, runtime: Runtime) -> Runtime:
        return replace(runtime, used_at=max(runtime.used_at, self._used.get(runtime.id, 0)))

    def _stand(self, runtime: RuntimeId, notice: Notice | None) -> None:
        if self._notices.get(runtime) == notice:
            return
        if notice is None:
            del self._notices[runtime]
        else:
            self._notices[runtime] = notice
            log.info("notice.given", runtime=runtime, kind=notice.kind.value, at=notice.at)
        for told in self.on_notice:
            told(runtime, notice)
