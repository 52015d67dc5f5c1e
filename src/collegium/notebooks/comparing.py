"""Compares two notebooks that may lie anywhere: in a request, in the drive, at an address of the internet."""

from datetime import timedelta

from collegium.accounts.model import Action, Principal
from collegium.accounts.service import Restraint
from collegium.drive.model import Kind
from collegium.drive.service import Drive
from collegium.ground.errors import NotFound, TooMany
from collegium.ground.fetch import Fetch
from collegium.ground.ids import ItemId, NotebookId
from collegium.notebooks.differences import Difference
from collegium.notebooks.ipynb import Imported
from collegium.notebooks.service import Notebooks

FETCHES_PER_USER_MAX, FETCHES_WINDOW = 30, timedelta(minutes=10)


class Comparing:
    """Brings two notebooks, and says how they differ. Nothing of them is kept."""

    def __init__(self, notebooks: Notebooks, drive: Drive, fetch: Fetch) -> None:
        self._notebooks = notebooks
        self._drive = drive
        self._fetch = fetch
        self._restraint = Restraint(FETCHES_PER_USER_MAX, FETCHES_WINDOW)

    async def compared(self, principal: Principal, body: bytes) -> Difference:
        """`{"before": ..., "after": ...}`, each a notebook file, `{"notebook": id}` or `{"url": address}`.

        Raises Invalid, TooLarge, NotFound, TooMany, and what `Fetch.get` raises.
        """
        one, other = await self._notebooks.parse_pair(body)
        before, after = await self._brought(principal, one), await self._brought(principal, other)
        return await self._notebooks.revisions.compared(
            before.content, before.outputs, after.content, after.outputs, similar=True
        )

    async def _brought(self, principal: Principal, side: object) -> Imported:
        match side:
            case {"notebook": str(id), **rest} if not rest:
                item, _ = await self._drive.authorize(principal, ItemId(id), Action.READ)
                if item.kind is not Kind.NOTEBOOK:
                    raise NotFound("There is no such notebook.")
                return await self._notebooks.parse((await self._notebooks.given(NotebookId(item.id))).file)
            case {"url": str(url), **rest} if not rest:
                wait = self._restraint.wait_seconds(principal.user)
                if wait:
                    raise TooMany(f"Too many addresses. Please wait {wait} seconds.", retry_after=wait)
                self._restraint.take(principal.user)
                return await self._notebooks.parse(await self._fetch.get(url))
            case _:
                return await self._notebooks.read(side)
