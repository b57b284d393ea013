"""What each policy lost in each scenario, as a picture."""

import io
import textwrap
from collections.abc import Sequence

from updraft.simulation.policy import CONTROLLER
from updraft.simulation.scenario import SCENARIOS
from updraft.simulation.summary import Line

ACROSS = 4


def chart(lines: Sequence[Line]) -> bytes:
    """Draw a panel per scenario, a bar per policy: value lost per 1,000 rows; at its foot the trainings per year."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    scenarios = list(dict.fromkeys(line.scenario for line in lines))
    down = -(-len(scenarios) // ACROSS)
    figure = Figure(figsize=(4 * ACROSS, 2.9 * down), layout="constrained")
    FigureCanvasAgg(figure)
    panels = figure.subplots(down, ACROSS, squeeze=False).ravel()
    for panel, scenario in zip(panels, scenarios, strict=False):
        _draw(panel, [line for line in lines if line.scenario == scenario])
    for panel in panels[len(scenarios) :]:
        panel.set_visible(False)
    seeds = max(line.seeds for line in lines)
    figure.suptitle(f"Value lost per 1,000 rows against acting on the truth; {seeds} seeds, 95 % intervals")
    image = io.BytesIO()
    figure.savefig(image, format="png", dpi=100, metadata={"Software": None})
    return image.getvalue()


def _draw(panel: object, lines: Sequence[Line]) -> None:
    names = [f"{line.policy}\n{line.trainings.value:.1f} trainings a year" for line in lines]
    lost = [line.lost.value for line in lines]
    reach = [[max(line.lost.value - line.lost.low, 0) if line.seeds > 1 else 0 for line in lines]] * 2
    colours = ["#1f6f8b" if line.policy == CONTROLLER else "#b8bfc6" for line in lines]
    panel.barh(names, lost, xerr=reach, color=colours, ecolor="#555555", capsize=2)  # type: ignore[attr-defined]
    panel.invert_yaxis()  # type: ignore[attr-defined]
    says = textwrap.fill(SCENARIOS[lines[0].scenario].says, 40)
    panel.set_title(says, fontsize=9)  # type: ignore[attr-defined]
    panel.tick_params(labelsize=7)  # type: ignore[attr-defined]
