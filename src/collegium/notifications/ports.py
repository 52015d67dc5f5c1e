"""What notifications need of the world."""

from typing import Protocol

from collegium.accounts.model import Role
from collegium.ground.ids import ItemId, UserId
from collegium.notifications.model import Letter


class NotSent(Exception):
    """The letter was certainly not taken; later it may be."""


class Refused(Exception):
    """The letter was not taken, and never will be."""


class Unsure(Exception):
    """The line broke after the letter was handed in and before anybody said that it was taken."""


class Mail(Protocol):
    """Where letters are handed in."""

    async def send(self, letter: Letter) -> None:
        """Returns when somebody else is responsible for the letter. Raises NotSent, Refused or Unsure."""


class Authority(Protocol):
    """Who may see what."""

    async def role(self, user: UserId, item: ItemId) -> Role | None:
        """What a user is to an item now; None: a stranger, or it is gone."""
