"""The results as a picture: a bar for each work that other readers do too."""

import matplotlib

matplotlib.use("svg")
import matplotlib.pyplot as plt
from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

import report
from readers import NAMES

FASTER, SLOWER = "#2a78b5", "#d9822b"
TEXT, FAINT, LINES = "#24292f", "#57606a", "#d8dee4"
TITLE = "Our time ÷ that of {} (log scale: left of 1 is faster)"
# Letters stay letters, in what the viewer has for them.
STYLE = {
    "font.size": 10,
    "font.family": "sans-serif",
    "text.color": TEXT,
    "svg.fonttype": "none",
    "svg.hashsalt": "bench",
}


def bars_of(found):
    """Ours over the fastest other; of plain files over the limit."""
    for result in found["rows"]:
        if found["kind"] == "plain":
            if report.ratio(result):
                yield result["title"], result["against"], report.ratio(result)
            continue
        name, value = report.best(result)
        if name:
            yield result["title"], NAMES[name], value


def draw(found, path):
    bars = list(bars_of(found))
    values = [value for _, _, value in bars]
    places = list(range(len(bars)))[::-1]
    plt.rcParams.update(STYLE)
    figure, axes = plt.subplots(figsize=(11, 1.2 + 0.33 * len(bars)))
    colours = [FASTER if value <= 1 else SLOWER for value in values]
    # From 1, so that a bar's length says how much faster or slower.
    axes.barh(places, [value - 1 for value in values], left=1, height=0.62, color=colours)
    axes.axvline(1, color=TEXT, linewidth=1)
    for place, (_, name, value) in zip(places, bars):
        beside = (1.02, place)
        text = f"{report.number(value)} × {name}"
        axes.annotate(text, beside, xycoords=axes.get_yaxis_transform(), va="center", fontsize=9)
    axes.set_yticks(places, [title for title, _, _ in bars])
    axes.set_ylim(-0.7, len(bars) - 0.3)
    axes.set_xscale("log")
    axes.set_xlim(min(values + [0.5]) / 1.2, max(values + [2]) * 1.2)
    axes.xaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if min(values) > 0.05 else (1,)))
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.tick_params(length=0, labelcolor=TEXT)
    axes.tick_params(axis="x", labelsize=9, labelcolor=FAINT)
    axes.grid(axis="x", color=LINES, linewidth=0.7)
    axes.set_axisbelow(True)
    axes.spines[:].set_visible(False)
    theirs = {"plain": "plain code", "formats": "NiBabel"}.get(found["kind"], "the fastest other reader")
    figure.suptitle(TITLE.format(theirs), x=0.01, ha="left", fontsize=12)
    figure.tight_layout()
    # No date in it: the same results make the same picture.
    figure.savefig(path, facecolor="white", metadata={"Date": None})
    plt.close(figure)
