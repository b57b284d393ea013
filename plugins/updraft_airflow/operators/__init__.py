"""One file per stage: open hooks, call `updraft`, return a small JSON value."""
