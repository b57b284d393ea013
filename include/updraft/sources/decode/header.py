"""Hold the columns delivered against those declared: order is free, names are exact, more is welcome, less is not."""

from collections import Counter
from collections.abc import Iterable, Sequence

from updraft.errors import DeliveryRefused, did_you_mean
from updraft.spec.sources import Source


def compare(header: Sequence[str], source: Source) -> None:
    """Refuse a header that lacks a declared column, has one twice, or is wider than the caps.

    :raises DeliveryRefused: With the difference, and the names that may have been meant.
    """
    if len(header) > source.caps.columns:
        raise DeliveryRefused(
            f"It has {len(header)} columns, the spec allows {source.caps.columns}.",
            next_step="check the header, or raise `caps.columns`.",
        )
    names_fit(header, source)
    if twice := [name for name, count in Counter(header).items() if count > 1 and name in source.columns]:
        raise DeliveryRefused(
            f"Columns appear more than once: {', '.join(twice[:10])}.", next_step="have each column sent once."
        )
    if absent := [name for name in source.columns if name not in header]:
        raise lacking(absent, header, source)


def names_fit(names: Iterable[str], source: Source) -> None:
    """Refuse names of columns that are longer than a cell may be."""
    longest = max((len(name.encode(errors="surrogatepass")) for name in names), default=0)
    if longest > source.caps.cell_bytes:
        raise DeliveryRefused(
            f"The name of a column has {longest} bytes, the spec allows {source.caps.cell_bytes}.",
            next_step="check that the file begins with its header, or raise `caps.cell_bytes`.",
        )


def lacking(absent: Sequence[str], header: Sequence[str], source: Source) -> DeliveryRefused:
    """Error for declared columns that were not delivered."""
    strangers = [plain(name) for name in undeclared(header, source)]
    if source.personal:
        # Without its header, a file's first row stands in for it.
        strangers = [name for name in strangers if name.strip().casefold() in source.columns]
    hints = "; ".join(_hint(name, strangers) for name in absent[:10])
    return DeliveryRefused(
        f"It lacks {len(absent)} of {len(source.columns)} declared columns: {hints}.",
        next_step="have the names restored, or change `columns` in spec.yaml; order is free, spelling is exact.",
    )


def undeclared(header: Sequence[str], source: Source) -> list[str]:
    """Columns delivered but not declared, in their order."""
    return [name for name in header if name not in source.columns]


def plain(text: str, most: int = 80) -> str:
    """The beginning of a stranger's text on one line, as a terminal may show it.

    >>> plain("\\x1b[2J\\n")
    '\\\\x1b[2J\\\\n'
    """
    return "".join(sign if sign.isprintable() else repr(sign)[1:-1] for sign in text[:most])


def _hint(name: str, strangers: Sequence[str]) -> str:
    """What may have been meant by a column that is not there.

    >>> _hint("flight_id", [" Flight_ID", "x"])
    "flight_id (there is ' Flight_ID', which differs in case or blanks)"
    >>> _hint("flight_id", ["flightid"])
    "flight_id (did you mean 'flightid'?)"
    """
    for stranger in strangers:
        if stranger.strip().casefold() == name:
            return f"{name} (there is {stranger!r}, which differs in case or blanks)"
    return f"{name} ({did_you_mean(name, strangers)})" if strangers else name
