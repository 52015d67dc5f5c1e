"""Everything an operator can set, gathered: `COLLEGIUM_ACCOUNTS__LOGIN_LIFETIME=P7D`, read once by a command."""

import re
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

from collegium.accounts.settings import AccountsSettings
from collegium.comments.settings import CommentSettings
from collegium.drive.blob_settings import BlobSettings
from collegium.drive.settings import DriveSettings
from collegium.ground.db import sqlite_url
from collegium.ground.fetch import FetchSettings
from collegium.ground.pages import PageSettings
from collegium.inside.settings import InsideSettings
from collegium.notebooks.settings import NotebookSettings
from collegium.notifications.settings import MailSettings
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
    database_url: SecretStr | None = Field(
        default=None,
        description="A PostgreSQL database instead of the file in the data folder: postgresql://USER:PASSWORD@HOST/NAME.",
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(
        default="info", description="How much is logged; nothing that people wrote is ever."
    )
    pages: PageSettings = PageSettings()
    fetch: FetchSettings = FetchSettings()
    accounts: AccountsSettings = AccountsSettings()
    mail: MailSettings = MailSettings()
    blobs: BlobSettings = BlobSettings()
    drive: DriveSettings = DriveSettings()
    notebooks: NotebookSettings = NotebookSettings()
    rooms: RoomSettings = RoomSettings()
    comments: CommentSettings = CommentSettings()
    runtimes: RuntimesSettings = RuntimesSettings()
    docker: DockerSettings = DockerSettings()
    sessions: SessionSettings = SessionSettings()
    inside: InsideSettings = InsideSettings()

    @property
    def database(self) -> str:
        """The address of the database, as SQLAlchemy wants it."""
        if self.database_url is None:
            return sqlite_url(self.data / "collegium.db")
        url = re.sub(r"^postgres(ql)?(\+asyncpg)?:", "postgresql+asyncpg:", self.database_url.get_secret_value())
        # As psql and everybody else call it.
        return re.sub(r"([?&])sslmode=", r"\1ssl=", url)

    @property
    def environments(self) -> Path:
        """Where runtime versions are built."""
        return self.runtimes.environments or self.data / "environments"
