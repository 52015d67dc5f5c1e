"""Notebook files: any `.ipynb` in, a valid `.ipynb` out, and nothing lost on the way that the format can hold."""

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn, cast

from collegium.ground.errors import Invalid, TooLarge
from collegium.ground.ids import CellId, new_id
from collegium.notebooks import positions
from collegium.notebooks.model import NBFORMAT, NBFORMAT_MINOR, Cell, CellOutputs, CellType, Content, Json, Output
from collegium.notebooks.strict import CELL_ID, DEPTH_MAX

CELLS_MAX = 20_000
NEW_CELL_ID_LENGTH = 12
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"
MODEL_REFERENCE = re.compile(r"IPY_MODEL_([\w-]+)")
_SPLIT_MIMES = ("application/javascript", "image/svg+xml")
_OUTPUT_TYPES = ("stream", "display_data", "execute_result", "error")


@dataclass(frozen=True, slots=True)
class Imported:
    """What a notebook file says, and the outputs that came with it."""

    content: Content
    outputs: dict[CellId, CellOutputs]


def parse(data: bytes, *, bytes_max: int) -> Imported:
    """Read a notebook file. Raises TooLarge or Invalid, saying what is wrong with it."""
    if len(data) > bytes_max:
        raise TooLarge(
            f"The notebook is larger than {bytes_max // 1_000_000} MB.", why="notebook_size", size_max=bytes_max
        )
    return read_any(_parsed(data))


def pair(data: bytes) -> tuple[object, object]:
    """What stands in one object as `before` and `after`. Raises Invalid."""
    both = _parsed(data)
    if not isinstance(both, dict) or "before" not in both or "after" not in both:
        raise Invalid('Two notebooks come as {"before": …, "after": …}.')
    return both["before"], both["after"]


def read_any(document: object) -> Imported:
    """The content of a document of any format that there was. Raises TooLarge or Invalid."""
    return read(_upgraded(document))


def read(document: dict[str, Json]) -> Imported:
    """The content of an nbformat 4 document; missing and doubled cell ids are mended."""
    cells = document.get("cells")
    if not isinstance(cells, list):
        _refuse('it has no list "cells".')
    if len(cells) > CELLS_MAX:
        raise TooLarge(f"The notebook has more than {CELLS_MAX} cells.", why="many_cells", most=CELLS_MAX)
    metadata = _object(document.get("metadata", {}), "the notebook's metadata")
    minor = document.get("nbformat_minor", 0)
    taken: set[str] = set()
    read_cells: list[Cell] = []
    outputs: dict[CellId, CellOutputs] = {}
    for number, (position, cell) in enumerate(zip(positions.evenly(len(cells)), cells, strict=True), 1):
        made = _read_cell(_object(cell, f"cell {number}"), number, position, taken)
        read_cells.append(made)
        if made.type == "code":
            left = _read_outputs(cell, number)
            if left.outputs or left.execution_count is not None:
                outputs[made.id] = left
    mended = _mended_widgets(_clean(metadata))
    minor = max(NBFORMAT_MINOR, minor) if isinstance(minor, int) and minor < 1000 else NBFORMAT_MINOR
    return Imported(Content(tuple(read_cells), mended, minor), outputs)


def write(content: Content, outputs: dict[CellId, CellOutputs]) -> dict[str, Json]:
    """The nbformat document, with its texts in lines as Jupyter writes them; without outputs where it omits them."""
    if content.omits_outputs:
        outputs, metadata = {}, _without_widgets(content.metadata)
    else:
        metadata = _with_widgets(content.metadata, outputs)
    return {
        "nbformat": NBFORMAT,
        "nbformat_minor": content.nbformat_minor,
        "metadata": metadata,
        "cells": [_write_cell(cell, outputs.get(cell.id)) for cell in content.shown],
    }


def dump(document: dict[str, Json]) -> bytes:
    """The file's bytes, laid out as Jupyter lays them out."""
    return (json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()


def percent_script(content: Content) -> str:
    """A Python script in the percent format that editors and Jupytext read; magics and text are comments."""
    parts = []
    for cell in content.shown:
        if cell.type == "code":
            parts.append("# %%\n" + _commented_magics(cell.source))
        else:
            commented = "\n".join(f"# {line}".rstrip() for line in cell.source.split("\n"))
            parts.append(f"# %% [{cell.type}]\n{commented}")
    return "\n\n".join(parts) + "\n"


def _parsed(data: bytes) -> object:
    try:
        return json.loads(data.decode("utf-8-sig"), parse_constant=_not_a_number)
    except UnicodeDecodeError:
        raise _no_notebook("it is not UTF-8 text.") from None
    except RecursionError:
        raise _no_notebook("it is nested too deeply.") from None
    except ValueError:
        raise _no_notebook("it is not JSON.") from None


def _upgraded(document: object) -> dict[str, Json]:
    document = _object(document, "it")
    version = document.get("nbformat")
    if not isinstance(version, int) or isinstance(version, bool):
        _refuse('it has no "nbformat" number.')
    if version == NBFORMAT:
        return document
    if version not in (1, 2, 3):
        _refuse(f"its format {version} is newer than this server knows (nbformat {NBFORMAT}).")
    import nbformat  # slow to import, and needed only for files from before 2014

    try:
        # Its reader joins texts that are written as lists of lines; its converter alone takes none.
        old = nbformat.reader.reads(json.dumps(document))  # type: ignore[no-untyped-call]
        upgraded = nbformat.convert(old, NBFORMAT)  # type: ignore[no-untyped-call]
        return cast(dict[str, Json], json.loads(json.dumps(upgraded)))
    except Exception as error:  # whatever a broken old file makes the converter raise
        raise Invalid(f"The notebook is of the old format {version}, and cannot be upgraded.") from error


def _read_cell(cell: dict[str, Json], number: int, position: str, taken: set[str]) -> Cell:
    kind = cell.get("cell_type")
    if kind not in ("code", "markdown", "raw"):
        _refuse(f"cell {number} is neither code, markdown nor raw.")
    metadata = _object(cell.get("metadata", {}), f"the metadata of cell {number}")
    attachments = _object(cell.get("attachments") or {}, f"the attachments of cell {number}")
    bundles = {
        name: _read_bundle(_object(bundle, f"attachment of cell {number}")) for name, bundle in attachments.items()
    }
    return Cell(
        id=_cell_id(cell, metadata, taken),
        type=cast(CellType, kind),
        position=position,
        source=_text(cell.get("source", ""), f"the source of cell {number}"),
        metadata=_clean(metadata),
        attachments=_clean(bundles),
    )


def _cell_id(cell: dict[str, Json], metadata: dict[str, Json], taken: set[str]) -> CellId:
    """The cell's own id, or the one Colab keeps in its metadata, or a new one."""
    for candidate in (cell.get("id"), metadata.get("id")):
        if isinstance(candidate, str) and CELL_ID.match(candidate) and candidate not in taken:
            taken.add(candidate)
            return CellId(candidate)
    fresh = new_id()[:NEW_CELL_ID_LENGTH]
    taken.add(fresh)
    return CellId(fresh)


def _read_outputs(cell: dict[str, Json], number: int) -> CellOutputs:
    outputs = cell.get("outputs") or []
    if not isinstance(outputs, list):
        _refuse(f"the outputs of cell {number} are no list.")
    count = cell.get("execution_count")
    return CellOutputs(
        [_read_output(_object(output, f"an output of cell {number}"), number) for output in outputs],
        count if isinstance(count, int) and not isinstance(count, bool) and count >= 0 else None,
    )


def _read_output(output: Output, number: int) -> Output:
    kind = output.get("output_type")
    if kind not in _OUTPUT_TYPES:
        _refuse(f"cell {number} has an output of the unknown type {str(kind)[:40]!r}.")
    if kind == "stream":
        name = output.get("name", "stdout")
        text = _text(output.get("text", ""), f"an output of cell {number}")
        return {"output_type": kind, "name": name if isinstance(name, str) else "stdout", "text": text}
    if kind == "error":
        trace = output.get("traceback") or []
        return {
            "output_type": kind,
            "ename": _clean(str(output.get("ename", ""))),
            "evalue": _clean(str(output.get("evalue", ""))),
            "traceback": [_clean(str(line)) for line in (trace if isinstance(trace, list) else [trace])],
        }
    read: Output = {
        "output_type": kind,
        "data": _clean(_read_bundle(_object(output.get("data", {}), f"an output of cell {number}"))),
        "metadata": _clean(_object(output.get("metadata", {}), f"an output's metadata of cell {number}")),
    }
    if kind == "execute_result":
        count = output.get("execution_count")
        read["execution_count"] = count if isinstance(count, int) and count >= 0 else None
    return read


def _read_bundle(bundle: dict[str, Json]) -> dict[str, Json]:
    return {mime: value if _is_json(mime) else _joined(value) for mime, value in bundle.items()}


def _joined(value: Json) -> Json:
    return "".join(value) if isinstance(value, list) and all(isinstance(line, str) for line in value) else value


def _is_json(mime: str) -> bool:
    return mime == "application/json" or (mime.startswith("application/") and mime.endswith("+json"))


def _mended_widgets(metadata: dict[str, Json]) -> dict[str, Json]:
    """Colab writes the models of widgets without the frame around them; nbformat and nbconvert need it."""
    widgets = metadata.get("widgets")
    if not isinstance(widgets, dict) or WIDGET_STATE not in widgets:
        return metadata
    state = widgets[WIDGET_STATE]
    if not isinstance(state, dict) or isinstance(state.get("state"), dict):
        return metadata
    models = {key: value for key, value in state.items() if isinstance(value, dict)}
    framed = {
        "version_major": state.get("version_major", 2),
        "version_minor": state.get("version_minor", 0),
        "state": models,
    }
    return metadata | {"widgets": widgets | {WIDGET_STATE: framed}}


def _with_widgets(metadata: dict[str, Json], outputs: dict[CellId, CellOutputs]) -> dict[str, Json]:
    """With the states of the widgets that outputs show; of those that came with the file, what is still shown stays."""
    made = {id: state for left in outputs.values() for id, state in left.widgets.items()}
    if not made:
        return metadata
    widgets = metadata.get("widgets")
    widgets = widgets if isinstance(widgets, dict) else {}
    framed = widgets.get(WIDGET_STATE)
    known = framed.get("state") if isinstance(framed, dict) else None
    waiting = [id for left in outputs.values() for output in left.outputs for id in _viewed(output)]
    kept: dict[str, Json] = {}
    while waiting and isinstance(known, dict):
        id = waiting.pop()
        if id not in kept and id not in made and isinstance(known.get(id), dict):
            kept[id] = known[id]
            waiting += MODEL_REFERENCE.findall(json.dumps(known[id]))
    state: dict[str, Json] = {"version_major": 2, "version_minor": 0, "state": kept | made}
    return metadata | {"widgets": widgets | {WIDGET_STATE: state}}


def _without_widgets(metadata: dict[str, Json]) -> dict[str, Json]:
    """Without the states that came with the file: they are what an output showed."""
    return {key: value for key, value in metadata.items() if key != "widgets"}


def _viewed(output: Output) -> list[str]:
    data = output.get("data")
    view = data.get(WIDGET_VIEW) if isinstance(data, dict) else None
    return [view["model_id"]] if isinstance(view, dict) and isinstance(view.get("model_id"), str) else []


def _write_cell(cell: Cell, left: CellOutputs | None) -> dict[str, Json]:
    written: dict[str, Json] = {
        "cell_type": cell.type,
        "id": cell.id,
        "metadata": cell.metadata,
        "source": cell.source.splitlines(keepends=True),
    }
    if cell.attachments and cell.type != "code":
        written["attachments"] = {name: _write_bundle(bundle) for name, bundle in cell.attachments.items()}
    if cell.type == "code":
        written["execution_count"] = left.execution_count if left else None
        written["outputs"] = [_write_output(output) for output in left.outputs] if left else []
    return written


def _write_output(output: Output) -> Output:
    written = dict(output)
    if isinstance(written.get("text"), str):
        written["text"] = written["text"].splitlines(keepends=True)
    if isinstance(written.get("data"), dict):
        written["data"] = _write_bundle(written["data"])
    return written


def _write_bundle(bundle: dict[str, Json]) -> dict[str, Json]:
    return {
        mime: value.splitlines(keepends=True)
        if isinstance(value, str) and (mime.startswith("text/") or mime in _SPLIT_MIMES)
        else value
        for mime, value in bundle.items()
    }


def _commented_magics(source: str) -> str:
    if source.startswith("%%"):
        return "\n".join(f"# {line}".rstrip() for line in source.split("\n"))
    return "\n".join(f"# {line}" if line.lstrip().startswith(("!", "%", "?")) else line for line in source.split("\n"))


def _text(value: Json, what: str) -> str:
    text = _joined(value)
    if not isinstance(text, str):
        _refuse(f"{what} is no text.")
    return cast(str, _clean(text))


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        _refuse(f"{what} is no JSON object.")
    return value


def _clean(value: Json, depth: int = 0) -> Json:
    """The same JSON without halves of surrogate pairs, which no UTF-8 text can hold."""
    if depth >= DEPTH_MAX:
        _refuse("it is nested too deeply.")
    if isinstance(value, str):
        return value if _whole(value) else value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, dict):
        return {_clean(key): _clean(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list):
        return [_clean(inner, depth + 1) for inner in value]
    return value


def _whole(text: str) -> bool:
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _not_a_number(_name: str) -> None:
    """`NaN` and the infinities, which some tools write although JSON has no such values, become null."""


def _refuse(what: str) -> NoReturn:
    raise _no_notebook(what)


def _no_notebook(what: str) -> Invalid:
    return Invalid(f"The file is not a notebook: {what}", why="no_notebook", what=what)
