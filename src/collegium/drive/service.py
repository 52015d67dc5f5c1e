"""Folders, notebooks and files: what can be done to them, and by whom."""

from collections import Counter
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractContextManager, asynccontextmanager, nullcontext
from datetime import timedelta

import anyio
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.model import Action, Principal, Role, stronger
from collegium.accounts.service import Accounts
from collegium.drive import sharing_store, store
from collegium.drive.model import (
    DEPTH_MAX,
    NOTEBOOKS_FOLDER,
    Grant,
    Item,
    Kind,
    Sight,
    Usage,
    in_shown_order,
    parsed_item_name,
    sight_of,
)
from collegium.drive.ports import Blobs
from collegium.drive.settings import DriveSettings
from collegium.drive.sharing import Sharing
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import (
    CollegiumError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    QuotaExceeded,
    TooLarge,
    TooMany,
    Unavailable,
)
from collegium.ground.ids import ItemId, UserId, new_id
from collegium.ground.log import get_log
from collegium.ground.news import News

log = get_log("drive")

OnDelete = Callable[[AsyncConnection, Sequence[ItemId]], Awaitable[None]]
OnDeleted = Callable[[Sequence[ItemId]], Awaitable[None]]
Opening = Callable[[Principal, Item], AbstractContextManager[None]]
CLEAN_UP_SECONDS_MAX = 10


class Drive(Sharing):
    """Everybody's tree of items, the bytes of its files, and who may do what to them."""

    def __init__(
        self, database: Database, blobs: Blobs, accounts: Accounts, news: News, settings: DriveSettings
    ) -> None:
        super().__init__(database, accounts, news)
        self._blobs = blobs
        self.settings = settings
        self.on_delete: list[OnDelete] = []
        """Called with the notebooks that are deleted, in the transaction that deletes them, before their items go."""
        self.on_deleted: list[OnDeleted] = []
        """Called with the same notebooks once their deletion is committed."""
        self.opening: Opening = lambda _principal, _item: nullcontext()
        """Entered by whoever has a notebook open, for as long."""
        self.touched_notebooks: set[ItemId] = set()
        """Those that were changed here and not looked at since; whoever keeps their words takes them out."""
        self._uploading: Counter[UserId] = Counter()

    # --- looking ---------------------------------------------------------------------------------

    async def list_root(self, principal: Principal) -> list[Item]:
        """What lies at the top of one's own drive."""
        async with self._database.read() as tx:
            return in_shown_order(await store.read_children(tx, principal.user, None))

    async def list_folder(self, principal: Principal, folder: ItemId) -> tuple[Sight, list[tuple[Item, Role]]]:
        """A folder and what is in it, each with the asking user's role. Raises NotFound, or Invalid for a file."""
        async with self._database.read() as tx:
            sight = await self.sight(principal, folder, tx=tx)
            if sight.item.kind is not Kind.FOLDER:
                raise Invalid("This is not a folder.")
            children = await store.read_children(tx, sight.item.owner, folder)
            own = await store.read_roles_in(tx, folder, principal.user)
        shown = [(item, stronger(sight.role, own.get(item.id)) or sight.role) for item in in_shown_order(children)]
        return sight, shown

    async def list_shared(self, principal: Principal) -> list[Sight]:
        """What others shared with this user: the topmost items only, since the rest is in them."""
        async with self._database.read() as tx:
            ways = await store.read_ways_of_grants(tx, principal.user)
        topmost = [way for way in ways.values() if all(step.granted is None for step in way[:-1])]
        seen = {way[-1].item: sight_of(way, principal.user) for way in topmost}
        shown = [seen[item] for item in in_shown_order(list(seen))]
        return [sight for sight in shown if sight is not None and sight.role is not Role.OWNER]

    async def list_trash(self, principal: Principal) -> list[Item]:
        """What one put into the trash."""
        async with self._database.read() as tx:
            return await store.read_trash(tx, principal.user)

    # --- making ----------------------------------------------------------------------------------

    async def create_item(
        self,
        tx: AsyncConnection,
        *,
        kind: Kind,
        owner: UserId,
        name: str,
        parent: ItemId | None,
        size: int = 0,
        blob: str | None = None,
        item: ItemId | None = None,
        playground_of: ItemId | None = None,
    ) -> Item:
        """A new item in a folder (None: the owner's root); the caller has authorized WRITE on that folder.

        It belongs to the folder's owner, whoever `owner` is. Two items may have the same name. Raises Invalid for
        the name, and Conflict if the folder cannot take it.
        """
        name = parsed_item_name(name)
        asking = owner
        if parent is not None:
            way = await store.read_way(tx, parent, owner)
            if not way:
                raise NotFound("There is no such folder.")
            folder = way[-1].item
            refuse_unfit(folder, depth=len(way))
            if any(step.item.trashed_at is not None for step in way):
                raise Conflict("This folder is in the trash.", code="in_trash")
            owner = folder.owner
        if playground_of is None:
            await self.refuse_full(tx, owner, parent)
            await self.refuse_over_quota(tx, owner, size, asking=asking)
        now = now_ms()
        made = Item(
            id=item or ItemId(new_id()),
            owner=owner,
            parent=parent,
            kind=kind,
            name=name,
            size=size,
            blob=blob,
            created_at=now,
            modified_at=now,
            trashed_at=None,
            playground_of=playground_of,
        )
        await store.insert_item(tx, made)
        return made

    async def notebooks_folder(self, tx: AsyncConnection, owner: UserId) -> ItemId:
        """The folder "Notebooks" in a user's root, made when it is not there."""
        folder = await store.folder_named(tx, owner, NOTEBOOKS_FOLDER)
        if folder is None:
            made = await self.create_item(tx, kind=Kind.FOLDER, owner=owner, name=NOTEBOOKS_FOLDER, parent=None)
            folder = made.id
        return folder

    async def touched(self, tx: AsyncConnection, item: ItemId, *, size: int | None = None) -> None:
        """The content was changed just now; `size` is its new size, if that is known."""
        values: dict[str, object] = {"modified_at": now_ms()}
        if size is not None:
            values["size"] = size
        await store.update_item(tx, item, **values)
        self.touched_notebooks.add(item)

    async def measured(self, tx: AsyncConnection, item: ItemId, size: int) -> None:
        """The item takes so many bytes; nobody changed it."""
        await store.update_item(tx, item, size=size)

    # --- how much --------------------------------------------------------------------------------

    async def usage(self, principal: Principal) -> Usage:
        """What somebody stores, and how much they may."""
        async with self._database.read() as tx:
            used = await store.read_used_bytes(tx, principal.user)
        return Usage(used, self.settings.quota)

    async def refuse_over_quota(self, tx: AsyncConnection, owner: UserId, bytes: int, *, asking: UserId) -> None:
        """Raises QuotaExceeded if somebody may not store so much more. Writers take turns, so that it is true.

        How much is used is told to the owner alone, and to whoever else is `asking` that the owner has to make room.
        """
        if self.settings.quota is None or bytes <= 0:
            return
        usage = Usage(await store.read_used_bytes(tx, owner), self.settings.quota)
        if usage.used + bytes <= self.settings.quota:
            return
        if asking != owner:
            raise QuotaExceeded(
                "There is no room for this in the drive of the person it would belong to. "
                "They have to delete something for good, or empty their trash.",
                code="drive_of_another_full",
            )
        raise QuotaExceeded(
            "There is no room left in your drive. Delete something for good, or empty the trash: what is in it counts.",
            code="drive_full",
            used=usage.used,
            quota=usage.quota,
        )

    async def create_folder(self, principal: Principal, name: str, parent: ItemId | None) -> Item:
        """Raises Invalid, NotFound, Forbidden, Conflict."""
        async with self._database.write() as tx:
            if parent is not None:
                await self.authorize(principal, parent, Action.WRITE, tx=tx)
            made = await self.create_item(tx, kind=Kind.FOLDER, owner=principal.user, name=name, parent=parent)
        log.info("folder.created", item=made.id, user=principal.user)
        return made

    async def upload(
        self,
        principal: Principal,
        name: str,
        parent: ItemId | None,
        content: AsyncIterable[bytes],
        *,
        announced: int | None = None,
    ) -> Item:
        """A new file with this content: all of it is on disk when this returns, or nothing is.

        `announced` is the size that the sender claims; a wrong one is not believed. Raises TooLarge, StorageFull,
        TooMany, and Unavailable when nothing comes any more.
        """
        name = parsed_item_name(name)
        owner = principal.user
        if parent is not None:
            folder, _ = await self.authorize(principal, parent, Action.WRITE)
            refuse_unfit(folder, depth=0)
            owner = folder.owner
        async with self._database.read() as tx:
            await self.refuse_over_quota(tx, owner, announced or 1, asking=principal.user)
        blob, size = await self._received(principal, content, announced)
        try:
            made = await self._insert_file(principal, name, parent, blob, size)
        except BaseException:
            with anyio.move_on_after(CLEAN_UP_SECONDS_MAX, shield=True):
                await self._discard_blobs([blob])
            raise
        log.info("file.uploaded", item=made.id, user=principal.user, size=size)
        return made

    async def replace(self, principal: Principal, item: ItemId, content: AsyncIterable[bytes]) -> Item:
        """From now on the file has this content: all of it is on disk when this returns, or nothing is.

        Raises as `upload` does, and Invalid for what is no file.
        """
        found, _ = await self.authorize(principal, item, Action.WRITE)
        if found.kind is not Kind.FILE:
            raise Invalid("Only a file can be replaced.")
        blob, size = await self._received(principal, content, None)
        before = found.blob
        try:
            async with self._database.write() as tx:
                former, _ = await self.authorize(principal, item, Action.WRITE, tx=tx)
                before = former.blob
                await self.refuse_over_quota(tx, former.owner, size - former.size, asking=principal.user)
                if not await self._blobs.exists(blob):
                    raise Conflict(
                        "The same file was deleted at this moment. Please upload it again.", why="upload_again"
                    )
                await store.update_item(tx, item, blob=blob, size=size, modified_at=now_ms())
                changed = await store.read_item(tx, item)
        finally:
            with anyio.move_on_after(CLEAN_UP_SECONDS_MAX, shield=True):
                await self._discard_blobs({one for one in (before, blob) if one is not None})
        self.changed(found.owner)
        log.info("file.replaced", item=item, user=principal.user, size=size)
        return changed

    async def _received(
        self, principal: Principal, content: AsyncIterable[bytes], announced: int | None
    ) -> tuple[str, int]:
        """The bytes are kept: their SHA-256 and size."""
        size_max = int(self.settings.file_size_max)
        if announced is not None and announced > size_max:
            raise TooLarge(f"A file here has at most {size_max} bytes.", why="file_size", size_max=size_max)
        if self._uploading[principal.user] >= self.settings.uploads_per_user_max:
            raise TooMany("Too many uploads at once. Wait for one to finish.", why="many_uploads", retry_after=5)
        self._uploading[principal.user] += 1
        try:
            timely = _timely(content, self.settings.upload_idle_timeout)
            return await self._blobs.put(timely, size_max=size_max)
        finally:
            self._uploading[principal.user] -= 1
            self._uploading += Counter()  # forgets who is at zero

    async def _insert_file(self, principal: Principal, name: str, parent: ItemId | None, blob: str, size: int) -> Item:
        async with self._database.write() as tx:
            if parent is not None:
                await self.authorize(principal, parent, Action.WRITE, tx=tx)
            # Somebody may have deleted the last file with these same bytes while this one came in; writers take
            # turns, so from here on `_discard_blobs` sees this item.
            if not await self._blobs.exists(blob):
                raise Conflict("The same file was deleted at this moment. Please upload it again.", why="upload_again")
            return await self.create_item(
                tx, kind=Kind.FILE, owner=principal.user, name=name, parent=parent, size=size, blob=blob
            )

    async def file(self, principal: Principal, item: ItemId) -> Item:
        """A file that this user may read. Raises NotFound, Invalid for what has no bytes of its own, Unavailable."""
        found, _ = await self.authorize(principal, item, Action.READ)
        if found.blob is None:
            raise Invalid("Only a file can be downloaded this way.")
        if not await self._blobs.exists(found.blob):
            log.error("blob.missed", item=item, blob=found.blob)
            raise Unavailable("The content of this file is missing on the server's disk.", code="content_missing")
        return found

    def content(self, file: Item, part: tuple[int, int] | None = None) -> AsyncIterator[bytes]:
        """The bytes of a file, or of a part of it, in pieces."""
        assert file.blob is not None, "only `file` gives out items to read"
        return self._blobs.stream(file.blob, part)

    # --- changing --------------------------------------------------------------------------------

    async def rename(self, principal: Principal, item: ItemId, name: str) -> Item:
        """Raises Invalid, NotFound, Forbidden."""
        return await self.change(principal, item, name=name)

    async def move(self, principal: Principal, item: ItemId, parent: ItemId | None) -> Item:
        """Put an item into another folder of the same owner (None: the root). Raises Conflict for a circle."""
        return await self.change(principal, item, move=True, parent=parent)

    async def change(
        self,
        principal: Principal,
        item: ItemId,
        *,
        name: str | None = None,
        move: bool = False,
        parent: ItemId | None = None,
    ) -> Item:
        """Rename (if there is a `name`) and move (if `move`) an item: both, or neither."""
        values: dict[str, object] = {}
        async with self._database.write() as tx:
            found = (await self.sight(principal, item, tx=tx)).item
            if name is not None:
                await self.authorize(principal, item, Action.RENAME, tx=tx)
                values["name"] = parsed_item_name(name)
            if move:
                await self.authorize(principal, item, Action.MOVE, tx=tx)
                await self._refuse_bad_move(tx, principal, found, parent)
                values["parent"] = parent
            if values:
                await store.update_item(tx, item, **values)
            changed = await store.read_item(tx, item)
        self.changed(found.owner)
        log.info("item.changed", item=item, user=principal.user, renamed=name is not None, moved=move)
        return changed

    async def _refuse_bad_move(
        self, tx: AsyncConnection, principal: Principal, item: Item, parent: ItemId | None
    ) -> None:
        if item.trashed_at is not None:
            raise Conflict("This is in the trash. Restore it first.", code="in_trash")
        if parent == item.parent:
            return
        if parent is not None:
            folder, _ = await self.authorize(principal, parent, Action.WRITE, tx=tx)
            way = await store.read_way(tx, parent, principal.user)
            if any(step.item.id == item.id for step in way):
                raise Conflict("A folder cannot be put into itself.", code="circle")
            if folder.owner != item.owner:
                raise Forbidden("An item cannot be moved into another person's folder.", code="foreign_folder")
            if any(step.item.trashed_at is not None for step in way):
                raise Conflict("This folder is in the trash.", code="in_trash")
            height = max(depth for _, depth in await store.read_subtree(tx, item.id))
            refuse_unfit(folder, depth=len(way) + height)
        await self.refuse_full(tx, item.owner, parent)

    async def refuse_full(self, tx: AsyncConnection, owner: UserId, folder: ItemId | None) -> None:
        if await store.count_children(tx, owner, folder) >= self.settings.items_per_folder_max:
            raise Conflict("This folder is full.", code="folder_full")

    async def transfer(self, principal: Principal, item: ItemId, email: str) -> Item:
        """Make the user with this address the owner of the item and everything in it.

        It then lies at the top of their drive, the former owner is an editor of it, and what was given on it stays
        given; what was given on folders above it does not reach it any more. Raises NotFound, Forbidden, Conflict,
        QuotaExceeded.
        """
        await self.authorize(principal, item, Action.TRANSFER)
        user = await self._person(principal, email)
        async with self._database.write() as tx:
            await self.authorize(principal, item, Action.TRANSFER, tx=tx)
            found = await self._shareable(tx, principal, item)
            way = await store.read_way(tx, item, principal.user)
            if any(step.item.trashed_at is not None for step in way):
                raise Conflict("This is in the trash. Restore it first.", code="in_trash")
            if user.id == found.owner:
                raise Conflict("They are its owner already.", code="is_owner")
            await self.refuse_full(tx, user.id, None)
            tree = await store.read_subtree(tx, item)
            await self.refuse_over_quota(tx, user.id, sum(one.size for one, _ in tree), asking=principal.user)
            ids = [one.id for one, _ in tree]
            await store.give_to(tx, ids, user.id)
            await store.update_item(tx, item, parent=None)
            await sharing_store.delete_grants_of(tx, user.id, ids)
            former = Grant(item, principal.user, Role.EDITOR, now_ms())
            await sharing_store.set_grant(tx, former, by=principal.user)
            given = await store.read_item(tx, item)
        self.changed(found.owner)
        self.changed(user.id)
        log.info("item.transferred", item=item, user=principal.user, to=user.id, items=len(ids))
        return given

    async def trash(self, principal: Principal, item: ItemId) -> Item:
        """Put it aside: everybody but the owner loses sight of it. Nothing happens to what is there already."""
        async with self._database.write() as tx:
            found, _ = await self.authorize(principal, item, Action.TRASH, tx=tx)
            if found.trashed_at is None:
                await store.update_item(tx, item, trashed_at=now_ms())
            trashed = await store.read_item(tx, item)
        self.changed(found.owner)
        log.info("item.trashed", item=item, user=principal.user)
        return trashed

    async def restore(self, principal: Principal, item: ItemId) -> Item:
        """Take it out of the trash, to where it was; to the root, if its folder is in the trash itself."""
        async with self._database.write() as tx:
            found, _ = await self.authorize(principal, item, Action.TRASH, tx=tx)
            way = await store.read_way(tx, item, principal.user)
            buried = any(step.item.trashed_at is not None for step in way[:-1])
            await store.update_item(tx, item, trashed_at=None, parent=None if buried else found.parent)
            restored = await store.read_item(tx, item)
        self.changed(found.owner)
        log.info("item.restored", item=item, user=principal.user)
        return restored

    async def delete(self, principal: Principal, item: ItemId) -> None:
        """Remove an item that is in the trash, and everything under it, for ever. Raises Conflict elsewhere."""

        async def allowed(tx: AsyncConnection) -> bool:
            found, _ = await self.authorize(principal, item, Action.DELETE, tx=tx)
            if found.trashed_at is None:
                raise Conflict("Only what is in the trash can be deleted.", code="not_in_trash")
            return True

        await self.remove(item, allowed)

    async def remove(self, item: ItemId, allowed: Callable[[AsyncConnection], Awaitable[bool]]) -> int:
        """Delete an item and everything under it for ever, if `allowed` still says so then; how many items went.

        Raises what `allowed` raises.
        """
        async with self._database.write() as tx:
            if not await allowed(tx):
                return 0
            tree = await store.read_subtree(tx, item)
            owner = tree[0][0].owner
            deepest_first = [one.id for one, _ in sorted(tree, key=lambda pair: -pair[1])]
            notebooks = [one.id for one, _ in tree if one.kind is Kind.NOTEBOOK]
            if notebooks:
                for prepare in self.on_delete:
                    await prepare(tx, notebooks)
            await store.delete_items(tx, deepest_first)
        self.changed(owner)
        log.info("item.deleted", item=item, owner=owner, items=len(tree))
        if notebooks:
            for deleted in self.on_deleted:
                await deleted(notebooks)
        await self._discard_blobs({one.blob for one, _ in tree if one.blob is not None})
        return len(tree)

    async def _discard_blobs(self, blobs: Sequence[str] | set[str]) -> None:
        for blob in blobs:
            # A writer's turn: nobody can begin to use the blob between the question and the deletion.
            async with self._database.write() as tx:
                if not await store.blob_is_used(tx, blob):
                    await self._blobs.delete(blob)

    async def tidy(self) -> None:
        """Remove bytes that no item has: what a killed server left of an upload or a deletion."""
        if not self._database.is_first:
            # Others may be in the midst of an upload.
            return
        try:
            await self._tidy()
        except (CollegiumError, SQLAlchemyError, OSError) as error:
            # They take room and harm nobody: the next start tries again.
            log.warning("blobs.untidied", exc_info=error)

    async def _tidy(self) -> None:
        await self._blobs.clear_unfinished()
        async for blob in self._blobs.kept():
            async with self._database.read() as tx:
                used = await store.blob_is_used(tx, blob)
            if not used:
                await self._discard_blobs([blob])
                log.info("blob.discarded", blob=blob)


@asynccontextmanager
async def open_drive(
    database: Database, blobs: Blobs, accounts: Accounts, news: News, settings: DriveSettings
) -> AsyncIterator[Drive]:
    """The drive, and a task that tidies up once after the start."""
    drive = Drive(database, blobs, accounts, news, settings)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(drive.tidy)
        try:
            yield drive
        finally:
            tasks.cancel_scope.cancel()


def refuse_unfit(folder: Item, *, depth: int) -> None:
    """Raises Invalid for what is no folder, and Conflict if what is put into it would lie too deep."""
    if folder.kind is not Kind.FOLDER:
        raise Invalid("Only a folder can hold items.", field="parent")
    if depth >= DEPTH_MAX:
        raise Conflict(f"Folders go {DEPTH_MAX} deep at most.", code="too_deep", most=DEPTH_MAX)


async def _timely(content: AsyncIterable[bytes], idle: timedelta) -> AsyncIterator[bytes]:
    """The same content; raises Unavailable when the next piece does not come in time."""
    pieces = aiter(content)
    while True:
        try:
            with anyio.fail_after(idle.total_seconds()):
                piece = await anext(pieces, None)
        except TimeoutError as error:
            raise Unavailable("The upload stopped coming.", code="upload_stalled") from error
        if piece is None:
            return
        yield piece
