"""What tabs say and hear about runs: each message is parsed, allowed or refused, and answered."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

import anyio
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from collegium.accounts.model import Action, may
from collegium.ground.errors import CollegiumError, Forbidden, Invalid
from collegium.ground.ids import CellId, ExecutionId, NotebookId
from collegium.sessions import choice
from collegium.sessions.model import QUEUE_MAX, Asked, from_units, to_units
from collegium.sessions.ports import Client
from collegium.sessions.session import INPUT_CHARACTERS_MAX, Session
from collegium.sessions.widget_model import COMM_ID_MAX
from collegium.sessions.widgets import CommMessage, Widgets, decoded_buffers

CODE_CHARACTERS_MAX = 1024 * 1024
COMPLETE_SECONDS = 5.0
CELLS_CHARACTERS_MAX = 1024 * 1024
MATCHES_MAX = 500
WIDGETS_MAX = 2000
COMMS_MAX = 256
COMM_BUFFERS_MAX = 1000
Request = Annotated[str, Field(max_length=100)] | int


class _Message(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)


class _Cell(_Message):
    cell: str = Field(max_length=64)
    hash: str = Field(pattern=r"^[0-9a-f]{64}$")


class _Execute(_Message):
    type: Literal["execute"]
    request: Request
    cells: list[_Cell] = Field(max_length=QUEUE_MAX)


class _Simple(_Message):
    type: Literal["interrupt", "restart", "disconnect", "keep"]


class _Connect(_Message):
    type: Literal["connect"]
    runtime_type: Annotated[str, Field(min_length=1, max_length=64)] | None = None
    version: Annotated[str, Field(min_length=1, max_length=64)] | None = None


class _Cancel(_Message):
    type: Literal["cancel"]
    cell: str = Field(max_length=64)


class _Input(_Message):
    type: Literal["input"]
    execution: str = Field(max_length=64)
    value: str = Field(max_length=INPUT_CHARACTERS_MAX)


class _Clear(_Message):
    type: Literal["clear"]
    cells: list[Annotated[str, Field(max_length=64)]] | Literal["all"]


class _Outputs(_Message):
    type: Literal["outputs"]
    execution: str = Field(max_length=64)


class _Complete(_Message):
    type: Literal["complete"]
    request: Request
    code: str = Field(max_length=CODE_CHARACTERS_MAX)
    cursor: int = Field(ge=0)


class _Inspect(_Message):
    type: Literal["inspect"]
    request: Request
    code: str = Field(max_length=CODE_CHARACTERS_MAX)
    cursor: int = Field(ge=0)
    detail: Literal[0, 1] = 0


class _WidgetModels(_Message):
    type: Literal["widget_models"]
    request: Request
    models: list[Annotated[str, Field(max_length=COMM_ID_MAX)]] = Field(max_length=WIDGETS_MAX)


class _WidgetsDropped(_Message):
    type: Literal["widgets_dropped"]
    models: list[Annotated[str, Field(max_length=COMM_ID_MAX)]] = Field(max_length=WIDGETS_MAX)


class _WidgetsRead(_Message):
    type: Literal["widgets_read"]
    n: int = Field(ge=0)


class _Uploaded(_Message):
    uploaded: str = Field(max_length=64)


class _Comm(_Message):
    op: Literal["msg", "open", "close"] = "msg"
    id: str = Field(min_length=1, max_length=COMM_ID_MAX)
    message: str = Field(max_length=100)
    data: dict[str, Any] = Field(default_factory=dict)
    target: str = Field(default="", max_length=COMM_ID_MAX)
    metadata: dict[str, Any] = Field(default_factory=dict)
    buffers: list[str | _Uploaded] = Field(default_factory=list, max_length=COMM_BUFFERS_MAX)
    execution: str | None = Field(default=None, max_length=64)


class _Comms(_Message):
    type: Literal["comms"]
    messages: list[_Comm] = Field(max_length=COMMS_MAX)


Looking = (_Outputs, _WidgetModels, _WidgetsDropped, _WidgetsRead)
Said = _Execute | _Simple | _Connect | _Cancel | _Input | _Clear | _Outputs | _Complete | _Inspect
SaidOfWidgets = _WidgetModels | _WidgetsDropped | _WidgetsRead | _Comms
_SAID: TypeAdapter[Said | SaidOfWidgets] = TypeAdapter(Annotated[Said | SaidOfWidgets, Field(discriminator="type")])


class Tabs:
    """Speaks the "Run" part of the protocol with every tab."""

    def __init__(self, session: Callable[[NotebookId], Awaitable[Session]]) -> None:
        self._session = session

    async def joined(self, client: Client) -> None:
        """What a tab must know to follow: the session, and what each cell shows (in one frame or several)."""
        session = await self._session(client.notebook)
        shown = await session.showing.shown()
        client.send(session.showing.session_frame())
        for frame in (*session.watching.last(), *session.installed.last()):
            client.send(frame)
        batch: list[dict[str, Any]] = []
        size = 0
        for frame in shown:
            batch.append(frame)
            size += 500 + sum(_size(output) for output in frame.get("outputs", ()))
            if size > CELLS_CHARACTERS_MAX:
                client.send({"type": "cells", "executions": batch})
                batch, size = [], 0
        client.send({"type": "cells", "executions": batch})

    async def received(self, client: Client, message: dict[str, Any], session: Session) -> None:
        """Do what a tab asks, or tell it why not."""
        request = message.get("request")
        try:
            said = _parsed(message)
            if not may(client.role, Action.READ if isinstance(said, Looking) else Action.RUN):
                raise Forbidden("You may look at this notebook, and not run it.", why="may_not_run")
            if isinstance(said, SaidOfWidgets):
                await _do_widgets(client, said, session.widgets)
            else:
                await self._do(client, said, session)
        except CollegiumError as error:
            named = request if isinstance(request, (str, int)) else None
            client.send(
                {"type": "refused", "request": named, "code": error.code, "detail": error.detail, **error.extra}
            )

    async def _do(self, client: Client, said: Said, session: Session) -> None:
        match said:
            case _Execute():
                asked = [Asked(CellId(cell.cell), cell.hash) for cell in said.cells]
                made = await session.execute(client.principal, asked)
                queued = [{"execution": execution.id, "cell": execution.cell} for execution in made]
                client.send({"type": "accepted", "request": said.request, "executions": queued})
            case _Simple(type="interrupt"):
                await session.interrupt()
            case _Simple(type="restart"):
                await session.restart()
            case _Simple(type="keep"):
                await session.keep()
            case _Connect():
                await session.connect(client.principal, choice.Asked(said.runtime_type, said.version))
            case _Simple():
                await session.disconnect()
            case _Cancel():
                session.cancel(CellId(said.cell))
            case _Input():
                await session.input(ExecutionId(said.execution), said.value)
            case _Clear():
                await session.clear(None if said.cells == "all" else [CellId(cell) for cell in said.cells])
            case _Outputs():
                live = await session.lives.find(ExecutionId(said.execution))
                session.showing.flush(all_text=True)
                client.send(live.whole())
            case _Complete():
                session.aside(self._complete, client, said, session)
            case _Inspect():
                session.aside(self._inspect, client, said, session)

    async def _complete(self, client: Client, said: _Complete, session: Session) -> None:
        at = from_units(said.code, said.cursor)
        answer: dict[str, Any] = {"matches": [], "start": said.cursor, "end": said.cursor, "types": []}
        reply = await _asked(session, "complete_request", {"code": said.code, "cursor_pos": at})
        matches = reply.get("matches")
        start, end = reply.get("cursor_start"), reply.get("cursor_end")
        if isinstance(matches, list) and isinstance(start, int) and isinstance(end, int):
            texts = [match for match in matches[:MATCHES_MAX] if isinstance(match, str)]
            answer = {
                "matches": texts,
                "start": to_units(said.code, start),
                "end": to_units(said.code, end),
                "types": _types(reply, texts),
            }
        client.send({"type": "completion", "request": said.request, **answer})

    async def _inspect(self, client: Client, said: _Inspect, session: Session) -> None:
        at = from_units(said.code, said.cursor)
        content = {"code": said.code, "cursor_pos": at, "detail_level": said.detail}
        reply = await _asked(session, "inspect_request", content)
        data = reply.get("data")
        found = reply.get("found") is True and isinstance(data, dict)
        client.send({"type": "inspection", "request": said.request, "found": found, "data": data if found else {}})


async def _do_widgets(client: Client, said: SaidOfWidgets, widgets: Widgets) -> None:
    match said:
        case _WidgetModels():
            found = await widgets.models(client, said.models)
            client.send({"type": "widget_models", "request": said.request, **found})
        case _WidgetsDropped():
            widgets.dropped(client, said.models)
        case _WidgetsRead():
            widgets.read(client, said.n)
        case _Comms():
            for one in said.messages:
                await _say(client, one, widgets)


async def _say(client: Client, one: _Comm, widgets: Widgets) -> None:
    """Pass a message on, or tell the tab why it was not; the next ones are passed on nevertheless."""
    try:
        given = [buffer if isinstance(buffer, str) else widgets.claimed(buffer.uploaded) for buffer in one.buffers]
        buffers = decoded_buffers(given)
        told = CommMessage(one.op, one.id, one.message, one.data, one.target, one.metadata, buffers, one.execution)
        await widgets.say(client, told)
    except CollegiumError as error:
        named = {"message": one.message, "id": one.id}
        client.send({"type": "comm_refused", **named, "code": error.code, "detail": error.detail})


async def _asked(session: Session, msg_type: str, content: dict[str, Any]) -> dict[str, Any]:
    """The kernel's answer; nothing if there is none in time."""
    try:
        with anyio.fail_after(COMPLETE_SECONDS + 1):
            return await session.loan.ask(msg_type, content, COMPLETE_SECONDS)
    except (CollegiumError, TimeoutError):
        return {}


def _types(reply: dict[str, Any], matches: list[str]) -> list[str]:
    more = reply.get("metadata")
    listed = more.get("_jupyter_types_experimental") if isinstance(more, dict) else None
    known = {
        str(item.get("text")): str(item.get("type"))[:40]
        for item in (listed if isinstance(listed, list) else [])
        if isinstance(item, dict)
    }
    return [known.get(match, "") for match in matches]


def _parsed(message: dict[str, Any]) -> Said | SaidOfWidgets:
    try:
        return _SAID.validate_python(message)
    except ValidationError as error:
        first = error.errors()[0]
        raise Invalid(
            f"The message cannot be read: {first['msg']} ({'.'.join(map(str, first['loc']))[:100]})."
        ) from error


def _size(output: dict[str, Any]) -> int:
    text = output.get("text")
    if isinstance(text, str):
        return len(text)
    data = output.get("data")
    return sum(len(str(value)) for value in data.values()) if isinstance(data, dict) else 200
