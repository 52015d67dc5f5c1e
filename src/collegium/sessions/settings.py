"""What an operator can set about sessions."""

from pydantic import BaseModel, Field


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
