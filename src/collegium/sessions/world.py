"""What every session is handed."""

from dataclasses import dataclass
from pathlib import Path

from collegium.ground.db import Database
from collegium.sessions.ports import Blobs, Documents, Layers, Machines
from collegium.sessions.settings import SessionSettings


@dataclass(frozen=True, slots=True)
class World:
    """The ports, the database, and the folder of the segments."""

    db: Database
    documents: Documents
    machines: Machines
    blobs: Blobs
    folder: Path
    settings: SessionSettings
    layers: Layers
