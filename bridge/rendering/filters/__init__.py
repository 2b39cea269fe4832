"""Every filter that templates have; there is no ``safe``, and nothing that could reach out."""

from collections.abc import Callable
from typing import Any

from bridge.rendering.filters.entities import entity_filters
from bridge.rendering.filters.formats import format_filters
from bridge.rendering.filters.orders import ORDER_FILTERS
from bridge.rendering.filters.rankings import RANKING_FILTERS
from bridge.rendering.filters.sequences import SEQUENCE_FILTERS
from bridge.rendering.filters.telephones import phone_filters
from bridge.rendering.filters.texts import TEXT_FILTERS
from bridge.rendering.region import Region


def all_filters(region: Region) -> dict[str, Callable[..., Any]]:
    """Return the filters by their names in templates, for one region."""
    regional = {**format_filters(region), **phone_filters(region), **entity_filters(region)}
    return {**SEQUENCE_FILTERS, **ORDER_FILTERS, **RANKING_FILTERS, **TEXT_FILTERS, **regional}
