"""Documents of the CRM with a text wherever one may stand."""

from hypothesis import strategies as st

from bridge.model import Json

ANY_TEXT = st.text(st.sampled_from("<>&\"',;:@=()\\\r\n .?ção😀") | st.characters(codec="utf-8"), max_size=40)


def filled(shape: Json, text: str, field: str = "") -> Json:
    """Return a document of a shape with a text wherever one may stand."""
    if isinstance(shape, dict):
        return {key: filled(value, text, key) for key, value in shape.items()}
    if isinstance(shape, list):
        return [filled(item, text) for item in shape]
    return 5.0 if field.startswith("amount") or field in {"order", "rating"} else text
