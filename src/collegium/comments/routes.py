"""The API of comments. Guests have no part in it: neither may they write, nor see what others wrote."""

from collections.abc import Iterable, Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from collegium.accounts.model import EMAIL_LENGTH_MAX, Principal, User, color_of
from collegium.accounts.service import signed_in
from collegium.comments.model import (
    ANCHOR_LENGTH_MAX,
    CONTEXT_LENGTH_MAX,
    DRAFT_LENGTH_MAX,
    QUOTE_LENGTH_MAX,
    TEXT_LENGTH_MAX,
    Anchor,
    Comment,
    Place,
    Thread,
)
from collegium.comments.service import Comments, Said
from collegium.ground.ids import CellId, NotebookId, UserId, new_id

PREFIX = "/notebooks/{id}/comments"

Signed = Annotated[Principal, Depends(signed_in)]
Text = Annotated[str, Field(max_length=2 * TEXT_LENGTH_MAX)]
"""Longer than a comment may be, so that it is the part that says what is wrong with it."""
Position = Annotated[str, Field(min_length=1, max_length=ANCHOR_LENGTH_MAX, pattern=r"^[A-Za-z0-9+/]+={0,2}$")]
Draft = Annotated[str | None, Field(min_length=1, max_length=DRAFT_LENGTH_MAX, pattern=r"^[A-Za-z0-9_-]+$")]


class AnchorShown(BaseModel):
    """A range of a cell's text: two relative positions of Yjs, in Base64, that browsers make and resolve."""

    start: Position
    end: Position


class PlaceShown(BaseModel):
    """What a thread is about. Without an anchor it is the whole cell."""

    cell: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]
    anchor: AnchorShown | None = None
    quote: Annotated[str, Field(max_length=QUOTE_LENGTH_MAX, description="The text it was written about.")] = ""
    before: Annotated[str, Field(max_length=CONTEXT_LENGTH_MAX, description="What stood before the quote.")] = ""
    after: Annotated[str, Field(max_length=CONTEXT_LENGTH_MAX, description="What stood after it.")] = ""


class CommentText(BaseModel):
    """What is said. `@address` mentions somebody."""

    text: Text


class CommentRequest(CommentText):
    """Something new. What is sent twice with one `draft` is said once."""

    draft: Draft = None


class ThreadRequest(CommentRequest):
    """The first comment of a thread, and what it is about."""

    place: PlaceShown


class AuthorShown(BaseModel):
    """Who wrote it; who was removed since keeps the name."""

    id: str
    name: str
    color: str


class MentionShown(BaseModel):
    """Somebody who is mentioned by this address."""

    id: str
    name: str
    email: str


class CommentShown(BaseModel):
    """Something that was said. A deleted comment has no text."""

    id: str
    by: AuthorShown
    text: str
    mentions: list[MentionShown]
    at: int
    edited_at: int | None
    deleted: bool


class ThreadShown(BaseModel):
    """What was said about one place, the oldest first."""

    id: str
    number: int
    place: PlaceShown
    resolved_at: int | None
    resolved_by: AuthorShown | None
    comments: list[CommentShown]


class ThreadsShown(BaseModel):
    """A page of threads in the order in which they were begun."""

    threads: list[ThreadShown]
    more: int | None = Field(description="What to ask for as `after` to be shown the next page.")


class SaidShown(BaseModel):
    """The thread as it is now. `unreached`: addresses of nobody who may see the notebook; nobody was told there."""

    thread: ThreadShown
    unreached: list[str]


def routes(comments: Comments) -> APIRouter:
    """What is said about notebooks, relative to /api/v1."""
    router = APIRouter(tags=["comments"])
    router.include_router(_reading(comments))
    router.include_router(_saying(comments))
    router.include_router(_changing(comments))
    return router


def _reading(comments: Comments) -> APIRouter:
    router = APIRouter(prefix=PREFIX)

    @router.get("", response_model=ThreadsShown, summary="The threads of a notebook")
    async def list_threads(
        id: str, principal: Signed, after: Annotated[int, Query(ge=0, le=2**31 - 1)] = 0
    ) -> ThreadsShown:
        threads, more = await comments.page(principal, NotebookId(id), after=after)
        people = await comments.accounts.users_by_ids(_people(threads))
        return ThreadsShown(threads=[_thread_shown(thread, people) for thread in threads], more=more)

    @router.get("/people", response_model=list[MentionShown], summary="Whom one can mention")
    async def list_people(
        id: str, principal: Signed, query: Annotated[str, Query(max_length=EMAIL_LENGTH_MAX)] = ""
    ) -> list[MentionShown]:
        return [_mention_shown(user) for user in await comments.people(principal, NotebookId(id), query)]

    @router.get("/{thread}", response_model=ThreadShown, summary="One thread")
    async def read_thread(id: str, thread: str, principal: Signed) -> ThreadShown:
        return await _shown(comments, await comments.thread(principal, NotebookId(id), thread))

    return router


def _saying(comments: Comments) -> APIRouter:
    router = APIRouter(prefix=PREFIX)

    @router.post("", status_code=201, response_model=SaidShown, summary="Begin a thread")
    async def begin_thread(id: str, body: ThreadRequest, principal: Signed) -> SaidShown:
        draft = body.draft or new_id()
        said = await comments.begin(principal, NotebookId(id), _place(body.place), body.text, draft=draft)
        return await _said_shown(comments, said)

    @router.post("/{thread}", status_code=201, response_model=SaidShown, summary="Reply in a thread")
    async def reply(id: str, thread: str, body: CommentRequest, principal: Signed) -> SaidShown:
        draft = body.draft or new_id()
        said = await comments.reply(principal, NotebookId(id), thread, body.text, draft=draft)
        return await _said_shown(comments, said)

    @router.put("/{thread}/{comment}", response_model=SaidShown, summary="Change one's own comment")
    async def edit_comment(id: str, thread: str, comment: str, body: CommentText, principal: Signed) -> SaidShown:
        said = await comments.edit(principal, NotebookId(id), thread, comment, body.text)
        return await _said_shown(comments, said)

    return router


def _changing(comments: Comments) -> APIRouter:
    router = APIRouter(prefix=PREFIX)

    @router.post("/{thread}/resolve", response_model=ThreadShown, summary="Mark a thread as done with")
    async def resolve_thread(id: str, thread: str, principal: Signed) -> ThreadShown:
        return await _shown(comments, await comments.resolve(principal, NotebookId(id), thread, resolved=True))

    @router.post("/{thread}/reopen", response_model=ThreadShown, summary="Open a thread again")
    async def reopen_thread(id: str, thread: str, principal: Signed) -> ThreadShown:
        return await _shown(comments, await comments.resolve(principal, NotebookId(id), thread, resolved=False))

    @router.delete("/{thread}", status_code=204, summary="Delete a thread")
    async def delete_thread(id: str, thread: str, principal: Signed) -> None:
        await comments.delete_thread(principal, NotebookId(id), thread)

    @router.delete("/{thread}/{comment}", status_code=204, summary="Delete a comment")
    async def delete_comment(id: str, thread: str, comment: str, principal: Signed) -> None:
        await comments.delete(principal, NotebookId(id), thread, comment)

    return router


def _place(shown: PlaceShown) -> Place:
    anchor = None if shown.anchor is None else Anchor(shown.anchor.start, shown.anchor.end)
    return Place(CellId(shown.cell), anchor, shown.quote, shown.before, shown.after)


def _people(threads: Iterable[Thread]) -> set[UserId]:
    people: set[UserId] = set()
    for thread in threads:
        people |= {comment.by for comment in thread.comments} | thread.people
        people |= {thread.resolved_by} if thread.resolved_by is not None else set()
    return people


async def _shown(comments: Comments, thread: Thread) -> ThreadShown:
    return _thread_shown(thread, await comments.accounts.users_by_ids(_people([thread])))


async def _said_shown(comments: Comments, said: Said) -> SaidShown:
    return SaidShown(thread=await _shown(comments, said.thread), unreached=said.unreached)


def _thread_shown(thread: Thread, people: Mapping[UserId, User]) -> ThreadShown:
    place = thread.place
    anchor = None if place.anchor is None else AnchorShown(start=place.anchor.start, end=place.anchor.end)
    return ThreadShown(
        id=thread.id,
        number=thread.number,
        place=PlaceShown(cell=place.cell, anchor=anchor, quote=place.quote, before=place.before, after=place.after),
        resolved_at=thread.resolved_at,
        resolved_by=None if thread.resolved_by is None else _author_shown(people[thread.resolved_by]),
        comments=[_comment_shown(comment, people) for comment in thread.comments],
    )


def _comment_shown(comment: Comment, people: Mapping[UserId, User]) -> CommentShown:
    return CommentShown(
        id=comment.id,
        by=_author_shown(people[comment.by]),
        text=comment.text,
        mentions=[_mention_shown(people[user]) for user in comment.mentions],
        at=comment.at,
        edited_at=comment.changed_at if comment.changed_at > comment.at else None,
        deleted=comment.deleted,
    )


def _author_shown(user: User) -> AuthorShown:
    return AuthorShown(id=user.id, name=user.name, color=color_of(user.id))


def _mention_shown(user: User) -> MentionShown:
    return MentionShown(id=user.id, name=user.name, email=user.email)
