"""Talking about a notebook: threads, who may say what, and who is told of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncConnection

from collegium.accounts.model import Action, Principal, Role, User, may
from collegium.accounts.service import Accounts, Restraint
from collegium.comments import store
from collegium.comments.model import (
    CONTEXT_LENGTH_MAX,
    QUOTE_LENGTH_MAX,
    Comment,
    Place,
    Thread,
    fits,
    may_delete,
    may_delete_thread,
    mentioned,
    parsed_text,
    well_formed,
)
from collegium.comments.settings import CommentSettings
from collegium.drive.model import Item, Kind
from collegium.drive.service import Drive
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import Conflict, Forbidden, NotFound, TooMany
from collegium.ground.ids import ItemId, NotebookId, UserId, new_id
from collegium.ground.log import get_log
from collegium.notifications.model import Occasion, Told
from collegium.notifications.service import Notifications
from collegium.rooms.service import Rooms

log = get_log("comments")

PAGE_THREADS_MAX = 100
PAGE_COMMENTS_MAX = 500
"""A page ends after the thread that goes beyond this."""
TOLD_MAX = 50
PEOPLE_SHOWN_MAX = 8


@dataclass(frozen=True, slots=True)
class Said:
    """What became of something that was said."""

    thread: Thread
    unreached: list[str]
    """Addresses that were mentioned, and belong to nobody who may see the notebook."""


@dataclass(frozen=True, slots=True)
class _Called:
    """Who is called by a text, and may come."""

    users: list[UserId]
    unreached: list[str]


class Comments:
    """The threads of every notebook."""

    def __init__(
        self,
        database: Database,
        accounts: Accounts,
        notifications: Notifications,
        drive: Drive,
        rooms: Rooms,
        settings: CommentSettings,
    ) -> None:
        self._database = database
        self.accounts = accounts
        self._notifications = notifications
        self._drive = drive
        self._rooms = rooms
        self.settings = settings
        self._pace = Restraint(settings.changes_per_minute_max, timedelta(minutes=1))

    # --- reading ---------------------------------------------------------------------------------

    async def page(self, principal: Principal, notebook: NotebookId, *, after: int) -> tuple[list[Thread], int | None]:
        """Threads with a higher number, in order, and the number after which the next page begins."""
        async with self._database.read() as tx:
            await self._notebook(principal, notebook, Action.READ, tx)
            found = await store.read_threads(tx, notebook, after=after, limit=PAGE_THREADS_MAX + 1)
        shown: list[Thread] = []
        comments = 0
        for thread in found[:PAGE_THREADS_MAX]:
            if comments > PAGE_COMMENTS_MAX:
                break
            shown.append(thread)
            comments += len(thread.comments)
        return shown, shown[-1].number if len(shown) < len(found) else None

    async def thread(self, principal: Principal, notebook: NotebookId, thread: str) -> Thread:
        """Raises NotFound, also for a thread of another notebook."""
        async with self._database.read() as tx:
            await self._notebook(principal, notebook, Action.READ, tx)
            return await store.read_thread(tx, notebook, thread)

    async def people(self, principal: Principal, notebook: NotebookId, query: str) -> list[User]:
        """Whom one may mean by what was typed after an @: people who may see the notebook.

        Who may not write in it is shown its owner and those who commented, and nobody whom they did not know of.
        """
        async with self._database.read() as tx:
            item, role = await self._notebook(principal, notebook, Action.COMMENT, tx)
            authors = await store.read_authors(tx, notebook, limit=200)
        known = await self.accounts.users_by_ids([item.owner, *authors])
        if may(role, Action.WRITE):
            accesses = await self._drive.accesses(principal, item.id)
            known |= {access.user.id: access.user for access in accesses}
        fitting = [user for user in known.values() if not user.removed and fits(query, (user.name, user.email))]
        fitting.sort(key=lambda user: (user.name.casefold(), user.email))
        reading = [user for user in fitting[: 3 * PEOPLE_SHOWN_MAX] if await self._drive.role(user.id, item.id)]
        return reading[:PEOPLE_SHOWN_MAX]

    # --- writing ---------------------------------------------------------------------------------

    async def begin(self, principal: Principal, notebook: NotebookId, place: Place, text: str, *, draft: str) -> Said:
        """A new thread. Raises NotFound, Forbidden, Invalid, Conflict or TooMany."""
        place = _bounded(place)
        item, text, called = await self._prepared(principal, notebook, text)
        others = await self._who_may_see(item, {item.owner})
        async with self._database.write() as tx:
            item, _ = await self._notebook(principal, notebook, Action.COMMENT, tx)
            before = await self._said_before(tx, principal, notebook, draft)
            if before is not None:
                return Said(before, called.unreached)
            if await store.count_threads(tx, notebook) >= self.settings.threads_per_notebook_max:
                raise Conflict("There are too many threads on this notebook. Delete some first.", code="full")
            id = new_id()
            await store.insert_thread(tx, id, notebook, place)
            comment = _new_comment(principal, 1, text, called)
            await store.insert_comment(tx, id, comment, draft=draft)
            told = await self._note(tx, item, id, comment, called.users, replied=set(), others=others)
            thread = await store.read_thread(tx, notebook, id)
        self._changed(notebook, id, told)
        log.info("thread.begun", notebook=notebook, thread=id, user=principal.user)
        return Said(thread, called.unreached)

    async def reply(self, principal: Principal, notebook: NotebookId, thread: str, text: str, *, draft: str) -> Said:
        """Say something in a thread, which opens it again. Raises as `begin` does."""
        item, text, called = await self._prepared(principal, notebook, text)
        former = await self.thread(principal, notebook, thread)
        others = await self._who_may_see(item, former.people | {item.owner})
        async with self._database.write() as tx:
            item, _ = await self._notebook(principal, notebook, Action.COMMENT, tx)
            before = await self._said_before(tx, principal, notebook, draft)
            if before is not None:
                return Said(before, called.unreached)
            former = await store.read_thread(tx, notebook, thread)
            if len(former.comments) >= self.settings.comments_per_thread_max:
                raise Conflict("This thread is full. Begin another one.", code="full")
            comment = _new_comment(principal, former.comments[-1].number + 1, text, called)
            await store.insert_comment(tx, thread, comment, draft=draft)
            if former.resolved_at is not None:
                await store.set_resolved(tx, thread, by=None, at=None)
            told = await self._note(tx, item, thread, comment, called.users, replied=former.people, others=others)
            changed = await store.read_thread(tx, notebook, thread)
        self._changed(notebook, thread, told)
        log.info("comment.made", notebook=notebook, thread=thread, user=principal.user)
        return Said(changed, called.unreached)

    async def edit(self, principal: Principal, notebook: NotebookId, thread: str, comment: str, text: str) -> Said:
        """Say one's own comment in other words; who is mentioned for the first time is told. Raises as `begin`."""
        item, text, called = await self._prepared(principal, notebook, text)
        async with self._database.write() as tx:
            await self._notebook(principal, notebook, Action.COMMENT, tx)
            found = _comment(await store.read_thread(tx, notebook, thread), comment)
            if found.by != principal.user:
                raise Forbidden("Only who wrote a comment can change it.")
            await store.update_comment(tx, comment, text=text, mentions=called.users, changed_at=now_ms())
            occasion = _occasion(Told.MENTION, principal.user, item, thread, text, comment)
            told = await self._notifications.note(tx, occasion, set(called.users) - set(found.mentions))
            changed = await store.read_thread(tx, notebook, thread)
        self._changed(notebook, thread, told)
        log.info("comment.changed", notebook=notebook, thread=thread, user=principal.user)
        return Said(changed, called.unreached)

    async def delete(self, principal: Principal, notebook: NotebookId, thread: str, comment: str) -> None:
        """Take a comment back; a thread in which nothing is left goes with it. Raises NotFound or Forbidden."""
        self._take_pace(principal)
        async with self._database.write() as tx:
            _, role = await self._notebook(principal, notebook, Action.COMMENT, tx)
            found = await store.read_thread(tx, notebook, thread)
            if not may_delete(_comment(found, comment), principal.user, role):
                raise Forbidden("Only who wrote a comment and the notebook's owner can delete it.")
            told = await self._notifications.withdraw(tx, [comment])
            if len(found.living) == 1:
                await store.delete_thread(tx, thread)
            else:
                await store.empty_comment(tx, comment, at=now_ms())
        self._changed(notebook, thread, told)
        log.info("comment.deleted", notebook=notebook, thread=thread, user=principal.user)

    async def delete_thread(self, principal: Principal, notebook: NotebookId, thread: str) -> None:
        """Remove a thread and all that was said in it. Raises NotFound or Forbidden."""
        self._take_pace(principal)
        async with self._database.write() as tx:
            _, role = await self._notebook(principal, notebook, Action.COMMENT, tx)
            found = await store.read_thread(tx, notebook, thread)
            if not may_delete_thread(found, principal.user, role):
                raise Forbidden("Others have written here: only the notebook's owner can delete the thread.")
            told = await self._notifications.withdraw(tx, [comment.id for comment in found.comments])
            await store.delete_thread(tx, thread)
        self._changed(notebook, thread, told)
        log.info("thread.deleted", notebook=notebook, thread=thread, user=principal.user)

    async def resolve(self, principal: Principal, notebook: NotebookId, thread: str, *, resolved: bool) -> Thread:
        """Mark a thread as done with, or open it again. Raises NotFound or Forbidden."""
        self._take_pace(principal)
        former = await self.thread(principal, notebook, thread)
        item, _ = await self._drive.authorize(principal, ItemId(notebook), Action.COMMENT)
        others = await self._who_may_see(item, former.people | {item.owner}) if resolved else []
        told: list[UserId] = []
        async with self._database.write() as tx:
            await self._notebook(principal, notebook, Action.COMMENT, tx)
            former = await store.read_thread(tx, notebook, thread)
            if (former.resolved_at is not None) == resolved:
                return former
            by, at = (principal.user, now_ms()) if resolved else (None, None)
            await store.set_resolved(tx, thread, by=by, at=at)
            if resolved:
                text = former.living[0].text
                occasion = _occasion(Told.RESOLVED, principal.user, item, thread, text, None)
                told = await self._notifications.note(tx, occasion, others)
            changed = await store.read_thread(tx, notebook, thread)
        self._changed(notebook, thread, told)
        log.info("thread.resolved", notebook=notebook, thread=thread, user=principal.user, resolved=resolved)
        return changed

    async def forget(self, tx: AsyncConnection, items: Sequence[ItemId]) -> None:
        """These notebooks are deleted, and what was said about them."""
        await store.delete_of_notebooks(tx, [NotebookId(item) for item in items])

    # --- steps -----------------------------------------------------------------------------------

    async def _notebook(
        self, principal: Principal, notebook: NotebookId, action: Action, tx: AsyncConnection | None
    ) -> tuple[Item, Role]:
        item, role = await self._drive.authorize(principal, ItemId(notebook), action, tx=tx)
        if item.kind is not Kind.NOTEBOOK:
            raise NotFound("There is no such notebook.")
        return item, role

    def _take_pace(self, principal: Principal) -> None:
        wait = self._pace.wait_seconds(principal.user)
        if wait:
            detail = f"Too many comments in too short a time. Try again in {wait} seconds."
            raise TooMany(detail, why="many_comments", retry_after=wait)
        self._pace.take(principal.user)

    async def _prepared(self, principal: Principal, notebook: NotebookId, text: str) -> tuple[Item, str, _Called]:
        """What can be found out before the transaction in which something is said."""
        item, _ = await self._notebook(principal, notebook, Action.COMMENT, None)
        text = parsed_text(text)
        addresses = mentioned(text)
        self._take_pace(principal)
        users: list[UserId] = []
        unreached: list[str] = []
        for address in addresses:
            user = await self._reader(item, address)
            if user is None:
                unreached.append(address)
            else:
                users.append(user)
        return item, text, _Called(users, unreached)

    async def _reader(self, item: Item, address: str) -> UserId | None:
        """Whose address this is, if they may see the notebook. A stranger and nobody at all look the same."""
        try:
            user = await self.accounts.user_by_email(address)
        except NotFound:
            return None
        return user.id if await self._drive.role(user.id, item.id) is not None else None

    async def _who_may_see(self, item: Item, users: set[UserId]) -> list[UserId]:
        known = await self.accounts.users_by_ids(users)
        living = sorted(user for user, person in known.items() if not person.removed)[:TOLD_MAX]
        return [user for user in living if await self._drive.role(user, item.id) is not None]

    async def _said_before(
        self, tx: AsyncConnection, principal: Principal, notebook: NotebookId, draft: str
    ) -> Thread | None:
        """The thread in which this very draft was said: its answer got lost, and it was sent again."""
        found = await store.thread_of_draft(tx, principal.user, draft)
        if found is None:
            return None
        if found[0] != notebook:
            raise Conflict("This was said about another notebook.", code="draft_used")
        return await store.read_thread(tx, notebook, found[1])

    async def _note(
        self,
        tx: AsyncConnection,
        item: Item,
        thread: str,
        comment: Comment,
        called: Sequence[UserId],
        *,
        replied: set[UserId],
        others: Sequence[UserId],
    ) -> list[UserId]:
        """Tell each person once, of what concerns them most."""
        replied_to = (set(others) & replied) - set(called)
        owner = set(others) - replied - set(called)
        told: list[UserId] = []
        for kind, users in ((Told.MENTION, set(called)), (Told.REPLY, replied_to), (Told.COMMENT, owner)):
            if users:
                occasion = _occasion(kind, comment.by, item, thread, comment.text, comment.id)
                told += await self._notifications.note(tx, occasion, users)
        return told

    def _changed(self, notebook: NotebookId, thread: str, told: Sequence[UserId]) -> None:
        """Open tabs ask for the thread again, each with the rights of its own user."""
        self._rooms.tell(notebook, {"type": "comments", "thread": thread})
        self._notifications.told(told)


def _bounded(place: Place) -> Place:
    quote = well_formed(place.quote, "quote")[:QUOTE_LENGTH_MAX]
    before = well_formed(place.before, "before")[-CONTEXT_LENGTH_MAX:]
    after = well_formed(place.after, "after")[:CONTEXT_LENGTH_MAX]
    return Place(place.cell, place.anchor, quote, before, after)


def _comment(thread: Thread, comment: str) -> Comment:
    found = next((one for one in thread.living if one.id == comment), None)
    if found is None:
        raise NotFound("There is no such comment here; perhaps it was deleted.")
    return found


def _new_comment(principal: Principal, number: int, text: str, called: _Called) -> Comment:
    now = now_ms()
    return Comment(new_id(), number, principal.user, text, tuple(called.users), now, now, deleted=False)


def _occasion(kind: Told, by: UserId, item: Item, thread: str, text: str, comment: str | None) -> Occasion:
    return Occasion(kind, by, item.id, item.kind, item.name, text, thread, comment)
