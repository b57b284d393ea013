"""Who may import whom; the contracts stand in pyproject.toml, under `[tool.importlinter]`."""

import itertools
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import updraft

ROOT = Path(__file__).parents[2]
CONTRACTS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]


def test_every_import_keeps_to_the_layers():
    linter = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-3000:]
    assert "2 kept, 0 broken" in done.stdout


def test_the_contracts_cover_every_module():
    layers, forbidden = CONTRACTS
    listed = {name for layer in layers["layers"] for name in layer.split(" | ")}
    there = {
        p.stem for p in (ROOT / "include" / "updraft").iterdir() if p.suffix == ".py" or (p / "__init__.py").is_file()
    }
    assert listed == there - {"__init__"}
    assert layers["exhaustive"] is True
    assert forbidden["forbidden_modules"] == ["airflow", "updraft_airflow"]


def test_the_package_s_docstring_tells_the_same_order():
    rows = re.findall(r"^    (\w+(?: \w+)*)  +\S", updraft.__doc__ or "", re.M)
    told = [set(row.split()) for row in rows]
    layers = [set(layer.split(" | ")) for layer in CONTRACTS[0]["layers"]]
    height = {name: -number for number, layer in enumerate(layers) for name in layer}
    assert set().union(*told) == set(height), "the docstring of updraft names every module and nothing else"
    for above, below in itertools.pairwise(told):
        assert min(height[name] for name in above) >= max(height[name] for name in below), (above, below)
