"""What a kernel says of its variables and tables, read as a stranger's letter: bounded, and only what has a form."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, Field, FiniteFloat, ValidationError

from collegium.ground.errors import CollegiumError, Conflict, Invalid, NotFound, TooMany, Unavailable

T = TypeVar("T", bound=BaseModel)
COLUMNS_MAX = 20_000
ROWS_MAX = 500
COUNT_MAX = 1 << 53
LONG_TEXT_MAX = 20_000


def _text(value: Any) -> Any:
    """Half a surrogate pair is no text; JSON can carry it, UTF-8 cannot."""
    return value.encode("utf-8", "replace").decode() if isinstance(value, str) else value


Name = Annotated[str, BeforeValidator(_text), Field(max_length=400)]
Words = Annotated[str, BeforeValidator(_text), Field(max_length=1000)]
CellText = Annotated[str, BeforeValidator(_text), Field(max_length=LONG_TEXT_MAX)]
Count = Annotated[int, Field(strict=True, ge=0, le=COUNT_MAX)]
Cell = CellText | tuple[CellText, Count] | None
"""Null, a text, or the beginning of a text and how many letters it has."""
Ref = Annotated[str, Field(pattern="^[0-9a-f]{16}$")]
Mark = Annotated[str, Field(max_length=64, pattern="^[0-9a-f-]*$")]
Kind = Literal["number", "text", "time", "bool", "other"]


class VariableShown(BaseModel):
    """A variable. `shape`: how large it is in its own terms; `table`: the grid can show it."""

    name: Name
    type: Name
    shape: Name | None
    bytes: Count
    preview: Words
    table: bool


class VariablesShown(BaseModel):
    """A part of them, and how many there are."""

    variables: Annotated[list[VariableShown], Field(max_length=500)]
    total: Count


class ColumnShown(BaseModel):
    """Its name and type as its library calls them, and what it is to people."""

    name: Name
    type: Name
    kind: Kind


class TableShown(BaseModel):
    """A table. `mark` changes when what is in it does; `cut`: more than these rows is not shown."""

    ref: Ref
    variable: Name | None
    kind: Name
    rows: Count
    columns: Annotated[list[ColumnShown], Field(max_length=COLUMNS_MAX)]
    columns_total: Count
    index: Annotated[list[Name], Field(max_length=8)]
    cut: bool
    mark: Mark
    libraries: Annotated[list[Name], Field(max_length=20)]


class RowsShown(BaseModel):
    """A window: `names` row by row, `cells` column by column. `partial`: not every row was searched."""

    offset: Count
    total: Count
    partial: bool
    names: Annotated[list[Annotated[list[Words], Field(max_length=8)]], Field(max_length=ROWS_MAX)]
    cells: Annotated[list[Annotated[list[Cell], Field(max_length=ROWS_MAX)]], Field(max_length=6000)]
    took_ms: Count


class StatisticsShown(BaseModel):
    """What a column holds. `sampled`: of so many values `distinct` and `top` were counted."""

    count: Count
    nulls: Count
    distinct: Count | None = None
    sampled: Count | None = None
    min: FiniteFloat | Words | None = None
    max: FiniteFloat | Words | None = None
    mean: FiniteFloat | Words | None = None
    std: FiniteFloat | Words | None = None
    top: Annotated[list[tuple[Words, Count]], Field(max_length=20)] | None = None
    histogram: Annotated[list[Count], Field(max_length=100)] | None = None


class MarkShown(BaseModel):
    """Whether a table is there (`alive`), whether its variable is (`named`) and still means it (`present`)."""

    alive: bool
    named: bool
    present: bool
    mark: Mark


class FileWritten(BaseModel):
    """A file in the runtime."""

    path: Annotated[
        str, Field(max_length=200, pattern=r"^(/[A-Za-z0-9._-]+)*/\.collegium-[0-9a-f]{16}\.(csv|parquet)$")
    ]
    bytes: Count


class Stopped(BaseModel):
    """How many questions nobody waits for any more."""

    stopped: Count


class Removed(BaseModel):
    """A variable that is gone."""

    removed: Name


def parsed(form: type[T], content: dict[str, Any]) -> T:
    """What the kernel answered, in this form. Raises what it refused with, and Unavailable for nonsense."""
    if (code := content.get("error")) is not None:
        raise refusal(code, content.get("detail"))
    try:
        return form.model_validate(content)
    except ValidationError as error:
        raise Unavailable("The kernel's answer is malformed.") from error


def refusal(code: Any, detail: Any) -> CollegiumError:
    """The error that a kernel's refusal is."""
    words = str(_text(detail))[:300] if isinstance(detail, str) and detail else "The kernel could not answer."
    match code:
        case "gone":
            return NotFound(words, code="table_gone")
        case "not_found":
            return NotFound(words)
        case "busy":
            return TooMany(words, retry_after=1)
        case "stopped":
            return Conflict(words, code="table_stopped")
        case "starting":
            return Unavailable("The kernel is starting.")
        case "unsupported":
            return Invalid("Only Python kernels can be asked about their variables.", code="unsupported_kernel")
        case _:
            return Invalid(words, code="table_invalid")
