"""The questions of ``bridge init``: asked on a terminal, each until its answer can be used."""

import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias, TypeVar

import click

from bridge.cli.screen import clean, note
from bridge.cli.starter.answers import (
    CURRENCY,
    OFFERED,
    TIMEZONE,
    USUAL,
    Answers,
    read_amount,
    read_channel,
    read_currency,
    read_locale,
    read_moments,
    read_number,
    read_timezone,
    read_url,
)
from bridge.cli.starter.moments import headline
from bridge.cli.starter.words import SOURCES, Words

TypedT = TypeVar("TypedT")
AnswerT = TypeVar("AnswerT")
Reader: TypeAlias = Callable[[Words, TypedT], AnswerT]
SLACK_CHANNEL, HTTP_URL = "${SLACK_CHANNEL}", "${HTTP_URL}"


@dataclass(frozen=True, slots=True)
class Given:
    """What the command line answered; None, or no moment, is what it left open."""

    source: str | None
    target: str | None
    channel: str | None
    url: str | None
    moments: tuple[str, ...]
    minimum: str | None
    locale: str | None
    timezone: str | None
    currency: str | None


def on_terminal() -> bool:
    """Tell whether there is somebody to ask."""
    return sys.stdin.isatty()


@dataclass(frozen=True, slots=True)
class Interview:
    """One use of ``bridge init``: an option answers a question, else a person if ``asks``, else its default."""

    words: Words
    given: Given
    asks: bool

    def hold(self) -> Answers:
        """Return all answers.

        Raises:
            click.UsageError: an option has an answer that cannot be used, or one to a question that does not arise.
        """
        if self.asks:
            note(f"{self.words.welcome}\n")
        source = self._one_of(self.given.source, self.words.which_source, SOURCES, next(iter(SOURCES)))
        target = self._one_of(self.given.target, self.words.which_target, self.words.targets, "log")
        place = self._place(target)
        moments = self._moments()
        minimum = self._minimum(moments)
        return Answers(self.words, source, target, place, moments, minimum, *self._region())

    def _region(self) -> tuple[str, str, str]:
        words, given = self.words, self.given
        locale = self._read("--locale", given.locale or words.locale, read_locale)
        timezone = self._ask("--timezone", given.timezone, words.timezone, TIMEZONE, read_timezone)
        return locale, timezone, self._ask("--currency", given.currency, words.currency, CURRENCY, read_currency)

    def _place(self, target: str) -> str:
        given, words = self.given, self.words
        self._no_idle("--channel", given.channel, "--target slack", arises=target == "slack")
        self._no_idle("--url", given.url, "--target http", arises=target == "http")
        if target == "slack":
            return self._ask("--channel", given.channel, words.channel, SLACK_CHANNEL, read_channel)
        return self._ask("--url", given.url, words.url, HTTP_URL, read_url) if target == "http" else ""

    def _moments(self) -> tuple[str, ...]:
        words, given = self.words, self.given.moments
        if given:
            return self._read("--moment", given, read_moments)
        if not self.asks:
            return USUAL
        _list(words.which_moments, [(headline(each, words), each) for each in OFFERED])
        usual = ",".join(str(OFFERED.index(each) + 1) for each in USUAL)
        return _until_read(words.numbers, usual, lambda typed: read_moments(words, [typed], OFFERED))

    def _minimum(self, moments: Sequence[str]) -> str:
        arises, words = "deal.lost" in moments, self.words
        self._no_idle("--minimum", self.given.minimum, "--moment deal.lost", arises=arises)
        return self._ask("--minimum", self.given.minimum, words.minimum, "0", read_amount) if arises else ""

    def _one_of(self, given: str | None, question: str, choices: Mapping[str, str], default: str) -> str:
        """Return one of several; where there is only one, that is told and not asked."""
        words, names = self.words, tuple(choices)
        if given or not self.asks:
            return given or default
        if len(names) == 1:
            note(f"{question}\n  {words.only_one.format(choices[names[0]])}\n")
            return names[0]
        _list(question, [(text,) for text in choices.values()])
        usual = str(names.index(default) + 1)
        return _until_read(words.number, usual, lambda typed: read_number(words, typed, names))

    def _ask(self, option: str, given: str | None, question: str, default: str, read: Reader[str, str]) -> str:
        if given is not None:
            return self._read(option, given, read)
        reading = partial(read, self.words)
        return _until_read(question, default, reading) if self.asks else reading(default)

    def _read(self, option: str, given: TypedT, read: Reader[TypedT, AnswerT]) -> AnswerT:
        try:
            return read(self.words, given)
        except ValueError as error:
            raise click.UsageError(f"{option}: {error}") from None

    def _no_idle(self, option: str, given: str | None, wanted: str, *, arises: bool) -> None:
        if given is not None and not arises:
            raise click.UsageError(self.words.idle_option.format(option, wanted))


def _list(question: str, choices: Sequence[Sequence[str]]) -> None:
    """Show what can be chosen, each with its number."""
    note(question)
    widths = [max(map(len, cells)) for cells in zip(*choices, strict=True)]
    for number, cells in enumerate(choices, 1):
        told = "  ".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        note(f"{number:>4}  {told}".rstrip())


def _until_read(question: str, default: str, read: Callable[[str], AnswerT]) -> AnswerT:
    """Ask until the answer can be used."""
    while True:
        typed = click.prompt(question, default=default, err=True).strip()
        try:
            answer = read(typed)
        except ValueError as error:
            note(f"  {clean(error)}")
        else:
            note("")
            return answer
