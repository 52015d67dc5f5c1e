"""The history of a notebook over HTTP: its revisions, what they say, and how they differ. For those who may edit it."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from collegium.accounts.model import Action, Principal, color_of
from collegium.accounts.service import Accounts, signed_in
from collegium.drive.model import Item, Kind, content_disposition
from collegium.drive.service import Drive
from collegium.ground.errors import NotFound
from collegium.ground.http import USER_CONTENT_POLICY
from collegium.ground.ids import CellId, ItemId, NotebookId, UserId
from collegium.notebooks import history, ipynb
from collegium.notebooks.comparing import Comparing
from collegium.notebooks.differences import CellDifference, Difference
from collegium.notebooks.history import Revision
from collegium.notebooks.model import Cell, CellOutputs, Json, Output
from collegium.notebooks.service import Notebooks

PAGE_MAX = 200
NUMBER_MAX = 1 << 53
Number = Annotated[int, Path(ge=1, le=NUMBER_MAX, description="The revision's number in its notebook.")]
Which = Annotated[str, Query(pattern=r"^(now|[1-9][0-9]{0,14})$", description="A revision's number, or `now`.")]


class WriterShown(BaseModel):
    """Somebody who wrote here."""

    id: str
    name: str
    color: str


class RevisionShown(BaseModel):
    """A revision, without what it says. `created_by` is null if it was made by itself."""

    number: int
    seq: int
    kind: history.RevisionKind
    label: str | None
    pinned: bool
    created_at: int
    created_by: WriterShown | None
    authors: list[WriterShown]
    undoable: bool = Field(description="It is of a restore, which can be taken back.")


class RevisionsShown(BaseModel):
    """A part of the list, the newest first; `next` as `before` gives what follows."""

    revisions: list[RevisionShown]
    next: int | None


class RevisionNew(BaseModel):
    """The name of a revision that is kept for ever."""

    label: str = Field(default="", max_length=1000)


class RevisionChange(BaseModel):
    """What is not given stays."""

    label: str | None = Field(default=None, max_length=1000)
    pinned: bool | None = None


class CellShown(BaseModel):
    """A cell as it was. Large outputs are named, as in an open notebook."""

    id: str
    type: str
    source: str
    metadata: dict[str, Json]
    attachments: dict[str, Json]
    outputs: list[Output]
    execution_count: int | None


class RevisionPreview(BaseModel):
    """A revision, and what it says."""

    revision: RevisionShown
    metadata: dict[str, Json]
    cells: list[CellShown]


class LinesChanged(BaseModel):
    """Lines (from, to) that differ; words in them are counted in code points from the first of these lines."""

    before: tuple[int, int]
    after: tuple[int, int]
    words_before: list[tuple[int, int]]
    words_after: list[tuple[int, int]]


class CellDifferenceShown(BaseModel):
    """A cell on both sides. One that is the same has no `before`, and no outputs."""

    status: Literal["same", "changed", "added", "deleted"]
    moved: bool
    changes: list[Literal["source", "type", "metadata", "attachments", "outputs"]]
    before: CellShown | None
    after: CellShown | None
    pieces: list[LinesChanged]


class MetadataDifference(BaseModel):
    """The notebooks' own metadata."""

    before: dict[str, Json]
    after: dict[str, Json]


class DifferenceShown(BaseModel):
    """Two notebooks beside each other, the cells in the order of the newer one."""

    cells: list[CellDifferenceShown]
    language: str = Field(description="What the newer one's code is written in.")
    metadata: MetadataDifference | None = Field(description="Null if it is the same.")


class CellVersionShown(BaseModel):
    """What a cell said from a moment on. `author` is null where nobody, or more than one, wrote it."""

    seq: int
    at: int
    author: WriterShown | None
    type: str
    source: str
    deleted: bool


def routes(notebooks: Notebooks, drive: Drive, accounts: Accounts, comparing: Comparing) -> APIRouter:
    """Their routes, below /api/v1."""
    router = APIRouter(tags=["history"])
    User = Annotated[Principal, Depends(signed_in)]
    revisions = notebooks.revisions

    async def editable(principal: Principal, id: str) -> Item:
        item, _ = await drive.authorize(principal, ItemId(id), Action.WRITE)
        if item.kind is not Kind.NOTEBOOK:
            raise NotFound("There is no such notebook.")
        return item

    async def shown(found: Iterable[Revision]) -> list[RevisionShown]:
        found = list(found)
        wanted = {user for one in found for user in (*one.authors, one.created_by) if user is not None}
        return [_revision(one, await people(wanted)) for one in found]

    async def people(wanted: Iterable[UserId]) -> dict[str, WriterShown]:
        users = await accounts.users_by_ids(set(wanted))
        return {id: WriterShown(id=id, name=user.name, color=color_of(id)) for id, user in users.items()}

    @router.get("/notebooks/{id}/revisions", response_model=RevisionsShown, summary="List the revisions of a notebook")
    async def list_revisions(
        id: str,
        principal: User,
        before: Annotated[int | None, Query(ge=1, le=NUMBER_MAX)] = None,
        limit: Annotated[int, Query(ge=1, le=PAGE_MAX)] = 100,
    ) -> RevisionsShown:
        item = await editable(principal, id)
        found = await revisions.listed(NotebookId(item.id), before=before, limit=limit + 1)
        more = found[limit - 1].number if len(found) > limit else None
        return RevisionsShown(revisions=await shown(found[:limit]), next=more)

    @router.post(
        "/notebooks/{id}/revisions", status_code=201, response_model=RevisionShown, summary="Save and pin a revision"
    )
    async def create_revision(id: str, new: RevisionNew, principal: User) -> RevisionShown:
        item = await editable(principal, id)
        label = history.parsed_label(new.label)
        made = await revisions.make(NotebookId(item.id), history.RevisionKind.NAMED, user=principal.user, label=label)
        assert made is not None
        return (await shown([made]))[0]

    @router.patch(
        "/notebooks/{id}/revisions/{number}", response_model=RevisionShown, summary="Name or pin a revision, or not"
    )
    async def change_revision(id: str, number: Number, change: RevisionChange, principal: User) -> RevisionShown:
        item = await editable(principal, id)
        values: dict[str, Any] = {}
        if "label" in change.model_fields_set:
            values["label"] = history.parsed_label(change.label or "")
        if change.pinned is not None:
            values["pinned"] = change.pinned
        return (await shown([await revisions.change(NotebookId(item.id), number, **values)]))[0]

    @router.get(
        "/notebooks/{id}/revisions/{number}",
        response_model=RevisionPreview,
        summary="What a revision says, as JSON or as a file",
    )
    async def get_revision(
        id: str, number: Number, principal: User, format: Annotated[Literal["json", "ipynb"], Query()] = "json"
    ) -> Response | RevisionPreview:
        item = await editable(principal, id)
        shot = await revisions.shot(NotebookId(item.id), number, whole=format == "ipynb")
        if format == "json":
            (revision,) = await shown([await revisions.get(NotebookId(item.id), number)])
            cells = [_cell(cell, shot.outputs.get(cell.id)) for cell in shot.content.shown]
            return RevisionPreview(revision=revision, metadata=shot.content.metadata, cells=cells)
        name = f"{item.name.removesuffix('.ipynb')} (revision {number}).ipynb"
        return Response(
            ipynb.dump(ipynb.write(shot.content, shot.outputs)),
            media_type="application/x-ipynb+json",
            headers={
                "Content-Security-Policy": USER_CONTENT_POLICY,
                "Content-Disposition": content_disposition(name),
            },
        )

    @router.get("/notebooks/{id}/diff", response_model=DifferenceShown, summary="Compare two revisions")
    async def diff_revisions(
        id: str,
        principal: User,
        older: Annotated[Which, Query(alias="from")],
        newer: Annotated[Which, Query(alias="to")] = "now",
    ) -> DifferenceShown:
        item = await editable(principal, id)
        return _difference(await revisions.diff(NotebookId(item.id), _number(older), _number(newer)))

    @router.get(
        "/notebooks/{id}/cells/{cell}/history",
        response_model=list[CellVersionShown],
        summary="What a cell said over time",
    )
    async def get_cell_history(
        id: str, cell: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{1,64}$")], principal: User
    ) -> list[CellVersionShown]:
        item = await editable(principal, id)
        found = await revisions.versions(NotebookId(item.id), CellId(cell))
        names = await people({one.user for one in found if one.user is not None})
        return [
            CellVersionShown(
                seq=one.seq,
                at=one.at,
                author=names.get(one.user) if one.user is not None else None,
                type=one.type,
                source=one.source,
                deleted=one.deleted,
            )
            for one in found
        ]

    @router.post("/diff", response_model=DifferenceShown, summary="Compare two notebooks")
    async def diff_notebooks(request: Request, principal: User) -> DifferenceShown:
        """The body is `{"before": …, "after": …}`; each side is an nbformat document, `{"notebook": "its id"}` in the
        drive, or `{"url": "https://…"}` on the public internet. Nothing of them is kept."""
        body = await notebooks.received(request.stream(), request.headers.get("content-length"))
        return _difference(await comparing.compared(principal, body))

    return router


def _number(which: str) -> int | None:
    return None if which == "now" else int(which)


def _revision(revision: Revision, people: dict[str, WriterShown]) -> RevisionShown:
    return RevisionShown(
        number=revision.number,
        seq=revision.seq,
        kind=revision.kind,
        label=revision.label,
        pinned=revision.pinned,
        created_at=revision.created_at,
        created_by=None if revision.created_by is None else people.get(revision.created_by),
        authors=[people[user] for user in revision.authors if user in people],
        undoable=revision.undo is not None,
    )


def _cell(cell: Cell, left: CellOutputs | None) -> CellShown:
    return CellShown(
        id=cell.id,
        type=cell.type,
        source=cell.source,
        metadata=cell.metadata,
        attachments=cell.attachments,
        outputs=[] if left is None else left.outputs,
        execution_count=None if left is None else left.execution_count,
    )


def _difference(found: Difference) -> DifferenceShown:
    changed = MetadataDifference(before=found.metadata_before, after=found.metadata_after)
    return DifferenceShown(
        cells=[_cell_difference(cell) for cell in found.cells],
        language=_language(found.metadata_after),
        metadata=changed if found.metadata_changed else None,
    )


def _language(metadata: dict[str, Json]) -> str:
    for part, key in (("language_info", "name"), ("kernelspec", "language")):
        match metadata.get(part):
            case {**values} if isinstance(found := values.get(key), str):
                return found
    return "python"


def _cell_difference(cell: CellDifference) -> CellDifferenceShown:
    same = cell.status == "same"
    return CellDifferenceShown(
        status=cell.status,
        moved=cell.moved,
        changes=list(cell.changes),
        before=None if same or cell.before is None else _cell(cell.before, cell.outputs_before),
        after=None if cell.after is None else _cell(cell.after, None if same else cell.outputs_after),
        pieces=[LinesChanged(**asdict(piece)) for piece in cell.pieces],
    )
