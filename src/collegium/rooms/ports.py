"""What rooms need of the world: somebody who answers what is not about the document."""

from typing import Any, Protocol

from collegium.accounts.model import Principal, Role
from collegium.ground.ids import NotebookId


class Member(Protocol):
    """One tab in a room, as the run plane sees it."""

    @property
    def id(self) -> str:
        """This connection's own id."""
        ...

    @property
    def principal(self) -> Principal:
        """Who is signed in there."""
        ...

    @property
    def role(self) -> Role:
        """What they are to the notebook, now."""
        ...

    @property
    def notebook(self) -> NotebookId:
        """Which notebook it shows."""
        ...

    def send(self, message: dict[str, Any]) -> None:
        """Put a message in its outbox. Never waits; a full outbox is emptied, and `Plane.joined` called again."""
        ...

    def close(self, code: int, reason: str) -> None:
        """Let it go, with a close code and a reason for the person."""
        ...


class Plane(Protocol):
    """Answers every text frame that is not about the document. Sessions do."""

    async def joined(self, client: Member) -> None:
        """A tab has the document now, or lost what was sent to it before: tell it all it must know."""
        ...

    async def received(self, client: Member, message: dict[str, Any]) -> None:
        """A tab sent this; `message["type"]` is a string, nothing else is known of it."""
        ...

    async def left(self, client: Member) -> None:
        """A tab is gone."""
        ...
