"""A user's drive as Jupyter's contents: folders, files, and notebooks, which are merged and never overwritten."""

import base64
import binascii
import json
import mimetypes
from collections.abc import AsyncIterator
from typing import Any

import anyio.to_thread
import nbformat

from collegium.accounts.model import Action, Principal, may
from collegium.drive.model import Item, Kind
from collegium.drive.service import Drive
from collegium.ground.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge
from collegium.ground.ids import ItemId, NotebookId
from collegium.ground.log import get_log
from collegium.jupyter.model import time_of
from collegium.jupyter.notebooks import NotebookFiles
from collegium.jupyter.tree import Place, Tree, parts_of
from collegium.jupyter.uploads import Uploads

log = get_log("jupyter")

READ_BYTES_MAX = 64 << 20
"""Larger files are downloaded from /jupyter/files, in pieces."""

COPIES_MAX = 1000
Model = dict[str, Any]


class Contents:
    """The use cases of `/api/contents`."""

    def __init__(self, drive: Drive, tree: Tree, notebooks: NotebookFiles, uploads: Uploads) -> None:
        self.tree = tree
        self.drive = drive
        self.notebooks = notebooks
        self._uploads = uploads

    # reading

    async def get(
        self,
        principal: Principal,
        path: str,
        *,
        client: str = "",
        type: str | None = None,
        format: str | None = None,
        content: bool = True,
        hash: bool = False,
    ) -> Model:
        """What is at a path. Raises NotFound, Invalid or TooLarge."""
        place = await self.tree.find(principal, path)
        if place.is_folder:
            if type not in (None, "directory"):
                raise Invalid(f"{path} is a directory, not a {type}", reason="bad type")
            return await self._folder(principal, place, content=content)
        assert place.item is not None
        if type == "directory":
            raise Invalid(f"{path} is not a directory", reason="bad type")
        if place.item.kind is Kind.NOTEBOOK:
            model = await self._shown(place)
            if not content and not hash:
                return model
            file = await self.notebooks.served(principal, place.item, client=client if content else None)
            if hash:
                model |= {"hash": await self.notebooks.digest(file), "hash_algorithm": "sha256"}
            return model | (await _notebook_in(file, type == "file", format, path) if content else {})
        if type == "notebook":
            raise Invalid(f"{path} is not a notebook", reason="bad type")
        return await self._file(principal, place, format=format, content=content, hash=hash)

    async def model(self, principal: Principal, item: ItemId) -> Model:
        """An item without its content."""
        return await self.get(principal, await self.tree.path_of(principal, item), content=False)

    async def _shown(self, place: Place, *, exactly: bool = True) -> Model:
        """Without `exactly`, a notebook's last change is known to some seconds, as the drive shows it."""
        item = place.item
        changed = None
        if exactly and item is not None and item.kind is Kind.NOTEBOOK:
            changed = await self.notebooks.changed_at(NotebookId(item.id))
        return {
            "name": place.name,
            "path": place.path,
            "type": _type(item),
            "writable": may(place.role, Action.WRITE),
            "created": time_of(0 if item is None else item.created_at),
            "last_modified": time_of(0 if item is None else changed or item.modified_at),
            "size": None if item is None or item.kind is Kind.FOLDER else item.size,
            "mimetype": None,
            "format": None,
            "content": None,
        }

    async def _folder(self, principal: Principal, place: Place, *, content: bool) -> Model:
        model = await self._shown(place)
        if content:
            children = await self.tree.children(principal, place)
            model |= {"format": "json", "content": [await self._shown(child, exactly=False) for child in children]}
        return model

    async def _file(
        self, principal: Principal, place: Place, *, format: str | None, content: bool, hash: bool
    ) -> Model:
        assert place.item is not None
        model = await self._shown(place)
        if hash:
            model |= {"hash": place.item.blob, "hash_algorithm": "sha256"}
        if content:
            read = _text_of(await self._bytes(principal, place.item), format, place.path)
            guess = mimetypes.guess_type(place.name)[0]
            plain = "text/plain" if read["format"] == "text" else "application/octet-stream"
            model |= read | {"mimetype": guess or plain}
        return model

    async def _bytes(self, principal: Principal, item: Item) -> bytes:
        if item.size > READ_BYTES_MAX:
            raise TooLarge("The file is too large to be read at once: download it from /jupyter/files.")
        found = await self.drive.file(principal, item.id)
        return b"".join([piece async for piece in self.drive.content(found)])

    # writing

    async def save(self, principal: Principal, path: str, body: Model, *, client: str) -> tuple[Model, bool]:
        """Write what a body says to a path; whether it is new. Raises NotFound, Invalid, Forbidden, TooLarge."""
        if not parts_of(path):
            raise Invalid("The top of the drive is there already.")
        try:
            place: Place | None = await self.tree.find(principal, path)
        except NotFound:
            place = None
        type, content = body.get("type"), body.get("content")
        if type is None and place is None:
            type = "notebook" if path.endswith(".ipynb") else "file"
        if type not in ("directory", "notebook", "file"):
            raise Invalid("No file type provided" if type is None else f"Unhandled contents type: {str(type)[:40]}")
        if body.get("chunk") is not None:
            part = _decoded(content, body.get("format"))
            whole = await self._uploads.part(principal.user, path, body["chunk"], part)
            if whole is None:
                return _unfinished(path), place is None
            async with whole as pieces:
                return await self._save_file(principal, path, place, pieces)
        if type == "directory":
            return await self._save_folder(principal, path, place)
        if content is None and place is not None:
            raise Invalid("No file content provided")
        file = await _file_of(type, content, body.get("format"))
        if type == "notebook" or (place is not None and place.item and place.item.kind is Kind.NOTEBOOK):
            return await self._save_notebook(principal, path, place, file, client)
        return await self._save_file(principal, path, place, _pieces(file or b""))

    async def _save_folder(self, principal: Principal, path: str, place: Place | None) -> tuple[Model, bool]:
        if place is not None:
            if not place.is_folder:
                raise Invalid(f"Not a directory: {path}")
            return await self._shown(place), False
        folder, name = await self._above(principal, path)
        made = await self.drive.create_folder(principal, name, folder)
        return await self.model(principal, made.id), True

    async def _save_notebook(
        self, principal: Principal, path: str, place: Place | None, file: bytes | None, client: str
    ) -> tuple[Model, bool]:
        if place is None:
            folder, name = await self._above(principal, path)
            made = await self.notebooks.create(principal, name, folder, file)
            return await self.model(principal, made), True
        if place.item is None or place.item.kind is Kind.FOLDER:
            raise Invalid(f"{path} is a directory")
        if place.item.kind is Kind.FILE:
            return await self._save_file(principal, path, place, _pieces(file or b""))
        await self.notebooks.save(principal, NotebookId(place.item.id), file or b"", client=client)
        return await self._shown(place), False

    async def _save_file(
        self, principal: Principal, path: str, place: Place | None, pieces: AsyncIterator[bytes]
    ) -> tuple[Model, bool]:
        if place is None:
            folder, name = await self._above(principal, path)
            made = await self.drive.upload(principal, name, folder, pieces)
            return await self.model(principal, made.id), True
        if place.item is None or place.item.kind is not Kind.FILE:
            raise Invalid(f"{path} is not a file")
        changed = await self.drive.replace(principal, place.item.id, pieces)
        return await self._shown(Place(place.path, changed, place.role, place.name)), False

    async def _above(self, principal: Principal, path: str) -> tuple[ItemId | None, str]:
        """The folder that a path leads into, and the name in it. Raises NotFound or Invalid."""
        *above, name = parts_of(path)
        return (await self.tree.find(principal, "/".join(above))).folder, name

    async def create_untitled(self, principal: Principal, path: str, *, type: str, ext: str) -> Model:
        """A new folder, file or notebook, under a name that is free. Raises NotFound or Invalid."""
        place = await self.tree.find(principal, path)
        folder = place.folder
        if not type:
            type = "notebook" if ext in ("", ".ipynb") and ext else "file"
        stem, ending, gap = {
            "directory": ("Untitled Folder", "", " "),
            "notebook": ("Untitled", ".ipynb", ""),
        }.get(type, ("untitled", ext, ""))
        name = await self._free_name(principal, place, stem, ending, gap)
        if type == "directory":
            made = (await self.drive.create_folder(principal, name, folder)).id
        elif type == "notebook":
            made = await self.notebooks.create(principal, name, folder, None)
        else:
            made = (await self.drive.upload(principal, name, folder, _pieces(b""))).id
        return await self.model(principal, made)

    async def copy(self, principal: Principal, source: str, path: str) -> Model:
        """A copy in a folder, under a name that is free. Raises NotFound or Invalid."""
        found = await self.tree.find(principal, source)
        place = await self.tree.find(principal, path)
        folder = place.folder
        if found.item is None or found.item.kind is Kind.FOLDER:
            raise Invalid("A directory cannot be copied.")
        stem, dot, ending = found.name.rpartition(".")
        if not stem:
            stem, dot, ending = found.name, "", ""
        taken = {child.name for child in await self.tree.children(principal, place)}
        name = found.name
        if name in taken:
            name = await self._free_name(principal, place, f"{stem}-Copy1", dot + ending, "", base=f"{stem}-Copy")
        if found.item.kind is Kind.NOTEBOOK:
            file = await self.notebooks.served(principal, found.item)
            return await self.model(principal, await self.notebooks.create(principal, name, folder, file))
        content = self.drive.content(await self.drive.file(principal, found.item.id))
        return await self.model(principal, (await self.drive.upload(principal, name, folder, content)).id)

    async def _free_name(
        self, principal: Principal, place: Place, first: str, ending: str, gap: str, *, base: str | None = None
    ) -> str:
        taken = {child.name for child in await self.tree.children(principal, place)}
        if first + ending not in taken:
            return first + ending
        start = 2 if base is not None else 1
        for number in range(start, start + COPIES_MAX):
            name = f"{base or first}{gap}{number}{ending}"
            if name not in taken:
                return name
        raise Conflict("There are too many of these here.")

    async def rename(self, principal: Principal, path: str, wanted: str) -> Model:
        """Rename and move. Raises NotFound, Conflict if something is there, Forbidden or Invalid."""
        place = await self.tree.find(principal, path)
        if place.item is None:
            raise Invalid("This cannot be renamed.")
        if parts_of(path) == parts_of(wanted):
            return await self._shown(place)
        try:
            await self.tree.find(principal, wanted)
        except NotFound:
            pass
        else:
            raise Conflict(f"File already exists: {wanted}")
        folder, name = await self._above(principal, wanted)
        move = parts_of(path)[:-1] != parts_of(wanted)[:-1]
        changed = await self.drive.change(
            principal, place.item.id, name=name if name != place.name else None, move=move, parent=folder
        )
        return await self.model(principal, changed.id)

    async def delete(self, principal: Principal, path: str) -> None:
        """Put it into the drive's trash, from where it can be taken back. Raises NotFound, Forbidden or Invalid."""
        place = await self.tree.find(principal, path)
        if place.item is None:
            raise Invalid("This cannot be deleted.")
        try:
            await self.drive.trash(principal, place.item.id)
        except NotFound as error:
            raise Forbidden("This is not yours to delete.") from error


async def _notebook_in(file: bytes, as_file: bool, format: str | None, path: str) -> Model:
    if as_file:
        model = {"type": "file", "mimetype": "application/x-ipynb+json"} | _text_of(file, format, path)
    else:
        model = {"format": "json", "content": await anyio.to_thread.run_sync(_rejoined, file)}
    return model | {"size": len(file)}


def _type(item: Item | None) -> str:
    if item is None:
        return "directory"
    return {Kind.FOLDER: "directory", Kind.NOTEBOOK: "notebook", Kind.FILE: "file"}[item.kind]


def _text_of(content: bytes, format: str | None, path: str) -> Model:
    if format != "base64":
        try:
            return {"format": "text", "content": content.decode()}
        except UnicodeDecodeError as error:
            if format == "text":
                raise Invalid(f"{path} is not UTF-8 encoded", reason="bad format") from error
    return {"format": "base64", "content": base64.b64encode(content).decode()}


def _rejoined(file: bytes) -> Any:
    """The notebook as Jupyter's API has it: texts whole, where a file has their lines."""
    return nbformat.reads(file.decode(), as_version=nbformat.NO_CONVERT)  # type: ignore[no-untyped-call]


async def _file_of(type: str, content: Any, format: Any) -> bytes | None:
    """The bytes that a body means; None if it has no content."""
    if content is None:
        return None
    if type == "notebook":
        if not isinstance(content, dict):
            raise Invalid("The content of a notebook is an object.")
        return await anyio.to_thread.run_sync(lambda: json.dumps(content).encode("utf-8", "surrogatepass"))
    return _decoded(content, format)


def _decoded(content: Any, format: Any) -> bytes:
    if not isinstance(content, str):
        raise Invalid("The content of a file is a text.")
    if format not in ("text", "base64"):
        raise Invalid("Must specify format of file contents as 'text' or 'base64'")
    try:
        return content.encode() if format == "text" else base64.b64decode(content.encode("ascii"))
    except (UnicodeEncodeError, binascii.Error, ValueError) as error:
        raise Invalid(f"Encoding error saving file: {type(error).__name__}") from error


def _unfinished(path: str) -> Model:
    name = parts_of(path)[-1]
    times = {"created": time_of(0), "last_modified": time_of(0), "size": None}
    return {"name": name, "path": path.strip("/"), "type": "file", "writable": True, **times} | {
        "mimetype": None, "format": None, "content": None,
    }  # fmt: skip


async def _pieces(content: bytes) -> AsyncIterator[bytes]:
    yield content
