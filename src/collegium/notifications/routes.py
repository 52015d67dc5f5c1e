"""The API of notifications: the list behind the bell, a socket that tells the bell to ring, and who wants mail."""

from collections.abc import Mapping
from typing import Annotated

import anyio
from anyio.streams.memory import MemoryObjectReceiveStream
from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field
from starlette.websockets import WebSocket, WebSocketDisconnect

from collegium.accounts.model import Principal, User, color_of
from collegium.accounts.service import signed_in
from collegium.ground.errors import CollegiumError, Invalid, NotSignedIn
from collegium.ground.http import close_for
from collegium.ground.ids import UserId
from collegium.notifications.model import Notification, Told, place_of
from collegium.notifications.service import PAGE_MAX, Notifications

Signed = Annotated[Principal, Depends(signed_in)]
Id = Annotated[str, Field(max_length=64)]


class PersonShown(BaseModel):
    """Somebody who did something; who was removed since keeps the name."""

    id: str
    name: str
    color: str


class NotificationShown(BaseModel):
    """Something that somebody did, and that concerns one."""

    id: str
    kind: Told
    by: PersonShown
    item: str
    item_kind: str
    item_name: str
    thread: str | None
    text: str
    at: int
    read: bool
    place: str = Field(description="The page where it happened.")


class NotificationsShown(BaseModel):
    """What one was told, the latest first."""

    unread: int
    notifications: list[NotificationShown]
    more: str | None = Field(description="What to ask for as `before` to be shown what came before these.")


class ReadRequest(BaseModel):
    """What one has read: these, those of one thread, or, with neither, all."""

    ids: Annotated[list[Id], Field(max_length=PAGE_MAX)] | None = None
    thread: Id | None = None


class MailChoice(BaseModel):
    """Whether one wants mail."""

    mail: bool


class MailChoiceShown(BaseModel):
    """Whether one wants mail, and whether there is any."""

    mail: bool
    sent: bool = Field(description="This installation sends mail.")


def routes(notifications: Notifications) -> APIRouter:
    """What one is told, relative to /api/v1."""
    router = APIRouter(prefix="/me/notifications", tags=["notifications"])

    @router.get("", response_model=NotificationsShown, summary="What one was told, the latest first")
    async def list_notifications(
        principal: Signed,
        before: Annotated[str | None, Query(max_length=64)] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 30,
    ) -> NotificationsShown:
        unread, found, more = await notifications.page(principal, before=before, limit=limit)
        people = await notifications.accounts.users_by_ids(one.occasion.by for one in found)
        return NotificationsShown(unread=unread, notifications=[_shown(one, people) for one in found], more=more)

    @router.post("/read", status_code=204, summary="Mark as read")
    async def mark_read(body: ReadRequest, principal: Signed) -> None:
        await notifications.read(principal, body.ids, thread=body.thread)

    @router.get("/mail", response_model=MailChoiceShown, summary="Whether one wants mail")
    async def read_mail_choice(principal: Signed) -> MailChoiceShown:
        return MailChoiceShown(mail=await notifications.wants_mail(principal.user), sent=notifications.mail_is_sent)

    @router.put("/mail", status_code=204, summary="Choose whether one wants mail")
    async def choose_mail(body: MailChoice, principal: Signed) -> None:
        await notifications.choose(principal, mail=body.mail)

    @router.websocket("/socket")
    async def notifications_socket(websocket: WebSocket) -> None:
        await websocket.accept()
        try:
            principal = signed_in(websocket)
            async with (
                notifications.accounts.ended(principal) as ended,
                notifications.watch(principal.user) as news,
            ):
                await _converse(websocket, notifications, principal.user, news, ended)
        except CollegiumError as error:
            await close_for(websocket, error)
        except WebSocketDisconnect:
            return

    return router


async def _converse(
    websocket: WebSocket,
    notifications: Notifications,
    user: UserId,
    news: MemoryObjectReceiveStream[None],
    ended: anyio.Event,
) -> None:
    """Say how much is unread, now and whenever it changes. Raises NotSignedIn at the login's end, and Invalid for
    whatever the page says: it has nothing to say."""
    why: CollegiumError | None = None
    async with anyio.create_task_group() as tasks:

        async def tell() -> None:
            while True:
                unread = await notifications.unread(user)
                await websocket.send_json({"type": "notifications", "unread": unread})
                await news.receive()

        async def end() -> None:
            nonlocal why
            await ended.wait()
            why = NotSignedIn("You are signed out.")
            tasks.cancel_scope.cancel()

        async def hear() -> None:
            nonlocal why
            message = await websocket.receive()
            if message["type"] != "websocket.disconnect":
                why = Invalid("There is nothing to say here.")
            tasks.cancel_scope.cancel()

        tasks.start_soon(end)
        tasks.start_soon(hear)
        try:
            await tell()
        except WebSocketDisconnect:
            tasks.cancel_scope.cancel()
    if why is not None:
        raise why


def _shown(one: Notification, people: Mapping[UserId, User]) -> NotificationShown:
    occasion = one.occasion
    return NotificationShown(
        id=one.id,
        kind=occasion.kind,
        by=PersonShown(id=occasion.by, name=people[occasion.by].name, color=color_of(occasion.by)),
        item=occasion.item,
        item_kind=occasion.item_kind,
        item_name=occasion.item_name,
        thread=occasion.thread,
        text=occasion.text,
        at=one.at,
        read=one.read_at is not None,
        place=place_of(occasion),
    )
