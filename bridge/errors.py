"""Every exception of the package, in one tree.

::

    BridgeError
    ├── SettingsError            a BRIDGE_* variable or a command line that cannot be used
    ├── UnreadableWebhookError   an authenticated body that is no event: stored as quarantined
    ├── RenderError              a template that failed on one change: permanent, visible
    ├── MatchError               a matcher that cannot judge one change: permanent, visible
    ├── StoreError
    │   ├── StoreUnavailableError    cannot write just now: disk full, locked, read-only
    │   ├── StoreInUseError          another daemon holds the data directory
    │   ├── StoreTooNewError         written by a newer version of bridge
    │   └── StoreDamagedError        the integrity check failed
    ├── DaemonUnreachableError   no daemon answers on the control socket
    ├── RequestRefusedError      the daemon refused a command, with the reason
    ├── RemoteError              the API of a source could not be used, in the words of its user
    │   ├── RemoteRefusedError       it refuses the credentials, or what they may do
    │   ├── RemoteMissingError       it has no such thing, or none that the credentials may see
    │   ├── RemoteInvalidError       it refuses what was sent
    │   └── RemoteUnavailableError   not now: too many requests, down, or not to be reached
    │       └── RemoteGarbledError       it answers, but with nothing that can be read
    └── DeliveryFailure
        ├── TransientFailure     not accepted: safe to try again
        ├── AccessRefused        the service refuses the target itself, whatever the message: it is paused
        ├── UnknownOutcome       it left, and no answer came: it may have been accepted
        └── PermanentFailure     refused for good

``bridge.options.InvalidConfigurationError`` completes the tree: it carries located problems, and lives where they do.
"""

LONGEST = 500
"""Characters that are kept of what an error says: it may quote what anybody has written."""


def legible(text: str) -> str:
    """Return what an error says as any file and any service takes it: cut, and half a character spelled out."""
    if len(text) > LONGEST:
        text = f"{text[: LONGEST - 1]}…"
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


class BridgeError(Exception):
    """Root of everything that bridge raises on purpose; ``str()`` of it is fit for a user's eyes."""


class SettingsError(BridgeError):
    """The process was started with settings it cannot use."""


class UnreadableWebhookError(BridgeError):
    """An authenticated webhook that is no event; ``str()`` is the reason kept with the quarantined body."""


class RenderError(BridgeError):
    """A template failed on one change."""


class MatchError(BridgeError):
    """A matcher cannot judge one change, such as a text that is too long to be searched."""


class StoreError(BridgeError):
    """The store refused or failed."""


class StoreUnavailableError(StoreError):
    """The store cannot write now; nothing was stored, and trying later may succeed."""


class StoreInUseError(StoreError):
    """Another process owns the data directory."""


class StoreTooNewError(StoreError):
    """The file was written by a newer version of bridge than this one."""


class StoreDamagedError(StoreError):
    """The integrity check of the file failed."""


class DaemonUnreachableError(BridgeError):
    """No daemon answers on the control socket of this data directory."""


class RequestRefusedError(BridgeError):
    """A command was understood and refused. ``code`` is a stable kebab-case name, such as ``unknown-id``."""

    def __init__(self, reason: str, code: str = "refused") -> None:
        """Keep the reason in the words a person will read."""
        super().__init__(reason)
        self.code = code


class RemoteError(BridgeError):
    """The API of a source could not be used; ``status`` is that of its answer, if there was one."""

    def __init__(self, reason: str, status: int | None = None) -> None:
        """Keep the reason in the words a person will read."""
        super().__init__(reason)
        self.status = status


class RemoteRefusedError(RemoteError):
    """The API refuses the credentials, or what they may do: a person has to see to it."""


class RemoteMissingError(RemoteError):
    """The API has no such thing, or none that these credentials may see."""


class RemoteInvalidError(RemoteError):
    """The API refuses what was sent; the same again would be refused again."""


class RemoteUnavailableError(RemoteError):
    """The API cannot be used now; ``retry_after`` (seconds) is its own wish, if it told one."""

    def __init__(self, reason: str, status: int | None = None, retry_after: float | None = None) -> None:
        """Keep the wait that the API asked for."""
        super().__init__(reason, status)
        self.retry_after = retry_after


class RemoteGarbledError(RemoteUnavailableError):
    """The API answers well, and with nothing that can be read: so it may for this question alone."""


class DeliveryFailure(BridgeError):  # noqa: N818 (an outcome of an attempt, named as the glossary names it)
    """An attempt that did not deliver.

    ``status`` is the service's status code where there was one, ``excerpt`` the beginning of its answer.
    """

    def __init__(self, reason: str, *, status: int | None = None, excerpt: str = "") -> None:
        """Keep the reason in the words a person will read."""
        super().__init__(reason)
        self.reason = reason
        self.status = status
        self.excerpt = excerpt


class TransientFailure(DeliveryFailure):
    """The service did not accept the message; ``retry_after`` (seconds) is its own wish, if it told one.

    ``throttled`` says that it refused us for being too fast: then the whole target waits, and no attempt is spent.
    """

    def __init__(
        self,
        reason: str,
        *,
        status: int | None = None,
        excerpt: str = "",
        retry_after: float | None = None,
        throttled: bool = False,
    ) -> None:
        """Keep the wait that the service asked for."""
        super().__init__(reason, status=status, excerpt=excerpt)
        self.retry_after = retry_after
        self.throttled = throttled or retry_after is not None


class AccessRefused(DeliveryFailure):
    """The service refuses the target itself: its credentials, its address, its channel. A person has to see to it."""


class UnknownOutcome(DeliveryFailure):
    """The request left and no answer came: the service may or may not have accepted it."""


class PermanentFailure(DeliveryFailure):
    """The service will never accept this message."""
