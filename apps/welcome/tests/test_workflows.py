"""The welcome workflow in; who got which mail, without a database, a worker or three seconds of waiting, out."""

from datetime import timedelta
from pathlib import Path

import pytest

from waymark_worker.testing import InProcessRuntime
from welcome.actions import MailServerBusy, ledger, mailbox, send_email
from welcome.ledger import Ledger
from welcome.mailbox import Mailbox
from welcome.models import User, Welcome
from welcome.settings import Settings, settings
from welcome.workflows import WelcomeEmailWorkflow

TABLE = """email,name,active,plan
ada@example.org,Ada,true,pro
bob@example.org,Bob,true,free
eve@example.org,Eve,false,pro
"""


@pytest.fixture
def box(waymark_runtime: InProcessRuntime, tmp_path: Path) -> Mailbox:
    """A mailbox of the test's own, on a server that is never busy."""
    found = Mailbox(tmp_path / "maildir")
    waymark_runtime.override(mailbox, lambda: found)
    waymark_runtime.override(ledger, lambda: Ledger(tmp_path / "ledger.jsonl"))
    waymark_runtime.override(settings, lambda: Settings(tmp_path, send_seconds=0, flaky_every=0))
    return found


@pytest.mark.waymark_crash_everywhere
def test_everybody_active_is_welcomed_and_who_pays_hears_again(
    waymark_runtime: InProcessRuntime, box: Mailbox
) -> None:
    report = WelcomeEmailWorkflow().run_sync(TABLE, pause_seconds=timedelta(days=3).total_seconds())
    assert (report.users, report.active, report.welcomed, report.followed_up) == (3, 2, 2, 1)
    subjects = sorted(
        line
        for path in box.messages()
        for line in path.read_text().splitlines()
        if line.startswith("Subject: ")
    )
    assert subjects == ["Subject: Follow-up, Ada", "Subject: Welcome, Ada", "Subject: Welcome, Bob"]
    assert waymark_runtime.clock.elapsed == timedelta(days=3)


def test_a_busy_server_is_tried_again(waymark_runtime: InProcessRuntime) -> None:
    busy = MailServerBusy("ada@example.org", retry_after=0.2)
    sent = Welcome(email="ada@example.org", message_id="1")
    stub = waymark_runtime.stub(send_email, side_effect=[busy, busy, sent, sent])
    report = WelcomeEmailWorkflow().run_sync("\n".join(TABLE.splitlines()[:2]), 0.0)
    assert (report.welcomed, report.followed_up, stub.attempts) == (1, 1, 4)


def test_who_cannot_be_reached_is_reported(waymark_runtime: InProcessRuntime) -> None:
    def send(user: User, template: str) -> Welcome:
        if user.name == "Ada":
            raise MailServerBusy(user.email, retry_after=0.2)
        return Welcome(email=user.email, message_id=template)

    waymark_runtime.stub(send_email, side_effect=send)
    report = WelcomeEmailWorkflow().run_sync(TABLE, pause_seconds=0.0)
    assert report.failed == ["ada@example.org"]
    assert [call.attempts for call in waymark_runtime.calls_of(send_email)] == [5, 1]
