"""What an operator can set of rooms."""

from pydantic import BaseModel, ConfigDict, Field


class RoomSettings(BaseModel):
    """Limits and rhythms of notebooks that are open."""

    model_config = ConfigDict(frozen=True)

    outbox_frames_max: int = Field(default=256, description="A tab that is this many frames behind starts afresh.")
    outbox_bytes_max: int = Field(default=4 << 20, description="A tab that is this many bytes behind starts afresh.")
    hello_seconds_max: float = Field(default=10, description="A tab that says nothing this long is let go.")
    heartbeat_seconds: float = Field(default=15, description="So often a room says how far it is.")
    settle_seconds: float = Field(default=2, description="So long after the last edit a room says how far it is.")
    idle_seconds: float = Field(default=30, description="A room nobody is in closes after this time.")
    clients_max: int = Field(default=500, description="So many tabs may have one notebook open.")
    clients_per_user_max: int = Field(default=50, description="So many tabs of one person may have one notebook open.")
    guests_max: int = Field(default=200, description="So many tabs of guests may have one notebook open.")
    updates_per_second: float = Field(default=200, description="A tab may send this many edits per second, on average.")
    update_bytes_per_second: float = Field(default=1 << 20, description="A tab may send this much, on average.")
    messages_per_second: float = Field(default=50, description="A tab may send this many other messages per second.")
    awareness_per_second: float = Field(default=40, description="Cursor movements beyond this are passed over.")
    trash_days: float = Field(
        default=30,
        description="Deleted cells can be taken back this long; then they go for good, while nobody is there.",
    )
    tidy_seconds: float = Field(default=60, description="So often notebooks are looked at that want tidying.")
