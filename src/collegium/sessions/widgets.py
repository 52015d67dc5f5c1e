"""Widgets of a notebook: models that a kernel and the tabs share, each told what the others did."""

import base64
import binascii
import json
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import anyio

from collegium.ground.errors import CollegiumError, Conflict, Invalid, NotFound, TooLarge, TooMany, Unavailable
from collegium.ground.ids import NotebookId, is_id, new_id
from collegium.kernels.service import Message
from collegium.sessions.folding import event_of
from collegium.sessions.ports import Client
from collegium.sessions.widget_feed import Feed
from collegium.sessions.widget_model import (
    COMM_ID_MAX,
    Model,
    New,
    Values,
    closure,
    past,
    reachable,
    saved,
    shown,
    values_of,
)
from collegium.sessions.widget_shelf import LazyShelf, WidgetShelf

COMMS = frozenset({"comm_open", "comm_msg", "comm_close"})
UPDATES = ("update", "echo_update")
ANSWER_BYTES = 1024 * 1024
"""Models are answered until this is reached; a tab asks for the rest when it needs them."""
PENDING_MAX = 2000
ORIGINS_MAX = 2000
MESSAGE_BYTES_MAX = 24 * 1024 * 1024
SAID_BYTES_MAX = 4 * 1024 * 1024
"""A message larger than this that is no change of attributes reaches no tab."""

SAVED_WIDGETS_BYTES_MAX = 16 * 1024 * 1024
"""So much of the states of widgets goes into a file, and is kept when their kernel is gone."""
UPLOADS_BYTES_MAX = 64 * 1024 * 1024

Request = Callable[[dict[str, Any], Sequence[bytes]], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class CommMessage:
    """What a tab wants to say to a comm. `message`: the tab's own name for it."""

    op: str
    id: str
    message: str
    data: dict[str, Any]
    target: str = ""
    metadata: dict[str, Any] = field(default_factory=dict)
    buffers: Sequence[bytes] = ()
    execution: str | None = None
    """The run whose output it was sent from: what the kernel prints about it belongs there."""


@dataclass(slots=True)
class _Pending:
    """Sent to the kernel, and not carried out yet. `client` None: the server itself sent it."""

    client: object | None
    message: str
    model: str
    left: Values
    new: New


class Widgets:
    """The kernel's word counts: a tab's change is seen by others once the kernel has taken it."""

    def __init__(
        self,
        path: Path,
        *,
        bytes_max: int,
        gather_seconds: float,
        request: Request,
        viewed: Callable[[], Awaitable[set[str]]],
        past: Callable[[], Awaitable[dict[str, Any]]],
    ) -> None:
        self._shelf = LazyShelf(path, bytes_max=bytes_max)
        self._gather_seconds = gather_seconds
        self._request = request
        self._viewed = viewed
        self._past = past
        self._feeds: dict[object, Feed] = {}
        self._pending: dict[str, _Pending] = {}
        self._origins: OrderedDict[str, str] = OrderedDict()
        self._news = anyio.Event()
        self._uploads: dict[str, bytes] = {}

    # from the kernel

    async def take(self, message: Message) -> bool:
        """Take a message in, if it is about widgets alone. Raises StorageFull or OSError."""
        if message.channel != "iopub":
            return False
        if message.msg_type in COMMS:
            shelf = await self._shelf.get()
            assert shelf is not None
            async with self._shelf.turn:
                self._comm(shelf, message)
            if shelf.captures.untold():
                # At once, so that the cell that runs next finds it.
                await self._tell_captures()
        elif message.msg_type == "status" and message.parent in self._pending:
            await self._carried_out(message)
        else:
            return await self._captured(message)
        self._news.set()
        return True

    def placed(self, message: Message) -> Message:
        """What a kernel puts out because of a tab's message, as the output of the run whose widget it was."""
        origin = self._origins.get(message.parent)
        if origin is None or message.channel != "iopub" or event_of(message.msg_type, message.content) is None:
            return message
        return replace(message, parent=origin)

    async def kernel_gone(self, seq: int) -> None:
        """The kernel's process is another now, or none: what its models say is the last they said."""
        shelf = await self._shelf.get(make=False)
        if shelf is None or (seq and seq < shelf.last_seq):
            return
        self._origins.clear()
        pending, self._pending = self._pending, {}
        if seq and not any(shelf.alive(id) for id in shelf.models):
            return
        kept = await self._viewed()
        async with self._shelf.turn:
            shelf.kernel_gone(seq, kept=kept)
        for one in pending.values():
            self._done(one)
        for feed in self._feeds.values():
            feed.gone()
        self._news.set()

    def _comm(self, shelf: WidgetShelf, message: Message) -> None:
        content, id = message.content, message.content.get("comm_id")
        data = content.get("data")
        data = data if isinstance(data, dict) else {}
        if message.seq <= shelf.last_seq or not isinstance(id, str) or not 0 < len(id) <= COMM_ID_MAX:
            return
        new: New = {}
        match message.msg_type:
            case "comm_open":
                target = str(content.get("target_name"))[:COMM_ID_MAX]
                values = _values(data, message.buffers, new)
                shelf.open(id, target, message.metadata, values, new, message.seq)
            case "comm_close":
                shelf.close_comm(id, message.seq)
                for feed in self._feeds.values():
                    feed.closed(id)
            case _ if (model := shelf.alive(id)) is not None:
                self._said(shelf, model, data, message)

    def _said(self, shelf: WidgetShelf, model: Model, data: dict[str, Any], message: Message) -> None:
        if data.get("method") not in UPDATES:
            if len(json.dumps(data)) + sum(map(len, message.buffers)) <= SAID_BYTES_MAX:
                for feed in self._feeds.values():
                    feed.say(model.id, data, message.buffers)
            return
        pending = self._pending.get(message.parent)
        echo = pending is not None and data["method"] == "echo_update"
        if pending is not None and echo and pending.client is None:
            return  # of what the server itself said, and may have said anew since
        new: New = {}
        values = _values(data, message.buffers, new)
        if pending is not None and echo:
            for name in values:
                pending.left.pop(name, None)
        self._change(shelf, model, values, new, message.seq, pending.message if pending and echo else None)

    def _change(self, shelf: WidgetShelf, model: Model, values: Values, new: New, seq: int, by: str | None) -> None:
        kept = shelf.update(model, values, new, seq)
        for feed in self._feeds.values():
            feed.update(model.id, kept, by)

    async def _carried_out(self, message: Message) -> None:
        """The kernel is idle again. What it did not echo it has taken nevertheless."""
        if message.content.get("execution_state") != "idle":
            return
        pending = self._pending.pop(message.parent)
        shelf = await self._shelf.get()
        model = None if shelf is None else shelf.alive(pending.model)
        if shelf is not None and model is not None and pending.left and pending.client is not None:
            async with self._shelf.turn:
                self._change(shelf, model, pending.left, pending.new, message.seq, pending.message)
        self._done(pending)

    def _done(self, pending: _Pending) -> None:
        feed = self._feeds.get(pending.client) if pending.client is not None else None
        if feed is not None:
            feed.done(pending.message)

    async def _captured(self, message: Message) -> bool:
        """Whether an Output widget took it."""
        shelf = self._shelf.here
        event = None if shelf is None else event_of(message.msg_type, message.content)
        if shelf is None or event is None:
            return False
        if event["kind"] == "update":
            async with self._shelf.turn:
                if message.seq > shelf.last_seq and shelf.displayed_again(event, message.seq):
                    self._news.set()
            return False
        id = shelf.captures.of(message.parent)
        if id is None:
            return False
        async with self._shelf.turn:
            if message.seq > shelf.last_seq:
                shelf.capture(id, event, message.seq)
        self._news.set()
        return True

    # from tabs

    async def models(self, client: Client, wanted: Sequence[str]) -> dict[str, Any]:
        """MODELS for a tab, which hears of their changes from now on: these, and near ones that they refer to."""
        feed = self._feeds.setdefault(client.id, Feed(client))
        shelf = await self._shelf.get(make=False)
        if shelf is None:
            return await self._past_models([], wanted)
        await self._shelf.fold()
        shelf.settle()
        models, size = [], 0
        for model in closure(shelf.models, wanted):
            if size > ANSWER_BYTES:
                break
            live = model.generation == shelf.generation
            frame = {"id": model.id, "target": model.target, "live": live, **shown(model.values)}
            models.append(frame | ({"over": True} if model.over else {}))
            size += model.size
            feed.ids.add(model.id)
        return await self._past_models(models, [id for id in wanted if id not in shelf.models])

    async def _past_models(self, models: list[dict[str, Any]], wanted: Sequence[str]) -> dict[str, Any]:
        """With those that no kernel here has had since the server knows of it."""
        states = reachable(await self._past(), wanted) if wanted else {}
        here = {model["id"] for model in models}
        models += [past(id, state) for id, state in states.items() if id not in here]
        return {"models": models, "missing": [id for id in wanted if id not in states]}

    def dropped(self, client: Client, ids: Iterable[str]) -> None:
        """A tab shows these no more."""
        if (feed := self._feeds.get(client.id)) is not None:
            feed.ids.difference_update(ids)

    def read(self, client: Client, number: int) -> None:
        """A tab has taken what it was sent up to here."""
        if (feed := self._feeds.get(client.id)) is not None:
            feed.read(number)
            if feed.waiting:
                self._news.set()

    def left(self, client: Client) -> None:
        """A tab is gone."""
        self._feeds.pop(client.id, None)
        if not self._feeds:
            self._uploads.clear()

    def uploaded(self, content: bytes) -> str:
        """Bytes that a tab's next message needs, too many for the socket; their name. Raises TooMany."""
        if sum(map(len, self._uploads.values())) + len(content) > UPLOADS_BYTES_MAX:
            raise TooMany("Too much is on its way to the kernel at once.", retry_after=1)
        name = new_id()
        self._uploads[name] = content
        return name

    def claimed(self, name: str) -> bytes:
        """What was uploaded under this name, once. Raises NotFound."""
        content = self._uploads.pop(name, None)
        if content is None:
            raise NotFound("What was uploaded for the kernel is not here any more.")
        return content

    async def say(self, client: Client, said: CommMessage) -> None:
        """Pass a tab's message on. Raises NotFound, Conflict, TooMany, TooLarge, Unavailable."""
        shelf = await self._shelf.get()
        assert shelf is not None
        if len(self._pending) >= PENDING_MAX:
            raise TooMany("The kernel has more messages to widgets than it can take.")
        if sum(map(len, said.buffers)) > MESSAGE_BYTES_MAX:
            raise TooLarge("What was sent to the kernel is too large.")
        new: New = {}
        if said.op == "open":
            await self._open(shelf, said, new)
        elif shelf.alive(said.id) is None:
            if said.id in shelf.models:
                raise Conflict("The kernel of this widget is gone. Run the cell again.", code="kernel_gone")
            raise NotFound("There is no such widget.")
        left = _values(said.data, said.buffers, new) if said.data.get("method") == "update" else {}
        await self._send(_Pending(client.id, said.message, said.id, left, new), said)

    async def _open(self, shelf: WidgetShelf, said: CommMessage, new: New) -> None:
        if said.id in shelf.models or not 0 < len(said.id) <= COMM_ID_MAX:
            raise Conflict("There is a comm of this name already.")
        async with self._shelf.turn:
            values = _values(said.data, said.buffers, new)
            shelf.open(said.id, said.target[:COMM_ID_MAX], said.metadata, values, new, shelf.last_seq)

    async def _send(self, pending: _Pending, said: CommMessage) -> None:
        number = new_id()
        content: dict[str, Any] = {"comm_id": said.id, "data": said.data}
        if said.op == "open":
            content["target_name"] = said.target
        header = {"op": "comm", "id": number, "msg_type": f"comm_{said.op}", "content": content}
        self._pending[number] = pending
        if said.execution is not None and is_id(said.execution):
            self._origins[number] = said.execution
            if len(self._origins) > ORIGINS_MAX:
                self._origins.popitem(last=False)
        try:
            await self._request({**header, "metadata": said.metadata}, said.buffers)
        except CollegiumError:
            self._pending.pop(number, None)
            raise

    # for whoever reads

    async def content(self, sha256: str) -> bytes:
        """A large content. Raises NotFound."""
        shelf = await self._shelf.get(make=False)
        if shelf is None or not shelf.has(sha256):
            raise NotFound("There is no such content.")
        return (await self._shelf.read([sha256]))[sha256]

    async def saved(self, wanted: Iterable[str], bytes_max: int) -> dict[str, Any]:
        """The state of these models and of all they refer to, as a file keeps it; what is over the bound is left
        out."""
        wanted = list(wanted)
        shelf = await self._shelf.get(make=False)
        if shelf is None:
            return reachable(await self._past(), wanted)
        await self._shelf.fold()
        shelf.settle()
        missing = [id for id in wanted if id not in shelf.models]
        state = reachable(await self._past(), missing) if missing else {}
        size = 0
        for model in list(closure(shelf.models, wanted)):
            large = shelf.larges([model])
            size += model.size + sum(one.size for one in large.values())
            if size > bytes_max:
                break
            with suppress(KeyError):
                state[model.id] = saved(model, await self._shelf.read(large) if large else {})
        return state

    @property
    def known(self) -> bool:
        """The notebook had widgets since this session began, or somebody asked for some."""
        return self._shelf.here is not None

    # life

    async def run(self) -> None:
        """Tell tabs what changed, gathered, for ever; and the kernel what its Output widgets captured."""
        while True:
            await self._news.wait()
            self._news = anyio.Event()
            await self._tell_captures()
            for feed in self._feeds.values():
                feed.flush()
            if self._shelf.here is not None and self._shelf.here.figures.are_many:
                await self._shelf.fold()
            await anyio.sleep(self._gather_seconds)

    async def _tell_captures(self) -> None:
        shelf = self._shelf.here
        if shelf is None:
            return
        if self._shelf.turn.locked():
            # The log is being written, perhaps after the last word of the kernel: nobody else would call again.
            self._news.set()
            return
        shelf.settle()
        settled, shelf.settled = shelf.settled, {}
        for id, values in settled.items():
            for feed in self._feeds.values():
                feed.update(id, values, None)
        telling = {one.model for one in self._pending.values() if one.client is None}
        for id in shelf.captures.untold():
            model = shelf.alive(id)
            if model is not None and id not in telling:
                shelf.captures.tell(id)
                data = {"method": "update", "state": {"outputs": model.plain("outputs")}, "buffer_paths": []}
                with suppress(CollegiumError):
                    await self._send(_Pending(None, "", id, {}, {}), CommMessage("msg", id, "", data))

    async def sync(self) -> None:
        """Everything that was taken in is on disk."""
        await self._shelf.sync()

    def close(self) -> None:
        """Let the file go."""
        self._shelf.close()


@asynccontextmanager
async def kept_widgets(
    running: Widgets | None, path: Path, past: Callable[[], Awaitable[dict[str, Any]]]
) -> AsyncIterator[Widgets]:
    """The widgets of a notebook to be read: those of its session, else what the last one wrote down."""
    if running is not None:
        yield running
        return

    async def nobody(*_: Any) -> Any:
        raise Unavailable("No kernel is connected.")

    kept = Widgets(path, bytes_max=0, gather_seconds=0, request=nobody, viewed=nobody, past=past)
    try:
        yield kept
    finally:
        kept.close()


def widgets_path(folder: Path, notebook: NotebookId) -> Path:
    """Where a notebook's widgets are written down."""
    return folder / notebook / "widgets.log"


def _values(data: dict[str, Any], buffers: Sequence[bytes], new: New) -> Values:
    state, paths = data.get("state"), data.get("buffer_paths")
    return values_of(state if isinstance(state, dict) else {}, paths if isinstance(paths, list) else [], buffers, new)


def decoded_buffers(given: Sequence[str | bytes]) -> list[bytes]:
    """Buffers that came as base64, or as they are. Raises Invalid."""
    try:
        return [one if isinstance(one, bytes) else base64.b64decode(one, validate=True) for one in given]
    except (binascii.Error, ValueError):
        raise Invalid("A buffer is not base64.") from None
