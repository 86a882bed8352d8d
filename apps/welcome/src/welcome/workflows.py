"""The durable part: plain Python that survives crashes, deploys and long sleeps."""

import asyncio
from datetime import timedelta

from waymark import Backoff, RetryPolicy, Workflow, workflow
from welcome.actions import fetch_users, send_email
from welcome.models import User, Welcome, WelcomeReport

RETRY = RetryPolicy(
    attempts=5, exception_types=["ConnectionError"], backoff=Backoff(base=0.2, factor=2)
)
TIMEOUT = timedelta(seconds=30)


@workflow
class WelcomeEmailWorkflow(Workflow):
    """Welcome every active user, wait, then follow up with those on a paid plan."""

    async def run(self, table: str, pause_seconds: float = 3.0) -> WelcomeReport:
        users = await fetch_users(table)
        active = [user for user in users if user.active]
        outcomes = await asyncio.gather(
            *[self.send(user, "welcome") for user in active], return_exceptions=True
        )
        failed = [
            user.email
            for user, outcome in zip(active, outcomes, strict=True)
            if isinstance(outcome, Exception)
        ]

        await asyncio.sleep(pause_seconds)  # durable: a deploy or a crash in between costs nothing

        paying = [user for user in active if user.plan != "free" and user.email not in failed]
        followed_up = await asyncio.gather(*[self.send(user, "follow-up") for user in paying])
        return WelcomeReport(
            users=len(users),
            active=len(active),
            welcomed=len(active) - len(failed),
            followed_up=len(followed_up),
            failed=failed,
        )

    async def send(self, user: User, template: str) -> Welcome:
        """Send one message under the retry policy of this workflow."""
        return await self.run_action(send_email(user, template), retry=RETRY, timeout=TIMEOUT)
