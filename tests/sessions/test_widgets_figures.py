"""Figures of Plotly that a program changes: what is kept of them is what a browser shows."""

from pathlib import Path
from typing import Any

import pytest

from collegium.sessions.widget_figures import DATA, EDITS_MAX, LAYOUT, PASSING, made
from collegium.sessions.widget_model import LARGE_BYTES, New, Value, Values, saved, values_of
from collegium.sessions.widget_shelf import LazyShelf, WidgetShelf

ROOM = 10_000_000


def after(data: list[Any], layout: dict[str, Any], *edits: tuple[str, Any]) -> tuple[Any, Any]:
    """Data and layout after these messages."""
    values = made(
        {DATA: Value(data), LAYOUT: Value(layout)},
        [(PASSING + kind, Value(message)) for kind, message in edits],
        lambda _: b"",
        {},
    )
    return values[DATA].plain, values[LAYOUT].plain


@pytest.mark.parametrize(
    ("edits", "data", "layout"),
    [
        ([("restyle", {"restyle_data": {"marker.color": ["red"]}, "restyle_traces": [1]})],
         [{"y": [1]}, {"y": [2], "marker": {"color": "red"}}], {"title": {"text": "t"}}),
        ([("restyle", {"restyle_data": {"y": [[7], [8]], "name": "n"}, "restyle_traces": None})],
         [{"y": [7], "name": "n"}, {"y": [8], "name": "n"}], {"title": {"text": "t"}}),
        ([("relayout", {"relayout_data": {"title.text": "new", "shapes[1].x0": 3, "xaxis": None}})],
         [{"y": [1]}, {"y": [2]}], {"title": {"text": "new"}, "shapes": [None, {"x0": 3}]}),
        ([("addTraces", {"trace_data": [{"y": [3]}]}),
          ("moveTraces", {"current_trace_inds": [0, 2], "new_trace_inds": [2, 0]})],
         [{"y": [3]}, {"y": [2]}, {"y": [1]}], {"title": {"text": "t"}}),
        ([("deleteTraces", {"delete_inds": [0, 9]})], [{"y": [2]}], {"title": {"text": "t"}}),
        ([("update", {"style_data": {"y": [[5]]}, "style_traces": 0, "layout_data": {"width": 9}})],
         [{"y": [5]}, {"y": [2]}], {"title": {"text": "t"}, "width": 9}),
        ([("animate", {"style_data": [{"y": [6]}], "style_traces": [1], "layout_data": {}})],
         [{"y": [1]}, {"y": [6]}], {"title": {"text": "t"}}),
        ([("removeLayoutProps", {"remove_props": [["title", "text"]]}),
          ("removeTraceProps", {"remove_trace": 0, "remove_props": ["y"]})],
         [{}, {"y": [2]}], {"title": {}}),
        ([("restyle", 7), ("restyle", {"restyle_data": {"y": []}, "restyle_traces": [-1, "x", 99]}), ("no", {}),
          ("relayout", {"relayout_data": {"": 1, "a[9999999]": 2}}), ("moveTraces", {"current_trace_inds": [5]})],
         [{"y": [1]}, {"y": [2]}], {"title": {"text": "t"}, "a": []}),
    ],
)  # fmt: skip
def test_a_change_is_applied_as_the_browser_does(
    edits: list[tuple[str, Any]], data: list[Any], layout: dict[str, Any]
) -> None:
    assert after([{"y": [1]}, {"y": [2]}], {"title": {"text": "t"}}, *edits) == (data, layout)


async def shelf_of(path: Path, state: dict[str, Any], buffers: list[tuple[list[Any], bytes]], new: New) -> LazyShelf:
    lazy = LazyShelf(path, bytes_max=ROOM)
    shelf = await lazy.get()
    assert shelf is not None
    values = values_of(state, [path for path, _ in buffers], [content for _, content in buffers], new)
    shelf.open("m", "jupyter.widget", {}, values, new, 1)
    return lazy


def passing(shelf: WidgetShelf, seq: int, state: dict[str, Any], buffers: list[tuple[list[Any], bytes]]) -> None:
    """A program's change: the message, and null again."""
    new: New = {}
    values = values_of(state, [path for path, _ in buffers], [content for _, content in buffers], new)
    nothing: Values = dict.fromkeys(state, Value())
    for at, change in enumerate((values, nothing)):
        shelf.update(shelf.models["m"], change, new, seq + at)


@pytest.mark.anyio
async def test_large_arrays_go_with_their_trace_and_outlive_the_server(tmp_path: Path) -> None:
    path, arrays = tmp_path / "widgets.log", [bytes([at]) * LARGE_BYTES * 2 for at in range(3)]
    trace = {"y": {"dtype": "float32", "shape": [1]}, "text": "x" * LARGE_BYTES}
    new: New = {}
    lazy = await shelf_of(
        path,
        {DATA: [trace, dict(trace)], LAYOUT: {}},
        [([DATA, at, "y", "buffer"], arrays[at]) for at in range(2)],
        new,
    )
    assert lazy.here is not None
    restyle = {"restyle_data": {"y": [{"dtype": "float32", "shape": [1]}]}, "restyle_traces": [1]}
    passing(lazy.here, 2, {PASSING + "deleteTraces": {"delete_inds": [0]}}, [])
    passing(lazy.here, 4, {PASSING + "restyle": {**restyle, "restyle_traces": [0]}},
            [([PASSING + "restyle", "restyle_data", "y", 0, "buffer"], arrays[2])])  # fmt: skip
    lazy.close()
    again = LazyShelf(path, bytes_max=ROOM)
    await again.get()
    await again.fold()

    assert again.here is not None
    model = again.here.models["m"]
    contents = await again.read(again.here.larges([model]))
    entry = saved(model, contents)
    assert [one["y"] for one in entry["state"][DATA]] == [{"dtype": "float32", "shape": [1]}]
    assert [one["path"] for one in entry["buffers"]] == [[DATA, 0, "y", "buffer"]]
    assert contents[model.values[DATA].buffers[0][1].sha256] == arrays[2]  # type: ignore[union-attr]
    assert again.here.figures.edits == {}
    again.close()


@pytest.mark.anyio
async def test_data_set_anew_is_not_changed_by_what_was_said_before(tmp_path: Path) -> None:
    lazy = await shelf_of(tmp_path / "widgets.log", {DATA: [{"y": 1}], LAYOUT: {}}, [], {})
    shelf = lazy.here
    assert shelf is not None
    passing(shelf, 2, {PASSING + "update": {"style_data": {"y": 2}, "layout_data": {"width": 5}}}, [])
    shelf.update(shelf.models["m"], {DATA: Value([{"y": 3}])}, {}, 4)
    await lazy.fold()

    assert shelf.models["m"].plain(DATA) == [{"y": 3}]
    assert shelf.models["m"].plain(LAYOUT) == {"width": 5}
    for at in range(EDITS_MAX + 1):
        passing(shelf, 5 + 2 * at, {PASSING + "relayout": {"relayout_data": {"width": at}}}, [])
    assert shelf.figures.are_many
    lazy.close()
