"""What an operator can set about drives."""

from datetime import timedelta

from pydantic import BaseModel, ByteSize, Field


class DriveSettings(BaseModel, frozen=True):
    """Limits of files and folders."""

    file_size_max: ByteSize = Field(default=ByteSize(5 * 2**30), gt=0, description="The largest file to be uploaded.")
    free_bytes_min: ByteSize = Field(
        default=ByteSize(256 * 2**20), ge=0, description="With less room left on the disk, uploads are refused."
    )
    upload_idle_timeout: timedelta = Field(
        default=timedelta(seconds=60), gt=timedelta(0), description="An upload that sends nothing for so long is ended."
    )
    uploads_per_user_max: int = Field(default=16, ge=1, description="Uploads that one user can have going on at once.")
    items_per_folder_max: int = Field(default=10_000, ge=1, description="Items that a folder can hold.")
    quota: ByteSize | None = Field(
        default=None, ge=0, description="What the files and notebooks of one user may take; without it, all there is."
    )
    trash_lifetime: timedelta = Field(
        default=timedelta(days=30),
        gt=timedelta(0),
        description="What is in the trash goes so long after it came there.",
    )
    copied_items_max: int = Field(default=1_000, ge=1, description="Items that can be copied at once with a folder.")
    copied_bytes_max: ByteSize = Field(
        default=ByteSize(64 * 2**20), gt=0, description="Texts of notebooks that can be copied at once with a folder."
    )
    playground_lifetime: timedelta = Field(
        default=timedelta(hours=24),
        gt=timedelta(0),
        description="A playground that was not open for so long, and has no runtime, is deleted.",
    )
