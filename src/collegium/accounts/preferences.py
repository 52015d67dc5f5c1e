"""What a person set about the page: kept for every browser they sign in with."""

import json
from typing import Any

from pydantic import ValidationError

from collegium.accounts import preferences_store as store
from collegium.accounts.model import Principal
from collegium.accounts.preferences_model import SETTINGS_BYTES_MAX, PageSettings, merged
from collegium.ground.clock import now_ms
from collegium.ground.db import Database
from collegium.ground.errors import TooLarge


class Preferences:
    """Everybody's settings of the page."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def read(self, principal: Principal) -> PageSettings:
        """What somebody chose."""
        async with self._database.read() as tx:
            return _understood(await store.read_preferences(tx, principal.user))

    async def change(self, principal: Principal, change: PageSettings) -> PageSettings:
        """Keep these choices beside the others; all of them after it. Raises TooLarge."""
        async with self._database.write() as tx:
            kept = _understood(await store.read_preferences(tx, principal.user))
            now = merged(kept.chosen(), change.chosen())
            text = json.dumps(now, ensure_ascii=False, separators=(",", ":"))
            if len(text.encode()) > SETTINGS_BYTES_MAX:
                raise TooLarge(f"Somebody's settings have at most {SETTINGS_BYTES_MAX} bytes.")
            await store.write_preferences(tx, principal.user, text, now_ms=now_ms())
        return PageSettings.model_validate(now)


def _understood(kept: dict[str, dict[str, Any]]) -> PageSettings:
    """What another version of the server kept, without what this one does not know: a choice lost is no page lost."""
    try:
        return PageSettings.model_validate(kept)
    except ValidationError as error:
        strange = {(str(part), str(name)) for part, name, *_ in (one["loc"] + ("", "") for one in error.errors())}
    known = {
        part: {name: value for name, value in values.items() if (part, name) not in strange}
        for part, values in kept.items()
        if (part, "") not in strange
    }
    return PageSettings.model_validate(known)
