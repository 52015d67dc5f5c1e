"""What was installed on top of a runtime's environment: asked after cells that may have done so, recorded, told."""

import hashlib
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import anyio

from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import CollegiumError, Unavailable
from collegium.ground.ids import NotebookId
from collegium.sessions import answers, environment_store
from collegium.sessions.diary import Diary
from collegium.sessions.environment_store import Environment, on_top_to
from collegium.sessions.loan import Loan
from collegium.sessions.model import Execution, OnTop, Replaced
from collegium.sessions.present import packages_frame

QUICK_MS = 300
"""Nothing is installed in less time, unless the cell says so."""
BETWEEN_SECONDS = 1.0
TOLD_MAX = 50
"""Packages of one change that are named in the diary."""
ANSWER_SECONDS_MAX = 20.0
_INSTALLS = re.compile(r"\b(pip|uv|conda|mamba|poetry|install|uninstall)\b")


def may_install(execution: Execution) -> bool:
    """Whether a cell that ended may have changed what is installed."""
    took = (execution.finished_at or 0) - (execution.started_at or 0)
    return took >= QUICK_MS or _INSTALLS.search(execution.source) is not None


class Installed:
    """Follows what is installed in the runtime of one notebook."""

    def __init__(
        self,
        notebook: NotebookId,
        loan: Loan,
        db: Database,
        *,
        tell: Callable[[dict[str, Any]], None],
        diary: Diary,
    ) -> None:
        self.on_top = OnTop()
        self._name: str | None = None
        """The name of what was found last, once it is written down."""
        self._notebook = notebook
        self._loan = loan
        self._db = db
        self._tell = tell
        self._diary = diary
        self._stale: tuple[Replaced, ...] = ()
        self._wanted = anyio.Event()

    @property
    def environment(self) -> str | None:
        """The name of what cells run in now: of what was found last, else of a runtime on which nobody installed."""
        binding, machine = self._loan.binding, self._loan.machine
        if self._name is not None or binding is None or machine is None:
            return self._name
        return environment_name(machine.version, binding.layer, self.on_top)

    def ended(self, execution: Execution) -> None:
        """A cell ended: what it left is looked at soon."""
        if self._name is None or may_install(execution):
            self._wanted.set()

    def look_once(self) -> None:
        """A runtime that this server did not ask for itself is looked at: much may be installed in it."""
        binding = self._loan.binding
        if self._name is None and binding is not None and binding.stored_seq > 0:
            self._wanted.set()

    def kernel_is_new(self) -> None:
        """Nothing is imported any more."""
        if self._stale:
            self._stale = ()
            self._tell(packages_frame(()))

    def forget(self) -> None:
        """There is another runtime, or none."""
        self.on_top, self._name, self._stale = OnTop(), None, ()

    def last(self) -> list[dict[str, Any]]:
        """What was told last, for one who comes late."""
        return [packages_frame(self._stale)] if self._stale else []

    async def run(self) -> None:
        """For ever: after cells that may have installed something."""
        while True:
            await self._wanted.wait()
            self._wanted = anyio.Event()
            with suppress(CollegiumError):
                await self.read()
            with suppress(CollegiumError):
                await self._compare_imports()
            await anyio.sleep(BETWEEN_SECONDS)

    async def read(self) -> OnTop:
        """What is on top now, recorded. Raises Unavailable."""
        binding, machine = self._loan.binding, self._loan.machine
        if binding is None or machine is None:
            raise Unavailable("There is no runtime whose packages could be listed.")
        found = answers.on_top(await self._loan.question({"op": "packages"}, ANSWER_SECONDS_MAX))
        if self._loan.binding is None or self._loan.binding.runtime != binding.runtime:
            raise Unavailable("The runtime is another one now.")
        name = environment_name(machine.version, binding.layer, found)
        if name != self._name:
            # What ran before anybody looked ran in an environment with nothing on top.
            tops = {environment_name(machine.version, binding.layer, one): one for one in (OnTop(), found)}
            async with self._db.write() as tx:
                for named, one in tops.items():
                    seen = Environment(
                        notebook=self._notebook,
                        environment=named,
                        runtime=binding.runtime,
                        version=machine.version,
                        layer=binding.layer,
                        on_top=one,
                        at=now_ms(),
                    )
                    await environment_store.write_environment(tx, seen)
        if found != self.on_top:
            new, gone = _changed(self.on_top, found)
            self._diary.note("packages", new=new, gone=gone)
        self.on_top, self._name = found, name
        return found

    async def _compare_imports(self) -> None:
        content = await self._loan.question({"op": "changed_imports"}, ANSWER_SECONDS_MAX, kernel=True)
        found = answers.replaced(content)
        if found != self._stale:
            self._stale = found
            self._tell(packages_frame(found))


def _changed(before: OnTop, now: OnTop) -> tuple[list[str], list[str]]:
    """The packages that are new or others now, with their versions, and those that are gone; the first of each."""
    new = [f"{one.name} {one.version}" for one in now.added if one not in before.added]
    new += [f"{one.name} {one.now}" for one in now.changed if one not in before.changed]
    there = {one.name for one in now.added} | {one.name for one in now.changed}
    gone = [one.name for one in now.removed if one not in before.removed]
    gone += [one.name for one in before.added if one.name not in there]
    return new[:TOLD_MAX], gone[:TOLD_MAX]


def environment_name(version: str, layer: str | None, on_top: OnTop) -> str:
    """Equal environments have equal names."""
    text = f"{version}\0{layer or ''}\0{on_top_to(on_top)}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]
