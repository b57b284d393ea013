import subprocess
import sys

import pytest

from updraft.contract.library import Later

HEAVY = """
import sys
from updraft.contract import engine, library
library.expectations()
engine.frames()
print([name for name in ("scipy.stats", "altair") if name in sys.modules])
from great_expectations.expectations.core import expect_column_kl_divergence_to_be_less_than as rule
print(rule.stats.norm.cdf(0.0), rule.alt.Chart.__name__)
import scipy.stats
print(scipy.stats.norm is rule.stats.norm)
"""


@pytest.mark.slow
def test_great_expectations_comes_without_what_no_rule_here_needs_and_finds_it_when_asked():
    done = subprocess.run([sys.executable, "-c", HEAVY], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "0.5 Chart", "True"]


@pytest.fixture
def later(monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    module = Later("colorsys")
    monkeypatch.setitem(sys.modules, "colorsys", module)
    return module


def test_a_module_that_is_asked_for_something_becomes_what_it_is_named_after(later):
    assert later.rgb_to_hsv(0.0, 0.0, 0.0) == (0.0, 0.0, 0.0)
    assert sys.modules["colorsys"] is not later


def test_whoever_imports_it_afterwards_has_the_module_itself(later):
    later.leave()
    later.leave()
    import colorsys

    assert colorsys is not later
    assert colorsys.rgb_to_hsv is later.rgb_to_hsv
