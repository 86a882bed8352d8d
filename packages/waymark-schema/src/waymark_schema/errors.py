"""Everything the schema distribution raises: what happened goes in, a message with the next step comes out."""

from collections.abc import Sequence
from uuid import UUID


class WaymarkError(Exception):
    """Root of every error of Waymark; the first line of the text is fit for a terminal."""


class SettingError(WaymarkError):
    """An environment variable is missing or has a value that cannot be used."""

    def __init__(self, variable: str, message: str) -> None:
        """Name the variable; the message says value, what is allowed and what to do."""
        super().__init__(message)
        self.variable = variable


class DatabaseUrlError(SettingError):
    """`WAYMARK_DATABASE_URL` is unset or is not a string that a Postgres client understands."""

    def __init__(self, message: str) -> None:
        """Keep the message; it must not contain a password."""
        super().__init__("WAYMARK_DATABASE_URL", message)


class DatabaseError(WaymarkError):
    """The database cannot be used as it is; `target` says which one, without a password."""

    def __init__(self, message: str, *, target: str = "") -> None:
        """Keep the message and the database it is about."""
        super().__init__(message)
        self.target = target


class DatabaseUnreachable(DatabaseError):
    """No server answered, or it refused this client; trying again later may help."""


class DatabaseRefused(DatabaseError):
    """The server answered and said no: wrong password, role or database name."""


class DatabaseMisconfigured(DatabaseError):
    """A setting of server, role or pooler breaks a promise that Waymark gives."""


class ServerTooOld(DatabaseError):
    """The server is older than PostgreSQL 14."""


class PermissionMissing(DatabaseError):
    """The role may not do what is needed; the message holds the GRANT."""


class SchemaMissing(DatabaseError):
    """The schema does not exist yet or lacks steps that this code needs."""

    def __init__(self, message: str, *, target: str = "", pending: Sequence[str] = ()) -> None:
        """Keep the names of the steps that have not been applied."""
        super().__init__(message, target=target)
        self.pending = tuple(pending)


class SchemaTooNew(DatabaseError):
    """The schema needs a newer Waymark than the one that runs here."""

    def __init__(self, message: str, *, target: str = "", minimum_code: int, code: int) -> None:
        """Keep both numbers: what the schema asks for and what this code is."""
        super().__init__(message, target=target)
        self.minimum_code = minimum_code
        self.code = code


class SchemaHistoryEdited(DatabaseError):
    """A migration that was applied no longer has the text it had then."""


class MigrationBlocked(DatabaseError):
    """Another session held a lock that a migration needs for too long."""


class MigrationFailed(DatabaseError):
    """The server refused a migration step; nothing of that step was kept."""


class ProgramConflict(WaymarkError):
    """A workflow name and version are already taken by a program with another digest."""

    def __init__(self, workflow: str, version: str) -> None:
        """Name the workflow and version that are taken."""
        super().__init__(
            f"workflow {workflow!r} version {version!r} is already registered with different code.\n"
            "A version names exactly one program: give the changed workflow another `version`,"
            " or leave `version` out and the digest of the code is used."
        )
        self.workflow = workflow
        self.version = version


class RunIdTaken(WaymarkError):
    """The id that a run was given is that of a run of another workflow."""

    def __init__(self, run: UUID, workflow: str, wanted: str) -> None:
        """Name the run, the workflow that has it, and the one that it was wanted for."""
        super().__init__(
            f"run {run} is one of {workflow!r} already, so {wanted!r} was not started under that id.\n"
            "An id names one run of all workflows: make it of the workflow's name, too, or use"
            " idempotency_key, of which each workflow has its own."
        )
        self.run = run
        self.workflow = workflow
        self.wanted = wanted


class NotTheOwner(WaymarkError):
    """A commit named an instance that its lease does not hold; nothing of the commit was kept."""


class HistoryLost(WaymarkError):
    """The server no longer has a commit that it had confirmed: a failover lost it."""

    def __init__(self, lease: int, confirmed: int, found: int) -> None:
        """Keep the lease and both sequence numbers."""
        super().__init__(
            f"lease {lease} had commit {confirmed} confirmed, but the database now ends at {found}.\n"
            "The server lost confirmed commits (a failover to a replica that lagged behind?);"
            " this process drops what it holds and starts over under a new lease."
        )
        self.lease = lease
        self.confirmed = confirmed
        self.found = found
