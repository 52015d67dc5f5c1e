"""What kernels say becomes outputs and states of executions; every record counts once, however often it comes."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from collegium.ground import reasons
from collegium.ground.errors import NotFound
from collegium.ground.ids import ExecutionId, is_id
from collegium.kernels.service import Message
from collegium.sessions.blobs import without_large
from collegium.sessions.diary import Diary
from collegium.sessions.folding import DISPLAY, Event, Output, event_of
from collegium.sessions.live import Live
from collegium.sessions.lives import Lives
from collegium.sessions.ports import Blobs
from collegium.sessions.present import execution_frame

UNSEEN = reasons.words("unseen")


class Intake:
    """Knows which execution a message belongs to, and which outputs can be updated from afar."""

    def __init__(
        self,
        lives: Lives,
        blobs: Blobs,
        *,
        tell: Callable[[dict[str, Any]], None],
        flush: Callable[[], None],
        diary: Diary,
    ) -> None:
        self._lives = lives
        self._blobs = blobs
        self._tell = tell
        self._flush = flush
        self._diary = diary
        self._displays: dict[str, set[ExecutionId]] = {}

    def remember(self, execution: ExecutionId, outputs: Iterable[Output]) -> None:
        """These outputs may be updated by what runs later."""
        for output in outputs:
            if (display := output.get(DISPLAY)) is not None:
                self._displays.setdefault(str(display), set()).add(execution)

    def forget(self) -> None:
        """The kernel that could update anything is gone."""
        self._displays.clear()

    async def take(self, message: Message) -> Live | None:
        """Take a message in; the execution it belongs to, if that changed. Raises StorageFull or OSError."""
        event = event_of(message.msg_type, message.content) if message.channel == "iopub" else None
        if event is not None and event["kind"] == "update":
            await self._update(event, message.seq)
            return None
        if not is_id(message.parent):
            self._print(message)
            return None
        try:
            live = await self._lives.find(ExecutionId(message.parent))
        except NotFound:
            return None
        if message.seq <= live.last_seq:
            return live
        if event is not None:
            await self._add(live, event, message.seq)
        else:
            self._note(live, message)
        return live

    def _print(self, message: Message) -> None:
        """A kernel that begins, or a thread of its own, prints for no cell."""
        text = message.content.get("text")
        if message.msg_type == "stream" and isinstance(text, str):
            self._diary.printed(text, error=message.content.get("name") == "stderr")

    def _note(self, live: Live, message: Message) -> None:
        """What is no output."""
        match message.channel, message.msg_type:
            case "iopub", "execute_input":
                live.change(count=count_of(message.content))
                self._tell(execution_frame(live.execution) | {"type": "execution"})
            case "iopub", "status" if message.content.get("execution_state") == "idle":
                live.take({"kind": "idle", "seq": message.seq})
            case "shell", "execute_reply":
                _replied(live, message.content, message.seq)
            case "stdin", "input_request":
                self._asked_for_input(live, message)

    async def _add(self, live: Live, event: Event, seq: int) -> None:
        if event["kind"] == "output":
            output = await without_large(event["output"], self._blobs, self._lives.found)
            event = {**event, "output": output}
            self.remember(live.execution.id, [output])
        live.take({**event, "seq": seq})

    async def _update(self, event: Event, seq: int) -> None:
        shrunk = await without_large({"data": event["data"]}, self._blobs, self._lives.found)
        for id in sorted(self._displays.get(event["id"], ())):
            with suppress(NotFound):
                live = await self._lives.find(id)
                if seq > live.last_seq:
                    live.take({**event, "data": shrunk["data"], "seq": seq})

    def _asked_for_input(self, live: Live, message: Message) -> None:
        if live.over:
            return
        prompt, password = message.content.get("prompt"), message.content.get("password") is True
        asked = {"prompt": prompt if isinstance(prompt, str) else "", "password": password}
        live.change(input=asked | {"seq": message.seq})
        self._flush()
        named = {"type": "input_request", "execution": live.execution.id, "cell": live.execution.cell}
        self._tell(named | asked)
        self._tell(execution_frame(live.execution) | {"type": "execution"})


def _replied(live: Live, content: dict[str, Any], seq: int) -> None:
    live.take({"kind": "reply", "status": "ok" if content.get("status") == "ok" else "error", "seq": seq})
    if (count := count_of(content)) is not None:
        live.change(count=count)
    if content.get("status") == "aborted":
        live.change(reason=reasons.words("aborted"))
    elif content.get("status") == "unknown":
        live.change(reason=UNSEEN)


def count_of(content: dict[str, Any]) -> int | None:
    """The execution count in a kernel's message, if there is a sane one."""
    count = content.get("execution_count")
    return count if isinstance(count, int) and not isinstance(count, bool) and 0 <= count < 1 << 53 else None
