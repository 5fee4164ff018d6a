"""The results as Markdown."""

from readers import NAMES

MIB = 1 << 20

PLAIN = """# Reading plain images

![Our time over that of plain code, by work]({picture})

Medians of runs by turns on {cores} cores, {date}, of files in the page cache. The
series is {shape} of int16 with slope and intercept; parts are read as float64.
Every result was compared with what NumPy makes of the file. Plain code knows type,
shape and factors and does just the work, as `peers/src/limit.rs` has it. [What the
works mean](../README.md).

## What is to be reached

Ratio is time of ours / time of theirs.

| work | ours, ms | against | theirs, ms | ratio | reach | | NiBabel, ms | ratio | reach | |
|---|--:|---|--:|--:|--:|---|--:|--:|--:|---|
"""

HEAD = """# Reading compressed images

![Our time over that of the fastest other reader, by work]({picture})

Medians of runs by turns on {cores} cores, {date}. The series is {shape} of
int16 with slope and intercept; unless a work says otherwise it is
`fmri.nii.gz`, read as stored, into memory that was used before. Every result
was compared with the plain file. [What the works mean](../README.md).
"""

FORMATS = """# Reading formats of several blocks

![Our time over NiBabel's, by work]({picture})

Medians of runs by turns on {cores} cores, {date}, of files in the page cache: a tenth of
the series of int16 in each format, with a factor for each volume or slice, read as
float64. Slices count opening. Every result was compared with what NumPy makes of the
plain file. [What the works mean](../README.md).
"""

BINDINGS = """# What the bindings cost

Medians of runs by turns on {cores} cores, {date}: the same reads of a plain file in the
page cache by each binding and in C. The series is {shape} of int16 with slope and
intercept. Every result was compared with what NumPy makes of the file. [What the works
mean](../README.md).

Times are medians over seven processes each: the pages that one happens to have make up
to a third. Mere copies and new memory, which depend on them most, have no reach.

## One voxel

In µs. "Beyond" is what the binding takes besides C's time.

| | a voxel | in C | beyond | reach | |
|---|--:|--:|--:|--:|---|
"""

AGAINST = """
## What is to be reached

Ratio is time of ours / time of theirs.

| work | ours, ms | against | theirs, ms | ratio | reach | |
|---|--:|---|--:|--:|--:|---|
"""

OTHERS = """
## Other readers

In ms. `~` stands before times of a part of the work, scaled up. Readers that
only decode are marked so; "best" is ours over the fastest other.

"""

PLAIN_MEMORY = """
## Memory

Peak of RssAnon without the result, in MiB.

| read | peak | bound | |
|---|--:|--:|---|
"""

MEMORY = """
## Memory of a whole read to float64

Peak of RssAnon without the result, in MiB; the bound is the setting for the
cache, the index and 32 MiB.

| reader | peak | bound | |
|---|--:|--:|---|
"""


def milliseconds(seconds):
    """Three digits that count."""
    if seconds is None:
        return "–"
    ms = seconds * 1e3
    if ms >= 100:
        return f"{ms:.0f}"
    digits = 1 if ms >= 10 else 2 if ms >= 1 else 3 if ms >= 0.1 else 4
    return f"{ms:.{digits}f}"


def ratio(result):
    if result["ours"] is None or result["theirs"] is None:
        return None
    return result["ours"] / result["theirs"]


def number(value):
    return "–" if value is None else f"{value:.2f}" if value >= 0.1 else f"{value:.3f}"


def verdict(value, most):
    if most is None:
        return ""
    return "ok" if value is not None and value <= most else "**over**"


def line(result):
    value, reach = ratio(result), result["reach"]
    theirs = ("~" if result["part"] else "") + milliseconds(result["theirs"])
    cells = [
        result["title"],
        milliseconds(result["ours"]),
        result["against"],
        theirs,
        number(value),
        "" if reach is None else f"≤ {reach:.2f}",
        verdict(value, reach),
    ]
    return "| " + " | ".join(cells) + " |"


def voxel_line(result):
    ours, theirs, most = result["ours"], result["theirs"], result["more"]
    known = ours is not None and theirs is not None
    micro = lambda seconds: f"{seconds * 1e6:.2f}" if known else "–"
    beyond = ours - theirs if known else None
    cells = [
        result["title"].split(":")[0],
        micro(ours),
        micro(theirs),
        micro(beyond or 0),
        "" if most is None else f"≤ {most * 1e6:.1f}",
        verdict(beyond, most),
    ]
    return "| " + " | ".join(cells) + " |"


def plain_line(result):
    """With NiBabel's time and ratio behind, if it does the work."""
    nibabel = result["others"].get("nibabel")
    if not nibabel or not result["ours"]:
        return line(result) + " | | | |"
    value, reach = result["ours"] / nibabel["seconds"], result["nibabel"]
    cells = [
        milliseconds(nibabel["seconds"]),
        number(value),
        "" if reach is None else f"≤ {reach:.2f}",
        verdict(value, reach),
    ]
    return f"{line(result)} " + " | ".join(cells) + " |"


def best(result):
    """The fastest other reader, and our time over its."""
    others = result["others"]
    if not others or result["ours"] is None:
        return None, None
    name = min(others, key=lambda name: others[name]["seconds"])
    return name, result["ours"] / others[name]["seconds"]


def others_table(rows):
    rows = [result for result in rows if result["others"]]
    used = [name for name in NAMES if any(name in result["others"] for result in rows)]
    lines = [
        "| work | ours | " + " | ".join(NAMES[name] for name in used) + " | best |",
        "|---|--:|" + "--:|" * (len(used) + 1),
    ]
    for result in rows:
        cells = [result["title"], milliseconds(result["ours"])]
        for name in used:
            other = result["others"].get(name)
            mark = "~" if other and other["part"] else ""
            cells.append(mark + milliseconds(other["seconds"]) if other else "")
        cells.append(number(best(result)[1]))
        lines.append("| " + " | ".join(cells) + " |")
    return "\n".join(lines) + "\n"


def memory_table(memory):
    lines = []
    for result in memory:
        more, bound = result["more"] / MIB, result["bound"]
        limit = f"≤ {bound / MIB:.0f}" if bound else ""
        fine = verdict(result["more"], bound)
        lines.append(f"| {result['title']} | {more:.0f} | {limit} | {fine} |")
    return "\n".join(lines) + "\n"


def markdown(found, picture):
    values = {
        "picture": picture,
        "cores": found["cores"],
        "date": found["date"],
        "shape": "×".join(map(str, found["shape"])),
    }
    warning = "\n**A tenth of the data: for trying, not for judging.**\n"
    if found["kind"] == "plain":
        text = PLAIN.format(**values) + "\n".join(map(plain_line, found["rows"])) + "\n"
        text += warning if found["small"] else ""
        text += OTHERS + others_table(found["rows"]) + PLAIN_MEMORY
    elif found["kind"] == "formats":
        text = FORMATS.format(**values) + (warning if found["small"] else "")
        text += AGAINST + "\n".join(map(line, found["rows"])) + "\n"
    elif found["kind"] == "bindings":
        voxels = [result for result in found["rows"] if "voxel" in result["title"]]
        wholes = [result for result in found["rows"] if result not in voxels]
        text = BINDINGS.format(**values) + "\n".join(map(voxel_line, voxels)) + "\n"
        text += warning if found["small"] else ""
        text += AGAINST + "\n".join(map(line, wholes)) + "\n"
    else:
        text = HEAD.format(**values) + (warning if found["small"] else "")
        text += AGAINST + "\n".join(map(line, found["rows"])) + "\n"
        text += OTHERS + others_table(found["rows"]) + MEMORY
    if found["memory"]:
        text += memory_table(found["memory"])
    text += "\n## Versions\n\n" + ", ".join(found["versions"]) + ".\n"
    if found["notes"]:
        text += "\n## What failed\n\n" + "".join(f"- {note}\n" for note in found["notes"])
    return text
