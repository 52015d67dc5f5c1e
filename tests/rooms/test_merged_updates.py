"""What a real Yjs makes of several updates when it merges them is taken like the updates themselves."""

import base64

import pytest

from collegium.ground.ids import CellId
from collegium.notebooks.document import Document
from collegium.notebooks.model import Cell, Content
from collegium.notebooks.strict import Reject
from rooms.replicas import node

CLIENT = 77
OPS = [
    {"kind": "set", "cell": "a", "key": "t", "value": "markdown"},
    {"kind": "set", "cell": "a", "key": "t", "value": "raw"},
    {"kind": "md", "cell": "a", "key": "k", "value": 1},
    {"kind": "md", "cell": "a", "key": "k", "value": {"deep": ["📊"]}},
    {"kind": "insert", "cell": "a", "at": 0, "text": "📊 x"},
    {"kind": "delete", "cell": "a", "at": 0, "size": 2},
    {"kind": "set", "cell": "a", "key": "del", "value": {"by": "u", "at": 1}},
    {"kind": "set", "cell": "a", "key": "del", "value": None},
    {"kind": "add", "cell": "b", "type": "code", "pos": "Z", "source": "new", "md": {"q": 1}},
    {"kind": "set", "cell": "b", "key": "pos", "value": "Y1"},
]


def document() -> Document:
    return Document.of(Content((Cell(CellId("a"), "code", "V", "print('📊')", {"k": 0}),)))


@pytest.mark.parametrize("first", [0, 1, 3])
def test_a_merged_update_is_accepted_and_says_what_its_parts_say(first: int) -> None:
    one, two = document(), document()
    with node() as yjs:
        yjs.ask("create", name="tab", client=CLIENT)
        yjs.ask("apply", name="tab", updates=[base64.b64encode(one.lacking(None)).decode()])
        two = Document.load([one.lacking(None)])
        updates = [yjs.ask("edit", name="tab", ops=[op])["updates"][0] for op in OPS]
        merged = base64.b64decode(yjs.ask("merge", updates=updates[first:])["update"])
        shown = yjs.ask("content", name="tab")["cells"]
    for update in map(base64.b64decode, updates[:first]):
        one.admit(update, {CLIENT})
        one.apply(update)
    one.admit(merged, {CLIENT})
    one.apply(merged)
    for update in map(base64.b64decode, updates):
        two.admit(update, {CLIENT})
        two.apply(update)

    assert one.digest() == two.digest() == Document.load([one.lacking(None)]).digest()
    said = {cell.id: (cell.type, cell.position, cell.source, cell.metadata) for cell in one.content().cells}
    assert said == {id: (cell["t"], cell["pos"], cell["source"], cell["md"]) for id, cell in shown.items()}


def test_an_entry_without_a_key_still_has_to_hold_what_its_place_may_hold() -> None:
    """The type of cell "a" is the origin; the value would be good elsewhere."""
    base = document()
    with node() as yjs:
        yjs.ask("create", name="tab", client=CLIENT)
        yjs.ask("apply", name="tab", updates=[base64.b64encode(base.lacking(None)).decode()])
        op = {"kind": "set", "cell": "a", "key": "t", "value": "<script>"}
        bad = [yjs.ask("edit", name="tab", ops=[op | {"value": value}])["updates"][0] for value in ("raw", "<script>")]
        merged = base64.b64decode(yjs.ask("merge", updates=bad)["update"])

    with pytest.raises(Reject, match="another kind of value"):
        base.admit(merged, {CLIENT})
