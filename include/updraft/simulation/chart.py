"""What each policy lost in each scenario, as a picture."""

import io
from collections.abc import Sequence

from updraft.simulation.policy import CONTROLLER
from updraft.simulation.scenario import SCENARIOS
from updraft.simulation.summary import Line

ACROSS = 4


def chart(lines: Sequence[Line]) -> bytes:
    """Draw a panel per scenario, a bar per policy: value lost per 1,000 rows, beside it the trainings per year."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    scenarios = list(dict.fromkeys(line.scenario for line in lines))
    down = -(-len(scenarios) // ACROSS)
    figure = Figure(figsize=(4 * ACROSS, 2.6 * down), layout="constrained")
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
    names = [line.policy for line in lines]
    lost = [line.lost.value for line in lines]
    reach = [[max(line.lost.value - line.lost.low, 0) if line.seeds > 1 else 0 for line in lines]] * 2
    colours = ["#1f6f8b" if line.policy == CONTROLLER else "#b8bfc6" for line in lines]
    panel.barh(names, lost, xerr=reach, color=colours, ecolor="#555555", capsize=2)  # type: ignore[attr-defined]
    edge = max(line.lost.value for line in lines)
    for place, line in enumerate(lines):
        words = f"{line.trainings.value:.1f} trainings a year"
        panel.text(edge * 0.02, place, words, va="center", fontsize=7)  # type: ignore[attr-defined]
    panel.invert_yaxis()  # type: ignore[attr-defined]
    panel.set_title(SCENARIOS[lines[0].scenario].says, fontsize=8)  # type: ignore[attr-defined]
    panel.tick_params(labelsize=8)  # type: ignore[attr-defined]
