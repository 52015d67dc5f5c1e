"""What an operator can set about comments."""

from pydantic import BaseModel, Field


class CommentSettings(BaseModel, frozen=True):
    """How much can be said about a notebook."""

    threads_per_notebook_max: int = Field(default=2_000, ge=1, description="Threads of comments on one notebook.")
    comments_per_thread_max: int = Field(default=300, ge=1, description="Comments in one thread.")
    changes_per_minute_max: int = Field(
        default=60, ge=1, description="Comments that one person may write, change, delete or resolve within a minute."
    )
