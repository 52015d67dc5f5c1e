"""`collegium backup` and `collegium restore`."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from collegium.app import open_places
from collegium.backup.model import AREAS, Manifest
from collegium.backup.restoring import restore_backup
from collegium.backup.service import Source, Told, check_backup, make_backup
from collegium.backup.shelf import Shelf
from collegium.cli import folder
from collegium.ground.db import Database
from collegium.ground.errors import NotFound
from collegium.runtimes.doctor import Finding
from collegium.settings import Settings

NOTE = "last-backup.json"
"""In the data folder: where the last backup went, for `collegium doctor`."""
OLD_AFTER_DAYS = 8

progress = Console(stderr=True)


async def back_up(settings: Settings, where: Path, keep: int | None) -> tuple[str, Manifest, list[str]]:
    """Make a backup, and forget all but the last ones; its name, what it holds, and the names of the forgotten."""
    shelf = Shelf(where)
    with _shown() as told:
        source = await _source(settings)
        try:
            name, manifest = await make_backup(source, shelf, told)
        finally:
            await source.database.close()
        forgotten: list[str] = []
        if keep is not None:
            told("forgetting old backups")
            with shelf.claimed():
                forgotten = shelf.forget(keep)
    (settings.data / NOTE).write_text(json.dumps({"at": manifest.made_at, "folder": str(where.absolute())}))
    return name, manifest, forgotten


async def restore(settings: Settings, where: Path, name: str | None) -> tuple[str, Manifest]:
    """Bring a backup back, the last one if none is named. No server may use the data folder meanwhile."""
    uid, gid = folder.prepare(settings.data)
    with folder.claimed(settings.data), _shown() as told:
        shelf = Shelf(where)
        chosen = name or last_of(shelf)
        source = await _source(settings)
        try:
            manifest = await restore_backup(source, shelf, chosen, told)
        finally:
            await source.database.close()
            if os.geteuid() == 0:
                folder.give_away(settings.data, uid, gid)
    return chosen, manifest


def verify(where: Path, name: str | None) -> tuple[str, Manifest]:
    """Read every byte of a backup, the last one if none is named."""
    shelf = Shelf(where)
    chosen = name or last_of(shelf)
    with _shown() as told:
        return chosen, check_backup(shelf, chosen, told)


def last_of(shelf: Shelf) -> str:
    """The name of the last backup. Raises NotFound."""
    names = shelf.names()
    if not names:
        raise NotFound(f"There is no finished backup in {shelf.folder}.")
    return names[-1]


def finding(settings: Settings) -> Finding:
    """What `collegium doctor` says of backups."""
    try:
        note = json.loads((settings.data / NOTE).read_text())
        at = datetime.fromtimestamp(note["at"] / 1000, UTC)
    except (OSError, ValueError, KeyError, TypeError):
        return Finding("data", "backup", "degraded", "none was made", "collegium backup FOLDER, each night")
    old = (datetime.now(UTC) - at).days >= OLD_AFTER_DAYS
    said = f"the last one was made on {at:%Y-%m-%d %H:%M} UTC, into {note['folder']}"
    return Finding("data", "backup", "degraded" if old else "ok", said, "collegium backup FOLDER" if old else None)


async def _source(settings: Settings) -> Source:
    places = {area: await open_places(settings, area) for area in AREAS}
    return Source(Database(settings.database), places, settings.data / "outputs/segments")


@contextmanager
def _shown() -> Iterator[Told]:
    with progress.status("") as status:
        yield lambda words: status.update(words)
