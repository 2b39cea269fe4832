"""From options to the API that they open."""

from pathlib import Path

from bridge.component.http import Http
from bridge.component.remote import Remote
from bridge.rdstation.api.access import OAuthAccess, TokenAccess
from bridge.rdstation.api.caller import Caller
from bridge.rdstation.api.keeping import TokenFile
from bridge.rdstation.api.options import ApiOptions
from bridge.rdstation.api.v1 import V1
from bridge.rdstation.api.v2 import V2


def connect(options: ApiOptions, http: Http, file: Path, former: Remote | None = None) -> Remote:
    """Return the API that the options open; an application's tokens are kept in the file.

    With the credentials of a ``former`` one, its pace and its tokens go on: what is under way there counts here, and no
    refresh token is used by both.
    """
    if isinstance(former, V1 | V2) and former.credentials == options.credentials:
        return former.under(options)
    if options.token:
        return V1(Caller(options, TokenAccess(options.token), http))
    assert options.client_secret  # noqa: S101 (the model sees to it)
    access = OAuthAccess(options, TokenFile(file, options.client_secret))
    return V2(Caller(options, access, http), access, http)
