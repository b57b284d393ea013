"""Packages of peers, in folders of their own: some start threads when imported, which no process that forks may do."""

import os
import subprocess
import sys
from pathlib import Path

HOME = Path(os.environ.get("UPDRAFT_HOME", ".updraft")).resolve() / "bench"


def packages(*requirements: str) -> dict[str, str]:
    """Environment in which Python finds these packages beside its own; installs them when they are not there."""
    place = HOME / "-".join(requirements)
    if not (place / ".ready").exists():
        uv = Path(sys.executable).with_name("uv")
        subprocess.run([uv, "pip", "install", "-q", "--target", place, *requirements], check=True, timeout=600)
        (place / ".ready").touch()
    return {"PYTHONPATH": os.pathsep.join(filter(None, [str(place), os.environ.get("PYTHONPATH")]))}
