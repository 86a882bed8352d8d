"""The distributed work: reading users, sending mail. Each of these runs in a worker process."""

import asyncio
import csv
import io
import zlib

from waymark import Depends, action, current_action
from welcome.ledger import Ledger
from welcome.mailbox import Mailbox
from welcome.models import User, Welcome
from welcome.settings import Settings, settings


class MailServerBusy(ConnectionError):
    """The mail server took no message now; it may take it later."""

    def __init__(self, email: str, retry_after: float) -> None:
        super().__init__(f"mail server busy for {email}")
        self.email = email
        self.retry_after = retry_after


def mailbox(config: Settings = Depends(settings)) -> Mailbox:
    """Where messages go."""
    return Mailbox(config.folder / "maildir")


def ledger(config: Settings = Depends(settings)) -> Ledger:
    """What was done, for whoever counts afterwards."""
    return Ledger(config.folder / "ledger.jsonl")


@action
async def fetch_users(table: str) -> list[User]:
    """Read the users out of a CSV text with the columns email, name, active and plan."""
    rows = csv.DictReader(io.StringIO(table))
    return [User.model_validate(row) for row in rows]


@action
async def send_email(
    user: User,
    template: str,
    config: Settings = Depends(settings),
    box: Mailbox = Depends(mailbox),
    book: Ledger = Depends(ledger),
) -> Welcome:
    """Send one message; safe to run again, because its name is made from the call's idempotency key."""
    attempt = current_action()
    key = attempt.idempotency_key
    book.write("begin", call=key, attempt=attempt.attempt, to=user.email)
    await asyncio.sleep(config.send_seconds)
    if config.flaky_every and attempt.attempt == 1 and _flaky(user.email, config.flaky_every):
        book.write("refused", call=key, attempt=attempt.attempt, to=user.email)
        raise MailServerBusy(user.email, retry_after=0.2)
    message_id = box.deliver(
        key=key,
        to=user.email,
        subject=f"{template.capitalize()}, {user.name}",
        body=f"Hello {user.name},\n\nthis is your {template} message.\n",
    )
    book.write("sent", call=key, attempt=attempt.attempt, to=user.email)
    return Welcome(email=user.email, message_id=message_id)


def _flaky(email: str, every: int) -> bool:
    return zlib.crc32(email.encode()) % every == 0
