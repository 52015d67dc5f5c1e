"""What an operator can set of notebooks."""

from pydantic import BaseModel, ConfigDict, Field


class NotebookSettings(BaseModel):
    """Limits of notebook files and of the log behind each."""

    model_config = ConfigDict(frozen=True)

    upload_bytes_max: int = Field(default=100_000_000, description="A larger notebook file is refused.")
    document_bytes_max: int = Field(
        default=32 << 20, description="What people typed into one notebook (without outputs) may take this much."
    )
    compact_updates: int = Field(default=500, description="After so many updates a notebook's log is compacted.")
    compact_bytes: int = Field(default=256 << 10, description="After so many bytes a notebook's log is compacted.")
    retention_days: float = Field(
        default=30, description="Updates older than this, with two newer snapshots, are forgotten."
    )
    revision_active_seconds: float = Field(
        default=600, gt=0, description="A notebook that is edited all the time gets a revision this often."
    )
    revision_idle_seconds: float = Field(
        default=300, gt=0, description="A notebook that was edited gets a revision when nobody did for this long."
    )
    revisions_all_days: float = Field(
        default=30, ge=0, description="Revisions that nobody named or pinned are all kept for so many days."
    )
    revisions_daily_days: float = Field(
        default=365, ge=0, description="After that one a day is kept, for so many days. Named ones are kept for ever."
    )
    convert_seconds_max: float = Field(default=60, description="A conversion to HTML or Markdown may take this long.")

    def is_long(self, document_bytes: int, updates: int, update_bytes: int) -> bool:
        """Whether a log of so much since its last snapshot should be compacted.

        That costs as much as the document is large, so a large one waits longer, and an edit's share stays the same.
        """
        return updates >= max(self.compact_updates, document_bytes >> 7) or update_bytes >= max(
            self.compact_bytes, document_bytes >> 1
        )
