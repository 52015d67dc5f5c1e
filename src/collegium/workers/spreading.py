"""News between the workers: each tells every other what it was told, over a line that is mended when it breaks."""

from collections import deque
from typing import Any

import anyio
from anyio.abc import TaskGroup

from collegium.ground.log import get_log
from collegium.ground.news import News
from collegium.workers.model import Worker, WorkerId
from collegium.workers.wire import Garbled, HungUp, Line, Message

log = get_log("workers")

KIND = "news"
WAITING_MAX = 5_000
WAITING_BYTES_MAX = 64 << 20


class Letters:
    """What one other worker has not been told yet. Bounded: what is thrown away is owned up to."""

    def __init__(self) -> None:
        self._waiting: deque[tuple[Message, int]] = deque()
        self._bytes = 0
        self._missed = False
        self._ended = False
        self._filled = anyio.Event()

    def put(self, message: Message, size: int) -> None:
        """One more; never waits."""
        self._waiting.append((message, size))
        self._bytes += size
        if len(self._waiting) > WAITING_MAX or self._bytes > WAITING_BYTES_MAX:
            self._waiting.clear()
            self._bytes, self._missed = 0, True
        self._filled.set()

    def lose(self) -> None:
        """Something was sent and may not have arrived."""
        self._missed = True
        self._filled.set()

    def end(self) -> None:
        """Nobody is there to be told."""
        self._ended = True
        self._filled.set()

    async def take(self) -> Message:
        """What is to be said next. Raises HungUp when there is nobody to be told."""
        while not self._waiting and not self._missed and not self._ended:
            self._filled = anyio.Event()
            await self._filled.wait()
        if self._ended:
            raise HungUp
        if self._missed:
            self._missed = False
            return {"missed": True}
        message, size = self._waiting.popleft()
        self._bytes -= size
        return message


class Spreading:
    """Tells the others, and is told."""

    def __init__(self, workers: Any, news: News, tasks: TaskGroup) -> None:
        self._workers = workers
        self._news = news
        self._tasks = tasks
        self._letters: dict[WorkerId, Letters] = {}
        workers.handlers[KIND] = self._hear
        workers.on_found.append(self._found)
        workers.on_gone.append(self._gone)
        for fellow in workers.fellows.values():
            self._found(fellow)
        news.spread = self.spread

    def spread(self, topic: str, fields: dict[str, Any]) -> None:
        """Have every other worker told, soon and in order."""
        message = {"topic": topic, "fields": fields}
        size = len(str(fields)) if self._letters else 0
        for letters in self._letters.values():
            letters.put(message, size)

    def _found(self, worker: Worker) -> None:
        letters = self._letters[worker.id] = Letters()
        self._tasks.start_soon(self._tell, worker.id, letters)

    def _gone(self, worker: WorkerId) -> None:
        letters = self._letters.pop(worker, None)
        if letters is not None:
            letters.end()
        # What it committed in its last moments, and did not come to tell, is looked for.
        self._news.miss(surely=False)

    async def _tell(self, worker: WorkerId, letters: Letters) -> None:
        while self._letters.get(worker) is letters:
            try:
                line = await self._workers.dial(worker, {"kind": KIND})
            except HungUp:
                await self._workers.suspect(worker)
                await anyio.sleep(0.1)
                continue
            try:
                async with anyio.create_task_group() as tasks:
                    tasks.start_soon(self._until_broken, line, tasks)
                    tasks.start_soon(self._say, line, letters, tasks)
            finally:
                with anyio.CancelScope(shield=True):
                    await line.aclose()
            letters.lose()
            await self._workers.suspect(worker)

    async def _say(self, line: Line, letters: Letters, tasks: TaskGroup) -> None:
        try:
            while True:
                await line.send(await letters.take())
        except HungUp:
            tasks.cancel_scope.cancel()

    async def _until_broken(self, line: Line, tasks: TaskGroup) -> None:
        try:
            await line.receive()
        except (HungUp, Garbled):
            tasks.cancel_scope.cancel()

    async def _hear(self, line: Line, _first: Message, _body: bytes) -> None:
        while True:
            message, _ = await line.receive()
            if message.get("missed"):
                self._news.miss(surely=True)
            elif isinstance(message.get("topic"), str) and isinstance(message.get("fields"), dict):
                self._news.hear(message["topic"], message["fields"])
            else:
                raise Garbled("no news")
