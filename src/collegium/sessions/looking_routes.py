"""What a notebook's kernel holds, over HTTP: for who may run the notebook."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, Path, Query, Response
from pydantic import BaseModel, ConfigDict, Field, ValidationError
from starlette.responses import StreamingResponse

from collegium.accounts.model import Principal
from collegium.accounts.service import signed_in
from collegium.drive.model import content_disposition
from collegium.ground.errors import Invalid
from collegium.ground.http import USER_CONTENT_POLICY
from collegium.ground.ids import NotebookId
from collegium.sessions.looked_at import (
    COLUMNS_MAX,
    COUNT_MAX,
    ROWS_MAX,
    Mark,
    MarkShown,
    Ref,
    RowsShown,
    StatisticsShown,
    TableShown,
    VariablesShown,
)
from collegium.sessions.looking import Looking

Notebook = Annotated[str, Path(max_length=64, description="The notebook's id.")]
Who = Annotated[Principal, Depends(signed_in)]
VariableName = Annotated[str, Field(min_length=1, max_length=200)]
Column = Annotated[int, Field(ge=0, lt=COLUMNS_MAX)]
Typed = Annotated[str, Field(max_length=1000)]
Asker = Annotated[str, Field(pattern="^[0-9a-z]{0,40}$", description="Under this name the question can be stopped.")]
VIEW_CHARACTERS_MAX = 20_000
TYPES = {"csv": "text/csv; charset=utf-8", "parquet": "application/vnd.apache.parquet"}


class Sort(BaseModel):
    """By one column; of several, the first counts most."""

    column: Column
    descending: bool = False


class Filter(BaseModel):
    """What a row must be like. `between` takes numbers or dates as they are typed; an end may be missing."""

    model_config = ConfigDict(populate_by_name=True)

    column: Column
    op: Literal["contains", "equals", "between", "null", "not_null"]
    text: Typed | None = None
    from_: Typed | None = Field(default=None, alias="from")
    to: Typed | None = None


class View(BaseModel):
    """Which rows of a table, in which order. `search` looks into every column."""

    sort: Annotated[list[Sort], Field(max_length=8)] = []
    filters: Annotated[list[Filter], Field(max_length=50)] = []
    search: Annotated[str, Field(max_length=500)] = ""

    def told(self) -> dict[str, Any]:
        """As the kernel is told."""
        return self.model_dump(by_alias=True)


class TableWanted(BaseModel):
    """By the name of a variable, or by the reference that an output carries."""

    variable: VariableName | None = None
    ref: Ref | None = None


class Looked(BaseModel):
    """A table, as it was when it had this mark, in this view."""

    ref: Ref
    mark: Mark = ""
    view: View = View()

    def told(self) -> dict[str, Any]:
        """As the kernel is told."""
        return {**self.model_dump(exclude={"view"}), "view": self.view.told()}


class RowsWanted(Looked):
    """A window. `long`: of a single cell, up to 20,000 letters; `spread`: rows at even distances from all."""

    columns: Annotated[list[Column], Field(max_length=200)]
    offset: Annotated[int, Field(ge=0, le=COUNT_MAX)] = 0
    limit: Annotated[int, Field(ge=1, le=ROWS_MAX)] = 100
    long: bool = False
    spread: bool = False
    asker: Asker = ""


class StatisticsWanted(Looked):
    """Of one column."""

    column: Column


class StopWanted(BaseModel):
    """What this asker asked."""

    asker: Annotated[Asker, Field(min_length=1)]


class MarkWanted(BaseModel):
    """Of one table."""

    ref: Ref


def routes(looking: Looking) -> APIRouter:
    """Everything under /notebooks/{id} that looks into the kernel."""
    router = APIRouter(prefix="/notebooks/{notebook}", tags=["variables and tables"])

    @router.get("/variables", response_model=VariablesShown, summary="The kernel's variables")
    async def list_variables(
        notebook: Notebook,
        who: Who,
        filter: Annotated[str, Query(max_length=200, description="In the name or the type.")] = "",
        sort: Literal["name", "type", "bytes"] = "name",
        descending: bool = False,
        hidden: Annotated[bool, Query(description="Also modules, functions, classes and names with _.")] = False,
        offset: Annotated[int, Query(ge=0, le=1_000_000)] = 0,
        limit: Annotated[int, Query(ge=1, le=500)] = 200,
    ) -> VariablesShown:
        asked = {"filter": filter, "sort": sort, "descending": descending, "hidden": hidden}
        return await looking.variables(who, NotebookId(notebook), {**asked, "offset": offset, "limit": limit})

    @router.delete("/variables", status_code=204, response_class=Response, summary="Delete a variable")
    async def delete_variable(
        notebook: Notebook, who: Who, name: Annotated[str, Query(min_length=1, max_length=200)]
    ) -> None:
        await looking.remove(who, NotebookId(notebook), name)

    @router.post("/tables", response_model=TableShown, summary="Open a table of the kernel")
    async def open_table(notebook: Notebook, wanted: TableWanted, who: Who) -> TableShown:
        if (wanted.variable is None) == (wanted.ref is None):
            raise Invalid("A table is named by its variable or by its reference.")
        return await looking.open(who, NotebookId(notebook), wanted.model_dump(exclude_none=True))

    @router.post("/tables/rows", response_model=RowsShown, summary="A window of a table")
    async def read_table_rows(notebook: Notebook, wanted: RowsWanted, who: Who) -> RowsShown:
        return await looking.rows(who, NotebookId(notebook), wanted.told())

    @router.post("/tables/stop", status_code=204, response_class=Response, summary="Stop what was asked of tables")
    async def stop_tables(notebook: Notebook, wanted: StopWanted, who: Who) -> None:
        await looking.stop(who, NotebookId(notebook), wanted.asker)

    @router.post("/tables/statistics", response_model=StatisticsShown, summary="What a column of a table holds")
    async def read_table_statistics(notebook: Notebook, wanted: StatisticsWanted, who: Who) -> StatisticsShown:
        return await looking.statistics(who, NotebookId(notebook), wanted.told())

    @router.post("/tables/mark", response_model=MarkShown, summary="Whether a table changed")
    async def read_table_mark(notebook: Notebook, wanted: MarkWanted, who: Who) -> MarkShown:
        return await looking.mark(who, NotebookId(notebook), wanted.ref)

    @router.get("/tables/{ref}/file", summary="A view of a table as a file", response_class=Response)
    async def download_table(
        notebook: Notebook,
        ref: Annotated[Ref, Path()],
        who: Who,
        format: Literal["csv", "parquet"] = "csv",
        name: Annotated[str, Query(max_length=100)] = "table",
        mark: Annotated[Mark, Query()] = "",
        view: Annotated[str, Query(max_length=VIEW_CHARACTERS_MAX, description="A view as JSON.")] = "{}",
    ) -> StreamingResponse:
        try:
            seen = View.model_validate_json(view)
        except ValidationError as error:
            raise Invalid("The view is malformed.") from error
        asked = {"ref": ref, "mark": mark, "view": seen.told(), "format": format}
        size, pieces = await looking.export(who, NotebookId(notebook), asked)
        headers = {
            "Content-Disposition": content_disposition(f"{name or 'table'}.{format}"),
            "Content-Length": str(size),
            "Content-Security-Policy": USER_CONTENT_POLICY,
            "X-Content-Type-Options": "nosniff",
        }
        return StreamingResponse(pieces, media_type=TYPES[format], headers=headers)

    return router
