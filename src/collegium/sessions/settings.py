"""What an operator can set about sessions."""

from datetime import timedelta

from pydantic import BaseModel, ByteSize, Field


class SessionSettings(BaseModel):
    """How runs are kept and stopped."""

    interrupt_seconds: float = Field(
        default=10.0, gt=0, description="A cell that does not stop this long after it was interrupted is terminated."
    )
    log_bytes_max: int = Field(
        default=100 * 1024 * 1024, gt=0, description="How much of one execution's output is kept for download."
    )
    store_seconds: float = Field(
        default=0.25, gt=0, description="Outputs are on the server's disk after this time at the latest."
    )
    broadcast_seconds: float = Field(
        default=0.05, gt=0, description="Outputs are gathered this long before they are sent to those who watch."
    )
    widgets_bytes_max: ByteSize = Field(
        default=ByteSize(200 << 20), ge=0, description="So much may the widgets of one notebook hold; more is refused."
    )
    layer_seconds_max: float = Field(
        default=900.0, gt=0, description="So long may it take to build what a notebook is pinned to."
    )
    layer_lifetime: timedelta = Field(
        default=timedelta(days=30), gt=timedelta(0), description="Unused this long, what was built for it is forgotten."
    )
    layers_bytes_max: ByteSize = Field(
        default=ByteSize(20 << 30),
        ge=0,
        description="Room for all of it; what was not used for longest goes first.",
    )
