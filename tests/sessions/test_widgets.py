"""Widgets over a real kernel: what the server keeps of them, and what each tab hears and may say."""

import base64
import json
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from collegium.accounts.model import Role
from collegium.ground.db import Database
from collegium.ground.errors import NotFound
from collegium.ground.ids import CellId, NotebookId
from collegium.kernels.model import Message
from collegium.sessions.model import Asked
from collegium.sessions.saved import StoredOutputs
from collegium.sessions.service import Sessions
from collegium.sessions.session import Session
from collegium.sessions.widget_log import WidgetLog
from collegium.sessions.widget_model import VIEW, values_of
from collegium.sessions.widget_shelf import WidgetShelf
from collegium.sessions.widgets import Widgets
from session_world import ADA, NOTEBOOK, FakeDocuments, OpenServer, Tab, ended, followed, heard

SLIDER = """import ipywidgets as w
s = w.IntSlider(value=3, description='n')
t = w.IntText()
link = w.jslink((s, 'value'), (t, 'value'))
s"""
pytestmark = pytest.mark.anyio


async def ran(sessions: Sessions, documents: FakeDocuments, source: str, cell: str = "c") -> str:
    """Run a cell to its end; the execution's id."""
    documents.cells[cell] = ("code", source)
    made = await sessions.execute(ADA, NOTEBOOK, [Asked(cell)])
    frame = await ended(documents, made[0].id)
    assert frame["state"] == "finished", followed(documents.told, made[0].id)
    return made[0].id


def view_of(documents: FakeDocuments, execution: str) -> str:
    """The model that an execution shows."""
    outputs = followed(documents.told, execution)
    return next(str(one["data"][VIEW]["model_id"]) for one in outputs if VIEW in one.get("data", {}))


async def asked(sessions: Sessions, tab: Tab, *ids: str) -> dict[str, dict[str, Any]]:
    """The models that a tab gets, by their ids."""
    start = len(tab.told)
    await sessions.received(tab, {"type": "widget_models", "request": f"m{start}", "models": list(ids)})
    frame = await heard(tab, lambda f: f["type"] == "widget_models", start)
    return {model["id"]: model for model in frame["models"]}


async def item(tab: Tab, wanted: Any, start: int = 0) -> dict[str, Any]:
    """The first item of an update frame that is wanted."""

    def has(frame: dict[str, Any]) -> bool:
        return frame["type"] == "widget_updates" and any(map(wanted, frame["items"]))

    frame = await heard(tab, has, start)
    return next(one for one in frame["items"] if wanted(one))


async def say(sessions: Sessions, tab: Tab, id: str, state: dict[str, Any], message: str = "m1", **more: Any) -> None:
    """A tab changes attributes of a model."""
    data = {"method": "update", "state": state, "buffer_paths": more.pop("paths", [])}
    told = {"op": "msg", "id": id, "message": message, "data": data, **more}
    await sessions.received(tab, {"type": "comms", "messages": [told]})


@asynccontextmanager
async def shown(server: OpenServer, documents: FakeDocuments, source: str) -> AsyncIterator[tuple[Sessions, str]]:
    async with server() as sessions:
        yield sessions, view_of(documents, await ran(sessions, documents, source))


async def test_a_tab_gets_a_model_with_all_it_refers_to_and_the_links_between_them(
    server: OpenServer, documents: FakeDocuments
) -> None:
    async with shown(server, documents, SLIDER + "\nw.VBox([s, t])") as (sessions, box):
        models = await asked(sessions, Tab(), box)

        names = sorted(model["state"]["_model_name"] for model in models.values())
        assert "LinkModel" in names
        assert {"VBoxModel", "IntSliderModel", "IntTextModel", "LayoutModel", "SliderStyleModel"} < set(names)
        assert all(model["live"] for model in models.values())


async def test_what_one_tab_moves_the_kernel_takes_and_the_other_tab_hears(
    server: OpenServer, documents: FakeDocuments
) -> None:
    async with shown(server, documents, SLIDER) as (sessions, slider):
        ada, bob = Tab(), Tab()
        for tab in (ada, bob):
            await asked(sessions, tab, slider)
        await say(sessions, ada, slider, {"value": 42})
        theirs = await item(bob, lambda one: one.get("id") == slider and "value" in one["state"])
        mine = await item(ada, lambda one: one.get("id") == slider and "value" in one["state"])
        done = await item(ada, lambda one: "done" in one)

        assert theirs["state"]["value"] == 42
        assert mine["by"] == {"value": ["m1"]}
        assert done == {"done": "m1"}
        execution = await ran(sessions, documents, "print(s.value)", "d")
        assert followed(documents.told, execution)[0]["text"] == "42\n"


async def test_who_may_not_run_sees_and_cannot_move(server: OpenServer, documents: FakeDocuments) -> None:
    async with shown(server, documents, SLIDER) as (sessions, slider):
        viewer = Tab(Role.VIEWER)
        models = await asked(sessions, viewer, slider)
        await say(sessions, viewer, slider, {"value": 42})
        refused = await heard(viewer, lambda f: f["type"] == "refused")

        assert models[slider]["state"]["value"] == 3
        assert refused["code"] == "forbidden"
        await say(sessions, Tab(), slider, {"value": 7})
        seen = await item(viewer, lambda one: one.get("id") == slider and "value" in one["state"])
        assert seen["state"]["value"] == 7


async def test_a_comm_that_the_kernel_does_not_have_is_refused(server: OpenServer, documents: FakeDocuments) -> None:
    async with shown(server, documents, SLIDER) as (sessions, _):
        tab = Tab()
        await say(sessions, tab, "another kernel's", {"value": 1}, "m9")

        refused = await heard(tab, lambda f: f["type"] == "comm_refused")
        assert (refused["message"], refused["code"]) == ("m9", "not_found")


async def test_models_outlive_the_server(server: OpenServer, documents: FakeDocuments) -> None:
    big = "import os; raw = os.urandom(100_000); im = w.Image(value=raw); w.VBox([s, im])"
    async with shown(server, documents, f"{SLIDER}\n{big}") as (sessions, box):
        before = await asked(sessions, Tab(), box)
    async with server() as sessions:
        after = await asked(sessions, Tab(), box)
        [image] = [model for model in after.values() if model["state"]["_model_name"] == "ImageModel"]
        [[path, named]] = image["buffers"]
        session = await sessions.session(NOTEBOOK)
        content = await session.widgets.content(named["sha256"])
        execution = await ran(sessions, documents, "import hashlib; print(hashlib.sha256(raw).hexdigest())", "d")

        assert after == before
        assert path == ["value"]
        assert len(content) == named["size"] == 100_000
        assert followed(documents.told, execution)[0]["text"].strip() == named["sha256"]


async def test_models_of_a_kernel_that_is_gone_stay_as_they_were_and_take_nothing(
    server: OpenServer, documents: FakeDocuments
) -> None:
    async with shown(server, documents, SLIDER) as (sessions, slider):
        tab = Tab()
        await asked(sessions, tab, slider)
        session = await sessions.session(NOTEBOOK)
        await session.restart()
        await item(tab, lambda one: one.get("gone") is True)
        models = await asked(sessions, tab, slider)
        await say(sessions, tab, slider, {"value": 9}, "m2")
        refused = await heard(tab, lambda f: f["type"] == "comm_refused")

        assert not models[slider]["live"]
        assert models[slider]["state"]["value"] == 3
        assert refused["code"] == "kernel_gone"


async def test_an_output_widget_holds_what_it_captured_and_python_knows(
    server: OpenServer, documents: FakeDocuments
) -> None:
    source = """import ipywidgets as w
from IPython.display import clear_output, display
out = w.Output()
display(out)
with out:
    print("thrown away")
    clear_output(wait=True)
    print("inside")
    display({"text/plain": "shown"}, raw=True)
print("outside")"""
    async with server() as sessions:
        execution = await ran(sessions, documents, source)
        outputs = followed(documents.told, execution)
        out = view_of(documents, execution)
        models = await asked(sessions, Tab(), out)
        told = await ran(sessions, documents, "[o.get('text', o.get('data')) for o in out.outputs]", "d")

        assert [one["text"] for one in outputs if one["output_type"] == "stream"] == ["outside\n"]
        captured = models[out]["state"]["outputs"]
        assert [one.get("text") or one["data"]["text/plain"] for one in captured] == ["inside\n", "shown"]
        [answer] = followed(documents.told, told)
        assert "inside" in answer["data"]["text/plain"]
        assert "shown" in answer["data"]["text/plain"]


async def test_what_a_button_prints_belongs_to_the_run_that_shows_it(
    server: OpenServer, documents: FakeDocuments
) -> None:
    source = "import ipywidgets as w\nb = w.Button()\nb.on_click(lambda _: print('clicked'))\nb"
    async with server() as sessions:
        execution = await ran(sessions, documents, source)
        button = view_of(documents, execution)
        data = {"method": "custom", "content": {"event": "click"}}
        told = {"id": button, "message": "m1", "data": data, "execution": execution}
        await sessions.received(Tab(), {"type": "comms", "messages": [told]})
        await heard(documents, lambda f: f.get("execution") == execution and "clicked" in json.dumps(f))  # type: ignore[arg-type]

        assert "clicked\n" in [one.get("text") for one in followed(documents.told, execution)]


async def test_what_an_output_widget_captured_while_the_log_is_written_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    writing, may_end = threading.Event(), threading.Event()

    def slow(_: WidgetShelf) -> None:
        writing.set()
        may_end.wait(30)

    async def nothing(*_: Any) -> Any:
        return {}

    def word(seq: int, msg_type: str, content: dict[str, Any]) -> Message:
        return Message(seq, 0, "k", "iopub", msg_type, "run", content)

    monkeypatch.setattr(WidgetShelf, "sync", slow)
    path, tab = tmp_path / "widgets.log", Tab()
    widgets = Widgets(path, bytes_max=2**20, gather_seconds=0.01, request=nothing, viewed=nothing, past=nothing)
    state = {"_model_name": "OutputModel", "msg_id": "run", "outputs": []}
    await widgets.take(word(1, "comm_open", {"comm_id": "out", "target_name": "t", "data": {"state": state}}))
    await widgets.models(tab, ["out"])
    await widgets.take(word(2, "stream", {"name": "stdout", "text": "pressed"}))
    async with anyio.create_task_group() as tasks:
        try:
            tasks.start_soon(widgets.sync)
            await anyio.to_thread.run_sync(writing.wait)
            tasks.start_soon(widgets.run)
            # The kernel says no more, and whoever tells the tabs has found the log taken.
            await anyio.wait_all_tasks_blocked()
        finally:
            may_end.set()
        told = await item(tab, lambda one: one.get("id") == "out")
        tasks.cancel_scope.cancel()
    widgets.close()

    assert told["state"]["outputs"] == [{"output_type": "stream", "name": "stdout", "text": "pressed"}]


async def test_buffers_reach_the_kernel(server: OpenServer, documents: FakeDocuments) -> None:
    source = "import ipywidgets as w\nu = w.FileUpload()\nu"
    async with shown(server, documents, source) as (sessions, upload):
        tab = Tab()
        await asked(sessions, tab, upload)
        file = {"name": "a.txt", "type": "text/plain", "size": 5, "last_modified": 0}
        content = base64.b64encode(b"hello").decode()
        paths = [["value", 0, "content"]]
        await say(sessions, tab, upload, {"value": [file]}, paths=paths, buffers=[content])
        await item(tab, lambda one: "done" in one)
        models = await asked(sessions, tab, upload)
        execution = await ran(sessions, documents, "print(bytes(u.value[0].content))", "d")

        assert followed(documents.told, execution)[0]["text"] == "b'hello'\n"
        assert models[upload]["buffers"] == [[["value", 0, "content"], content]]


async def test_a_large_buffer_is_uploaded_first(server: OpenServer, documents: FakeDocuments) -> None:
    async with shown(server, documents, "import ipywidgets as w\nu = w.FileUpload()\nu") as (sessions, upload):
        tab = Tab()
        await asked(sessions, tab, upload)
        session = await sessions.session(NOTEBOOK)
        name = session.widgets.uploaded(bytes(5_000_000))
        file = {"name": "a.bin", "type": "", "size": 5_000_000, "last_modified": 0}
        paths = [["value", 0, "content"]]
        await say(sessions, tab, upload, {"value": [file]}, paths=paths, buffers=[{"uploaded": name}])
        await item(tab, lambda one: "done" in one)
        execution = await ran(sessions, documents, "print(len(u.value[0].content))", "d")
        await say(sessions, tab, upload, {"value": [file]}, "m2", paths=paths, buffers=[{"uploaded": name}])
        refused = await heard(tab, lambda f: f["type"] == "comm_refused")

        assert followed(documents.told, execution)[0]["text"] == "5000000\n"
        assert (refused["message"], refused["code"]) == ("m2", "not_found")


async def test_a_tab_that_reads_slowly_gets_the_last_of_a_thousand_values(
    server: OpenServer, documents: FakeDocuments
) -> None:
    async with shown(server, documents, SLIDER.replace("value=3", "max=5000")) as (sessions, slider):
        tab = Tab()
        await asked(sessions, tab, slider)
        await ran(sessions, documents, "for i in range(1000): s.value = i", "d")
        await anyio.sleep(0.3)
        frames = [frame for frame in tab.told if frame["type"] == "widget_updates"]
        await sessions.received(tab, {"type": "widgets_read", "n": frames[-1]["n"]})
        last = await item(tab, lambda one: one.get("state", {}).get("value") == 999)

        assert len(frames) <= 2
        assert last["id"] == slider


async def test_more_than_the_widgets_of_a_notebook_may_hold_is_refused(
    server: OpenServer, documents: FakeDocuments
) -> None:
    source = "import os, ipywidgets as w\nw.VBox([w.Image(value=os.urandom(600_000)) for _ in range(2)])"
    async with server(widgets_bytes_max=1_000_000) as sessions:
        box = view_of(documents, await ran(sessions, documents, source))
        models = await asked(sessions, Tab(), box)

        images = [model for model in models.values() if model["state"]["_model_name"] == "ImageModel"]
        assert sorted(("buffers" in image, image.get("over", False)) for image in images) == [
            (False, True),
            (True, False),
        ]


@pytest.mark.parametrize("count", [4_000, pytest.param(10_000, marks=pytest.mark.long)])
async def test_thousands_of_models_are_kept_and_told_in_parts(
    server: OpenServer, documents: FakeDocuments, count: int
) -> None:
    labels = f"[w.Label(str(i), layout=plain) for i in range({count})]"
    source = f"import ipywidgets as w\nplain = w.Layout()\nw.VBox({labels})"
    async with shown(server, documents, source) as (sessions, box):
        models = await asked(sessions, Tab(), box)
        session: Session = await sessions.session(NOTEBOOK)
        saved = await session.widgets.saved([box], 1 << 30)

        assert box in models
        assert len(models) < count
        assert len(saved) > count
        with pytest.raises(NotFound):
            await session.widgets.content("0" * 64)


async def test_a_file_has_the_states_of_what_cells_show_also_when_no_session_is_open(
    server: OpenServer, documents: FakeDocuments
) -> None:
    source = "raw = bytes(range(256)) * 400\npicture = w.Image(value=raw)\nw.VBox([s, t, picture])"
    async with server() as sessions:
        await ran(sessions, documents, SLIDER)
        await ran(sessions, documents, source, "d")
        during = await sessions.outputs(NOTEBOOK)
        session = await sessions.session(NOTEBOOK)
        await session.disconnect()
    async with server() as sessions:
        after = await sessions.outputs(NOTEBOOK)

    states = after[CellId("d")].widgets
    assert {cell: left.widgets for cell, left in after.items()} == {cell: left.widgets for cell, left in during.items()}
    names = {state["model_name"] for state in states.values()}
    assert {"VBoxModel", "IntSliderModel", "LinkModel", "ImageModel", "LayoutModel"} <= names
    [image] = [state for state in states.values() if state["model_name"] == "ImageModel"]
    assert base64.b64decode(image["buffers"][0]["data"]) == bytes(range(256)) * 400


async def test_a_torn_log_loses_its_last_record_and_nothing_else(tmp_path: Path) -> None:
    log = WidgetLog(tmp_path / "widgets.log")
    log.append({"op": "open", "seq": 1}, {"a" * 64: b"large" * 1000})
    log.append({"op": "update", "seq": 2}, {})
    log.close()
    whole = log.path.read_bytes()
    log.path.write_bytes(whole[:-3])
    again = WidgetLog(tmp_path / "widgets.log")
    records = list(again.recover())

    assert [record["seq"] for record in records] == [1]
    assert again.read("a" * 64) == b"large" * 1000
    assert again.size == log.path.stat().st_size
    again.close()


def test_a_log_that_is_mostly_past_is_written_anew(tmp_path: Path) -> None:
    shelf = WidgetShelf(tmp_path / "widgets.log", bytes_max=1 << 30)
    for number in range(60):
        new: dict[str, bytes] = {}
        values = values_of({"value": "x"}, [["value"]], [bytes([number]) * 400_000], new)
        if number == 0:
            shelf.open("a", "jupyter.widget", {}, values, new, 1)
        else:
            shelf.update(shelf.models["a"], values, new, number + 1)
    before = shelf.models["a"].values
    shelf.sync()
    shelf.close()
    again = WidgetShelf(tmp_path / "widgets.log", bytes_max=1 << 30)
    again.load()
    [large] = again.larges(again.models.values()).values()

    assert (tmp_path / "widgets.log").stat().st_size < 1_000_000
    assert again.models["a"].values == before
    assert again.last_seq == 60
    assert again.read(large.sha256) == bytes([59]) * 400_000
    again.close()


async def test_what_cells_show_of_a_kernel_that_is_gone_is_in_the_database_and_goes_with_a_copy(
    server: OpenServer, documents: FakeDocuments, database: Database, tmp_path: Path
) -> None:
    copy = NotebookId("c" * 22)
    async with shown(server, documents, f"{SLIDER}\nw.VBox([s, t])") as (sessions, box):
        session = await sessions.session(NOTEBOOK)
        before = await asked(sessions, Tab(), box)
        async with database.write() as tx:
            await StoredOutputs(sessions).copied(tx, NOTEBOOK, copy, ADA.user, [CellId("c")])
        await session.disconnect()
    (tmp_path / "outputs" / NOTEBOOK / "widgets.log").unlink()
    async with server() as sessions:
        after = await asked(sessions, Tab(), box)
        tab = Tab()
        tab.notebook = copy
        copied = await asked(sessions, tab, box)

    assert {id: model["state"] for id, model in after.items()} == {id: model["state"] for id, model in before.items()}
    assert not any(model["live"] for model in (*after.values(), *copied.values()))
    assert copied.keys() == before.keys()
