"""Quantities as people type them on the command line: ``5%``, ``30s``, ``127.0.0.1:8090``."""

from datetime import timedelta

import click


class Share(click.ParamType[float]):
    """A share of all, as a percentage."""

    name = "share"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return it as a number from 0 to 1."""
        if isinstance(value, float):
            return value
        text = str(value).strip()
        try:
            share = float(text.removesuffix("%")) / 100
        except ValueError:
            share = -1
        if not text.endswith("%") or not 0 <= share <= 1:
            self.fail(f'"{value}" is no share; write one from 0% to 100%', param, ctx)
        return share


class Span(click.ParamType[timedelta]):
    """A length of time."""

    name = "time"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        """Return the time."""
        from bridge.options.quantity import sure

        try:
            return sure(value)
        except ValueError as error:
            self.fail(f"{error}, not {value!r}", param, ctx)


class Address(click.ParamType[tuple[str, int]]):
    """Where to listen: host and port."""

    name = "address"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, int]:
        """Return host and port."""
        if isinstance(value, tuple):
            return value
        host, colon, port = str(value).rpartition(":")
        if not (colon and host and port.isdecimal() and int(port) < 2**16):
            self.fail(f'"{value}" is no address; write host and port, such as 127.0.0.1:8090', param, ctx)
        return host.strip("[]"), int(port)


SHARE = Share()
SPAN = Span()
ADDRESS = Address()
