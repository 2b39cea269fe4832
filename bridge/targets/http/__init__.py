"""http: sends a request to any HTTP service."""

from bridge.targets.http.options import HttpAction, HttpOptions
from bridge.targets.http.target import HttpService

__all__ = ["HttpAction", "HttpOptions", "HttpService"]
