"""Measure our reads and those of others, by turns.

Tables and pictures go to benches/results. Environment: FILES=plain, compressed,
formats or bindings measures reads of these alone, SMALL=1 takes a tenth of the data, LONG=1 adds a
file ten times as long, ROWS=text measures only the rows that have the text in
their titles and writes no results.
"""

import datetime
import json
import os
import statistics
import sys
from pathlib import Path

import picture
import report
from bindings import BindingRows
from data import Data
from formats import FormatRows
from measure import measure, peak_memory
from plain import PlainRows
from readers import NAMES, Failed, Job, Readers
from rows import Rows
from truth import Truth

ROOT = Path(__file__).parents[2]
MIB = 1 << 20
CACHE = 32 * MIB  # the default of AP_OPT_CACHE_BYTES
SPARE = 32 * MIB
PROCESSES = 7


def is_set(name):
    return os.environ.get(name, "") not in ("", "0")


def warm(data):
    """All files into the page cache: no side waits for the disk."""
    for path in [*data.folder.glob("packed/*"), *data.folder.glob("plain/*")]:
        with open(path, "rb") as file:
            while file.read(1 << 24):
                pass


def save_indexes(data, readers, long):
    """What rows load: made anew by the library that is measured."""
    even = ["fmri", "cut"] + ["long"] * long
    for name, index, args in [("fmri", "fmri", {})] + [
        (name, f"{name}_even", {"spacing": 1 << 20}) for name in even
    ]:
        args["to"] = data.index(f"{index}.gzidx")
        readers.ask(Job("ours", "save", data.packed(f"{name}.nii.gz"), args=args))
    args = {"to": data.index("fmri.rapidgzip")}
    readers.ask(Job("rapidgzip", "save", data.packed("fmri.nii.gz"), args=args))


def measure_rows(rows, readers, truth, notes):
    results = []
    for row in rows:
        seconds = measure(row, readers, truth, notes)
        against, _, times = row.against
        theirs = [seconds[job] for job in row.peers() if job in seconds]
        others = {
            job.reader: {"seconds": seconds[job], "part": job.is_part()}
            for job in row.others
            if job in seconds
        }
        result = {
            "title": row.title,
            "ours": seconds.get(row.ours),
            "against": against,
            "theirs": min(theirs) * times if theirs else None,
            # Of a part of the work, scaled up.
            "part": any(job.is_part() for job in row.peers()),
            "reach": row.reach,
            "nibabel": row.nibabel,
            "more": row.more,
            "others": others,
        }
        results.append(result)
        print(report.line(result), flush=True)
    return results


def measure_plain_memory(readers, rows, truth, notes):
    """What our reads of plain files need besides their results."""
    results = []
    for title, job, size in rows.memory():
        try:
            peak, answer = peak_memory(readers, job)
            if answer.checksum != truth.checksum(job):
                raise Failed("other values than the plain file has")
            results.append({"title": title, "more": peak - size, "bound": 8 * MIB})
        except Failed as problem:
            notes.append(f"memory, {title}: {problem}")
    return results


def measure_memory(data, readers, rows, truth, notes):
    """Of whole reads to float64: what is needed besides the result."""
    size = 4 * data.nbytes
    results = []
    peers = ("nibabel", "indexed_gzip", "simpleitk", "niftilib", "nifti")
    for name, threads in [("ours", 1), ("ours", 2)] + [(name, 1) for name in peers]:
        job = rows.whole(name, "float64", threads=threads)
        title = NAMES[name] + (f", {threads} threads" if threads > 1 else "")
        try:
            peak, answer = peak_memory(readers, job)
            if answer.checksum != truth.checksum(job):
                raise Failed("other values than the plain file has")
        except Failed as problem:
            notes.append(f"memory, {title}: {problem}")
            continue
        bound = CACHE + int(answer.more["index_memory"]) + SPARE if name == "ours" else None
        results.append({"title": title, "more": peak - size, "bound": bound})
    return results


def measure_compressed(data, readers, truth, notes, only, long):
    save_indexes(data, readers, long)
    rows = Rows(data)
    wanted = [row for row in rows.all(long) if only in row.title]
    results = measure_rows(wanted, readers, truth, notes)
    return results, [] if only else measure_memory(data, readers, rows, truth, notes)


def measure_plain(data, readers, truth, notes, only):
    rows = PlainRows(data, Rows(data))
    wanted = [row for row in rows.all() if only in row.title]
    results = measure_rows(wanted, readers, truth, notes)
    return results, [] if only else measure_plain_memory(readers, rows, truth, notes)


def measure_formats(data, readers, truth, notes, only):
    rows = FormatRows(data, truth)
    rows.make()
    wanted = [row for row in rows.all() if only in row.title]
    return measure_rows(wanted, readers, truth, notes), []


def measure_bindings(data, readers, truth, notes, only):
    """By several processes of each reader: what pages one has makes up to a third."""
    wanted = [row for row in BindingRows(data).all() if only in row.title]
    rounds = []
    for turn in range(PROCESSES):
        if turn > 0:
            readers.restart()
        rounds.append(measure_rows(wanted, readers, truth, notes))
    results = []
    for same in zip(*rounds):
        medians = {}
        for side in ("ours", "theirs"):
            known = [result[side] for result in same if result[side] is not None]
            medians[side] = statistics.median(known) if known else None
        results.append({**same[0], **medians})
    return results, []


def main():
    small, long, only = is_set("SMALL"), is_set("LONG"), os.environ.get("ROWS", "")
    data = Data(ROOT / "target/bench/data", small)
    data.make(long)
    warm(data)
    truth, failures = Truth(data), 0
    all_kinds = ["plain", "compressed", "formats", "bindings"]
    kinds = [os.environ.get("FILES")] if is_set("FILES") else all_kinds
    for kind in kinds:
        notes = []
        # Each kind has readers of its own: memory that one keeps is another's.
        with Readers(ROOT / "target/bench/bin") as readers:
            if kind == "plain":
                results, memory = measure_plain(data, readers, truth, notes, only)
            elif kind == "formats":
                results, memory = measure_formats(data, readers, truth, notes, only)
            elif kind == "bindings":
                results, memory = measure_bindings(data, readers, truth, notes, only)
            else:
                results, memory = measure_compressed(data, readers, truth, notes, only, long)
            found = {
                "kind": kind,
                "small": small,
                "shape": data.shape,
                "date": datetime.date.today().isoformat(),
                "cores": len(os.sched_getaffinity(0)),
                "versions": readers.versions(),
                "rows": results,
                "memory": memory,
                "notes": notes,
            }
        if not only:
            name = f"{kind}_small" if small else kind
            (ROOT / f"target/bench/{name}.json").write_text(json.dumps(found, indent=1))
            write(found, ROOT / "benches/results", name)
        failures += len(notes)
    return 1 if failures else 0


def write(found, folder, name):
    folder.mkdir(exist_ok=True)
    if found["kind"] != "bindings":
        picture.draw(found, folder / f"{name}.svg")
    text = report.markdown(found, f"{name}.svg")
    (folder / f"{name}.md").write_text(text)
    print(f"\n{text}\nwritten to benches/results/{name}.md")


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failed as problem:
        sys.exit(str(problem))
