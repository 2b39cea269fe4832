"""What a server's refusals mean for a delivery.

Replies are those of RFC 5321, 4.2.3, and RFC 4954, 6.
"""

from typing import Final

from aiosmtplib import SMTPResponseException
from aiosmtplib.errors import SMTPDataError, SMTPRecipientRefused, SMTPSenderRefused

from bridge.errors import AccessRefused, DeliveryFailure, PermanentFailure, TransientFailure, UnknownOutcome
from bridge.targets.email.address import readable

PERMANENT: Final = 500
TRANSIENT: Final = 400
NO_LOGIN: Final = frozenset({530, 534, 535, 538})
"""Login needed, too weak, wrong, or only when encrypted."""
TOO_LARGE: Final = 552
OF_A_MESSAGE: Final = (SMTPDataError, SMTPRecipientRefused)


def sorted_refusal(refused: SMTPResponseException) -> DeliveryFailure:
    """Return what a refusal means: what is for good and not about a message is about the target."""
    code, said = refused.code, told(refused)
    if code < TRANSIENT and isinstance(refused, SMTPDataError):
        return UnknownOutcome(f"the answer to the message is not one of SMTP's: {said}", status=max(code, 0) or None)
    if code < PERMANENT:
        return TransientFailure(_reason(refused), status=max(code, 0) or None, excerpt=said)
    if code not in NO_LOGIN and (isinstance(refused, OF_A_MESSAGE) or code == TOO_LARGE):
        return PermanentFailure(_reason(refused), status=code, excerpt=said)
    return AccessRefused(_reason(refused), status=code, excerpt=said)


def told(refused: SMTPResponseException) -> str:
    """Return the code and the words of a refusal on one line."""
    return f"{refused.code} {readable(refused.message.encode('utf-8', 'replace').decode())}".strip()


def _reason(refused: SMTPResponseException) -> str:
    what = {SMTPDataError: "the message", SMTPSenderRefused: "the sender"}.get(type(refused), "us")
    if isinstance(refused, SMTPRecipientRefused):
        what = refused.recipient
    return f"the server refused {what}: {told(refused)}"
