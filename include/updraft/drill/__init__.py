"""The monitor is monitored: faults that are known are put into a copy, and each alarm that should fire must.

- `scene`: the newest partitions as a look needs them, and copies of them in shadows
- `faults`: what is broken in a copy, and which signs must and may come of it
- `signs`: what a look at a copy showed
- `verdict`: what must have fired and did not, what fired and must not have, and what cannot be seen
- `drill`: every fault in a copy of its own

A sign that the monitor cannot judge, for want of rows or of a measure, is never a pass: it is said to be unseen.
"""

from updraft.drill.drill import Drill, drill, key, newest

__all__ = ["Drill", "drill", "key", "newest"]
