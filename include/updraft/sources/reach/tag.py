"""What a source calls the content it gave, so that it can be asked for what is new alone."""

from dataclasses import dataclass


@dataclass
class Tag:
    """What a source calls the content of a delivery (HTTP: the ETag), to be filled in while it is fetched.

    :param last: Of the content that was fetched last; empty when none was.
    :param seen: Of the content that is fetched now; empty when the source does not say.
    """

    last: str = ""
    seen: str = ""
