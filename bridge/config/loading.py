"""From routes.yaml to a ruleset, or to every problem at once. Straight from top to bottom."""

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from traceback import extract_tb

from bridge.component import AnySource
from bridge.component.discovery import source_types, target_types
from bridge.config.components import ComponentBuilder
from bridge.config.entries import EntryCompiler
from bridge.config.frame import DefaultsFrame
from bridge.config.gathering import gather, read
from bridge.config.idle import warn_of_targets
from bridge.config.problems import Problems
from bridge.config.routes import RouteCompiler
from bridge.config.sharing import SharedTerms
from bridge.config.templates import FOLDER, TemplateCompiler
from bridge.config.timing import TimingCompiler
from bridge.config.trials import Named, Trial, TrialCompiler
from bridge.config.vocabulary import Vocabulary, vocabulary
from bridge.errors import BridgeError
from bridge.model import Change, Clock, JsonObject, Related, SystemClock
from bridge.options import InvalidConfigurationError, Located, Place, Problem
from bridge.rendering import Rendering
from bridge.rendering.region import parse_timezone
from bridge.routing.router import Router
from bridge.ruleset import Ruleset
from bridge.sources import _bridge
from bridge.written import Written

DEFECT = "bridge-defect"
_CLOCK = SystemClock()


@dataclass(frozen=True, slots=True)
class Loaded:
    """A ruleset that can be put in force, and what its author may want to know all the same.

    ``trials`` are the file's own tests, ``named`` is what tests in other files may speak of. What the ruleset was made
    of is ``located`` as written, ``words`` that rules may use, and ``rendering``.
    """

    ruleset: Ruleset
    named: Named
    located: Located
    words: Vocabulary
    rendering: Rendering
    warnings: tuple[Problem, ...] = ()
    trials: tuple[Trial, ...] = ()


def load(path: Path, environ: Mapping[str, str], clock: Clock = _CLOCK) -> Loaded:
    """Read and compile a rules file; template files are those of ``templates/`` beside it.

    Raises:
        InvalidConfigurationError: it cannot be used, with every problem in it.
        SettingsError: an installed component cannot be loaded.
    """
    try:
        return _load(path, environ, clock)
    except BridgeError:
        raise
    except Exception as error:  # whatever a file brings about, it is that file which is refused
        raise InvalidConfigurationError([defect(path, error)]) from error


def defect(path: Path, error: Exception) -> Problem:
    """Return the problem that is bridge's own; what the error says is left out, for it may hold a secret."""
    *_, innermost = extract_tb(error.__traceback__)
    where = f"{Path(innermost.filename).name}, line {innermost.lineno}"
    message = f"these rules met a defect of bridge: {type(error).__name__} in {where}"
    return Problem(Place(str(path), 1, 1), DEFECT, message, "please report it")


def _load(path: Path, environ: Mapping[str, str], clock: Clock) -> Loaded:
    gathered = gather(path)
    document, problems = gathered.document, gathered.problems
    defaults = _defaults(document, problems)
    builder = ComponentBuilder(problems, environ)
    sources = builder.build("sources", source_types())
    targets = builder.build("targets", target_types())
    words = vocabulary([*sources.types.values(), _bridge.Bridge], complete=sources.complete)
    rendering = Rendering(path.parent / FOLDER, defaults.locale, defaults.timezone, defaults.currency)
    templates = TemplateCompiler(rendering, words, problems)
    times = TimingCompiler(words, templates, problems, parse_timezone(defaults.timezone), clock)
    times.windows(document.get("windows"))
    shared = SharedTerms(defaults.deliver, problems)
    entries = EntryCompiler(targets, words, templates, times, shared, problems)
    routes = RouteCompiler(words, templates, times, entries, problems).compile(document.get("routes"))
    names = frozenset(route.name for route in routes)
    named = Named(sources.made, sources.names, targets.made, targets.names, names, parse_timezone(defaults.timezone))
    trials = TrialCompiler(named, problems, path.parent).compile(document.get("tests"))
    if problems.found:
        raise InvalidConfigurationError(problems.found)
    warn_of_targets(targets.made, routes, problems)
    times.warn_of_unused()
    shared.warn_of_unused()
    readers = {**sources.made, _bridge.NAME: _bridge.OWN}

    def contexts(change: Change, source: AnySource, related: Related) -> dict[str, object]:
        return rendering.context(change, source, clock.now(), related)

    router = Router(readers, routes, contexts, clock, rendering.gathered)
    revision = _revision(gathered.contents, rendering.files())
    written = Written(document, _digests(rendering.files(), path.parent / FOLDER))
    ruleset = Ruleset(revision, sources.made, targets.made, routes, router, written)
    warnings = tuple(sorted(problems.warnings))
    return Loaded(ruleset, named, problems.located, words, rendering, warnings, trials)


def _defaults(document: JsonObject, problems: Problems) -> DefaultsFrame:
    """Return the defaults of the file; broken ones were reported with the frame, and the usual ones stand in."""
    written = document.get("defaults", {})
    sound = isinstance(written, dict) and not problems.broken(("defaults",))
    return DefaultsFrame.model_validate(written) if sound else DefaultsFrame()


def _digests(templates: Iterable[Path], folder: Path) -> dict[str, str]:
    """Return a digest of each template, by its path as rules name it."""
    return {str(path.relative_to(folder)): hashlib.sha256(read(path)).hexdigest() for path in templates}


def _revision(contents: Mapping[Path, bytes], templates: Iterable[Path]) -> str:
    """Return the same 12 digits for the same bytes in all files, whatever else changed."""
    main, *parts = contents
    digest = hashlib.sha256(contents[main])
    for part in parts:
        digest.update(b"\0" + os.fsencode(os.path.relpath(part, main.parent)) + b"\0" + contents[part])
    for template in templates:
        digest.update(b"\0" + template.name.encode() + b"\0" + read(template))
    return digest.hexdigest()[:12]
