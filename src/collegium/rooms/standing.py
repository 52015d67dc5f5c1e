"""What the people in a room are to its notebook, and what it is called: looked at again whenever either may change."""

from collegium.accounts.model import Action, Principal, Role
from collegium.drive.model import Item
from collegium.drive.service import Drive
from collegium.ground.errors import NotFound, NotSignedIn
from collegium.ground.ids import ItemId, UserId
from collegium.rooms import model
from collegium.rooms.delivery import Delivery


class Standing:
    """Keeps the role of every tab true, and the notebook's name."""

    def __init__(self, item: ItemId, drive: Drive, delivery: Delivery) -> None:
        self.name = ""
        self.playground_of: ItemId | None = None
        self._item = item
        self._drive = drive
        self._delivery = delivery

    async def run(self) -> None:
        """Tell those whom a change concerns, and let go who may not read any more; raises NotFound at the end of it."""
        async with self._drive.watch_roles(self._item) as changes:
            await self._look_again()
            async for _ in changes:
                await self._look_again()

    async def _look_again(self) -> None:
        people = {client.principal.user: client.principal for client in self._delivery.clients.values()}
        for principal in people.values():
            await self.look_at(principal)

    async def look_at(self, principal: Principal) -> None:
        """What this person is to the notebook now."""
        try:
            item, role = await self._drive.authorize(principal, self._item, Action.READ)
        except NotFound:
            self._withdraw(principal.user, "The notebook is not shared with you any more.")
            return
        except NotSignedIn:
            self._withdraw(principal.user, "The notebook is not open to everybody any more.")
            return
        self._set_name(item)
        self._set_role(principal.user, role)

    def _withdraw(self, user: UserId, reason: str) -> None:
        for client in self._delivery.clients.values():
            if client.principal.user == user:
                client.close(model.FORBIDDEN, reason)

    def _set_name(self, item: Item) -> None:
        if (item.name, item.playground_of) != (self.name, self.playground_of):
            self.name, self.playground_of = item.name, item.playground_of
            said = {"type": "notebook", "name": item.name, "playground_of": item.playground_of}
            self._delivery.broadcast(said)

    def _set_role(self, user: UserId, role: Role) -> None:
        for client in self._delivery.clients.values():
            if client.principal.user == user and client.role != role:
                client.role = role
                client.send({"type": "role", "role": role, "may": model.allowed_actions(role)})
