"""Everything an operator can set, gathered: `COLLEGIUM_ACCOUNTS__LOGIN_LIFETIME=P7D`, read once by a command."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from collegium.accounts.settings import AccountsSettings
from collegium.drive.settings import DriveSettings
from collegium.ground.db import sqlite_url
from collegium.inside.settings import InsideSettings
from collegium.notebooks.settings import NotebookSettings
from collegium.rooms.settings import RoomSettings
from collegium.runtimes.settings import DockerSettings, RuntimesSettings
from collegium.sessions.settings import SessionSettings


class Settings(BaseSettings):
    """One frozen tree; each part owns its branch."""

    model_config = SettingsConfigDict(env_prefix="COLLEGIUM_", env_nested_delimiter="__", frozen=True)

    data: Path = Field(description="The data folder.")
    engine: Literal["local", "docker", "none"] = Field(
        default="local",
        description="What makes runtimes: this machine, a Docker daemon, or nothing, so that notebooks do not run.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="How much is logged; nothing that people wrote is ever."
    )
    accounts: AccountsSettings = AccountsSettings()
    drive: DriveSettings = DriveSettings()
    notebooks: NotebookSettings = NotebookSettings()
    rooms: RoomSettings = RoomSettings()
    runtimes: RuntimesSettings = RuntimesSettings()
    docker: DockerSettings = DockerSettings()
    sessions: SessionSettings = SessionSettings()
    inside: InsideSettings = InsideSettings()

    @property
    def database_url(self) -> str:
        """The address of the database in the data folder."""
        return sqlite_url(self.data / "collegium.db")

    @property
    def environments(self) -> Path:
        """Where runtime versions are built."""
        return self.runtimes.environments or self.data / "environments"
