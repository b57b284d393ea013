import pytest

from updraft.spec.zones import zone


def test_a_zone_is_named_as_iana_does():
    assert zone("America/New_York") == "America/New_York"


@pytest.mark.parametrize("word", ["", "Mars/Olympus", "../etc/passwd", "/etc/passwd", "UTC\0", "x" * 5000, "America"])
def test_nothing_else_is_a_zone(word):
    with pytest.raises(ValueError, match="is not an IANA time zone"):
        zone(word)
