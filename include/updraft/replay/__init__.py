"""What would have become of a use case's models under other policies: a span of history, lived again in shadows.

- `ground`: the features and labels that all policies share, in a shadow of the live lake
- `policy`: when a policy trains again
- `play`: the partitions one after the other, each policy in a shadow of the ground
- `tally`: what each policy earned, how well it ranked, and what it cost
- `report`: all of it side by side, as JSON, and as a page with a chart

The live lake is read and never written: a shadow's writing methods do not lead there.
"""

from updraft.replay.play import Arm, arms, place, replay
from updraft.replay.policy import POLICIES
from updraft.replay.report import Report

__all__ = ["POLICIES", "Arm", "Report", "arms", "place", "replay"]
