"""The environments of notebooks: what was installed on top of a runtime version, and the locks that keep it."""

from collegium.accounts.model import Action, Principal
from collegium.ground.errors import Unavailable
from collegium.ground.ids import ItemId, NotebookId
from collegium.sessions.model import OnTop, Pin
from collegium.sessions.ports import Authority

LOCK_CHARACTERS_MAX = 1024 * 1024


class NotebookEnvironments:
    """One per server."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    async def of(self, principal: Principal, notebook: NotebookId) -> tuple[Pin | None, OnTop]:
        """What a notebook is pinned to, and what its runtime has on top. Raises NotFound."""
        await self._authority.authorize(principal, ItemId(notebook), Action.READ)
        return None, OnTop()

    async def pin(self, principal: Principal, notebook: NotebookId) -> None:
        """Lock what the notebook's runtime has on top. Raises NotFound, Forbidden, Unavailable."""
        await self._authority.authorize(principal, ItemId(notebook), Action.RUN)
        raise Unavailable("There is no runtime whose packages could be kept.")

    async def put(self, principal: Principal, notebook: NotebookId, lock: str | None) -> None:
        """Start with this lock from now on. Raises NotFound, Forbidden, Invalid."""
        await self._authority.authorize(principal, ItemId(notebook), Action.RUN)
        if lock is not None:
            raise Unavailable("Environments cannot be pinned yet.")
