"""What the service, the workflow and its actions hand to each other."""

from pydantic import BaseModel


class User(BaseModel):
    """One row of the CSV."""

    email: str
    name: str
    active: bool
    plan: str


class Welcome(BaseModel):
    """How one person was welcomed."""

    email: str
    message_id: str


class WelcomeReport(BaseModel):
    """What a whole run did."""

    users: int
    active: int
    welcomed: int
    followed_up: int
    failed: list[str]
