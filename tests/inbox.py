"""Files in an inbox."""

import os
import time
from pathlib import Path


def put(path: Path, content: str | bytes, *, age: float = 60.0) -> Path:
    """Write a file that changed so many seconds ago; one that changed just now counts as still growing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    then = time.time() - age
    os.utime(path, (then, then))
    return path
