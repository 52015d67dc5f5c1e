"""A server in a process of its own that copies a folder again and again, until somebody kills it."""

import sys
from pathlib import Path

import anyio

from collegium.accounts.model import Principal
from collegium.ground.ids import ItemId, TokenId, new_id
from drive.house import opened


async def main(data: Path, email: str, folder: str) -> None:
    """Copy until the end."""
    async with opened(data, "sqlite") as house:
        user = await house.accounts.user_by_email(email)
        who = Principal(user.id, user.name, user.email, user.admin, token=TokenId(new_id()))
        print("copying", flush=True)
        while True:
            await house.copying.copy(who, ItemId(folder))


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), sys.argv[2], sys.argv[3])
