"""``deliver:`` — each entry checked and compiled."""

from dataclasses import replace

from bridge.chart import why_not
from bridge.component import AnyTarget
from bridge.config.actions import COMMON, FILLED, ActionChecker, checker, texts_of
from bridge.config.charts import chart_fields, regional
from bridge.config.components import Components
from bridge.config.frame import EntryFrame
from bridge.config.idle import warn_of_terms
from bridge.config.keys import expanded, leads_to
from bridge.config.naming import describe
from bridge.config.problems import Problems
from bridge.config.sharing import SharedTerms
from bridge.config.templates import Action, Site, TemplateCompiler
from bridge.config.timing import TimingCompiler
from bridge.config.vocabulary import Vocabulary
from bridge.model import FOREVER, Json, JsonObject, Terms
from bridge.options import did_you_mean
from bridge.options.quantity import written
from bridge.rendering import Template
from bridge.routing.route import DeliverEntry, Handling, Timing


class EntryCompiler:
    """Compiles the deliver entries of one file."""

    def __init__(
        self,
        targets: Components[AnyTarget],
        words: Vocabulary,
        templates: TemplateCompiler,
        times: TimingCompiler,
        shared: SharedTerms,
        problems: Problems,
    ) -> None:
        """Take the targets that entries may name, what their parts are compiled with, and what they share."""
        self._times = times
        self._shared = shared
        self._targets = targets
        self._words = words
        self._templates = templates
        self._problems = problems
        self._actions = ActionChecker(targets, problems)

    def compile(self, entry: JsonObject, timing: Timing | None, site: Site) -> DeliverEntry | None:
        """Return the compiled entry, or None when something in it is broken, which was then reported.

        ``timing`` is when its route tells, if not at once.
        """
        name = entry.get("to")
        target = self._target(name, site)
        place = _key_place(target, entry)
        said = entry.get(place)
        key = self._key(said, site.below(place)) if isinstance(said, str) else None
        structure = self._templates.action(self._action(target, entry, site), site)
        if target is None or structure is None or self._problems.broken(site.loc):
            return None
        made = self._targets.made.get(str(name))
        if made is None:
            return None
        own = framed(entry)
        handle = self._handling(made, own, site)
        times = self._times.entry(own, timing, site)
        mentions = structure.mentions() | (key.mentions() if key else frozenset())
        return None if handle is None else DeliverEntry(str(name), structure, key, handle, *times, mentions=mentions)

    def _handling(self, target: AnyTarget, own: EntryFrame, site: Site) -> Handling | None:
        self._check_schedule(target, own, site.below("retry"))
        warn_of_terms(target, own, site.loc, self._problems)
        frame = self._shared.filled(own, target, site.loc)
        return None if frame is None else handling(target, frame)

    def _target(self, name: Json, site: Site) -> type[AnyTarget] | None:
        """Return the class of the target that an entry names; one that names none was reported with the frame."""
        if not isinstance(name, str):
            return None
        if self._targets.names and name not in self._targets.names:
            message = f'{self._route(site)} delivers to "{name}", and there is no such target'
            self._problems.add(site.below("to").loc, "unknown-target", message, did_you_mean(name, self._targets.names))
        return self._targets.types.get(name)

    def _action(self, target: type[AnyTarget] | None, entry: JsonObject, site: Site) -> Action:
        """Return what an entry asks for; of an unknown target only the templates can be checked."""
        content = {name: value for name, value in entry.items() if name not in COMMON}
        file = entry.get("template")
        if target is None:
            return Action(content, {"template": file} if isinstance(file, str) else {}, {})
        files: dict[str, str] = {}
        if isinstance(file, str) and self._fits(field := target.filled_by(file), content, site):
            files[field] = file
        self._actions.check(target, str(entry["to"]), {**content, **dict.fromkeys(files, FILLED)}, site.loc)
        for field in target.key_fields & content.keys():
            content[field] = self._expanded(content[field], site.below(field))
        for field in chart_fields(target.Action) & content.keys():
            self._check_drawable(site.below(field))
            content[field] = regional(content[field], self._templates.region)
        entry_name = describe(self._problems.located.data, site.loc)
        prepared = target.prepare(content, gathered=site.gathered)
        return Action(prepared, files, target.escapes, texts_of(target.Action), checker(target.Action, entry_name))

    def _check_drawable(self, site: Site) -> None:
        """Report a chart that nothing here can draw: it would fail when it is sent, which may be on a Friday at six."""
        if reason := why_not():
            message = f"{describe(self._problems.located.data, site.loc[:-1])} has a chart: {reason}"
            self._problems.add(site.loc, "missing-package", message)

    def _fits(self, field: str, content: JsonObject, site: Site) -> bool:
        """Tell whether a template file may fill a field: it must not be written twice."""
        if field in content:
            message = f'"template" and "{field}" both hold the message'
            self._problems.add(site.below("template").loc, "bad-value", message, "leave one of them out")
        return field not in content

    def _key(self, written: str, site: Site) -> Template | None:
        template = self._expanded(written, site)
        return self._templates.text(template, site) if isinstance(template, str) else None

    def _expanded(self, key: Json, site: Site) -> Json:
        """Return a key with a bare kind of entity written out, which some event of the route must lead to."""
        if not isinstance(key, str) or site.kinds is None or key not in self._words.kinds:
            return key
        if not any(leads_to(key, kind, self._words) for kind in site.kinds):
            reachable = {to for kind in site.kinds for to in (kind, *self._words.references.get(kind, {}))}
            message = f'no event that {self._route(site)} listens to leads to a "{key}"'
            self._problems.add(site.loc, "unreachable-key", message, did_you_mean(key, reachable))
        return expanded(key, site.kinds, self._words)

    def _check_schedule(self, target: AnyTarget, frame: EntryFrame, site: Site) -> None:
        """Report what an entry says of its waits that its target contradicts: only one of them can be meant."""
        ours, theirs = frame.retry, target.options.retry
        if ours.first and ours.max is None and theirs.max and ours.first > theirs.max:
            self._contradicted(site.below("first"), f'longer than "max" of its target, which is {written(theirs.max)}')
        if ours.max and ours.first is None and theirs.first and ours.max < theirs.first:
            told = f'shorter than "first" of its target, which is {written(theirs.first)}'
            self._contradicted(site.below("max"), told)

    def _contradicted(self, site: Site, told: str) -> None:
        message = f"{describe(self._problems.located.data, site.loc)} must not be {told}"
        self._problems.add(site.loc, "bad-value", message, "write both at the entry")

    def _route(self, site: Site) -> str:
        return describe(self._problems.located.data, site.loc[:2])


def framed(entry: JsonObject) -> EntryFrame:
    """Return what an entry says that all entries may say; it was checked with the file."""
    return EntryFrame.model_validate({name: value for name, value in entry.items() if name in COMMON})


def handling(target: AnyTarget, frame: EntryFrame) -> Handling:
    """Return how the deliveries of an entry are to be handled; it depends on what was rendered for some targets."""
    quiet = FOREVER if frame.once else frame.repeat_after.total_seconds() if frame.repeat_after else 0
    terms = Terms(frame.retry.parts, frame.on_unknown, frame.ordering == "key", frame.supersede is True, quiet)

    def handle(content: JsonObject) -> tuple[str, Terms]:
        upserts = frame.supersede is None and target.upserts(content)
        return target.bucket(content), replace(terms, supersedes=True) if upserts else terms

    return handle


def _key_place(target: type[AnyTarget] | None, entry: JsonObject) -> str:
    """Return which key of an entry orders its deliveries: ``key``, else a field of the target's that is one.

    Messages of one thread go one after another, or each of them would open the thread anew.
    """
    fields = sorted(target.key_fields & entry.keys()) if target else []
    return "key" if "key" in entry or not fields else fields[0]
