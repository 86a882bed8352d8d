"""A Maildir as the mail server of the example: messages in, files whose names come from idempotency keys out."""

import hashlib
import os
from email.message import EmailMessage
from email.utils import format_datetime, localtime
from pathlib import Path

DOMAIN = "welcome.example"


class Mailbox:
    """Delivers into ``root/new`` by way of ``root/tmp``, as the Maildir format asks.

    The file name and the Message-ID are made from the idempotency key of the call, so an attempt that runs
    again finds the message of the one before and counts it as sent.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        for folder in ("tmp", "new", "cur"):
            (root / folder).mkdir(parents=True, exist_ok=True)

    def deliver(self, *, key: str, to: str, subject: str, body: str) -> str:
        """Write one message unless it is there; its Message-ID."""
        digest = hashlib.sha256(key.encode()).hexdigest()[:32]
        message_id = f"<{digest}@{DOMAIN}>"
        target = self.root / "new" / f"{digest}.{DOMAIN}"
        if target.exists():
            return message_id
        message = EmailMessage()
        message["From"] = f"Welcome <hello@{DOMAIN}>"
        message["To"] = to
        message["Subject"] = subject
        message["Date"] = format_datetime(localtime())
        message["Message-ID"] = message_id
        message.set_content(body)
        draft = self.root / "tmp" / f"{digest}.{os.getpid()}"
        draft.write_bytes(message.as_bytes())
        draft.replace(target)
        return message_id

    def messages(self) -> list[Path]:
        """Every delivered message."""
        return sorted((self.root / "new").iterdir())
