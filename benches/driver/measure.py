"""Times of the sides of a row, taken by turns."""

import statistics
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from readers import Failed


@dataclass
class Row:
    """A work, and who does it."""

    title: str
    ours: object
    # (what it is called, job, what to multiply its time by); of several jobs it
    # is the fastest.
    against: tuple
    # Largest ratio of the two.
    reach: float = None
    others: list = field(default_factory=list)
    # Largest ratio to NiBabel, which is one of the others.
    nibabel: float = None
    # Most seconds beyond that.
    more: float = None

    def peers(self):
        job = self.against[1]
        return job if isinstance(job, list) else [job]


# The first run of work that is faster than this many seconds does not count.
WARM_UP = 1.5
MOST_ROUNDS = 11


def rounds_for(seconds, is_ours):
    """Fast work is repeated, slow peers are not waited for."""
    if seconds < 0.3:
        return MOST_ROUNDS
    if seconds < WARM_UP:
        return 5
    if is_ours:
        return 5 if seconds < 4 else 3
    return 3 if seconds < 5 else 2 if seconds < 10 else 1


# Work that is faster is done right before it is measured: no side finds in the
# caches what another left there.
BRIEF = 0.05


def measure(row, readers, truth, notes):
    """Seconds that each job of a row takes, without those that failed. Ours and
    what it is held against go first, and by themselves: who comes after a reader
    that takes much memory pays for it."""
    first = list(dict.fromkeys([row.ours] + row.peers()))
    rest = [job for job in dict.fromkeys(row.others) if job not in first]
    by_turns = lambda jobs: measure_jobs(row.title, jobs, readers, truth, notes)
    return {**by_turns(first), **by_turns(rest)}


def measure_jobs(title, jobs, readers, truth, notes):
    times = {job: [] for job in jobs}
    wanted, last = dict.fromkeys(times, 1), dict.fromkeys(times, BRIEF)
    for turn in range(MOST_ROUNDS + 1):
        # The other way round each time: one after the other takes what the first
        # left, of the caches and of free memory.
        for job in [job for job in list(times)[:: 1 - turn % 2 * 2] if turn < wanted[job]]:
            try:
                if last[job] < BRIEF:
                    readers.ask(job)
                answer = readers.ask(job)
                if answer.checksum != truth.checksum(job):
                    raise Failed(f"{job.reader} gets other values than the plain file has")
            except Failed as problem:
                note = f"{title}: {problem}"
                notes.append(note)
                print(note, file=sys.stderr, flush=True)
                wanted[job] = 0
                times[job].clear()
                continue
            last[job] = answer.seconds
            if turn == 0:
                wanted[job] = rounds_for(answer.seconds, job.reader == "ours")
                if answer.seconds < WARM_UP:
                    wanted[job] += 1
                    continue
            times[job].append(answer.seconds * job.scale)
    return {job: statistics.median(taken) for job, taken in times.items() if taken}


def anonymous(process):
    """RssAnon in bytes: memory that is not a file's."""
    try:
        text = Path(f"/proc/{process}/status").read_text()
        return int(text.split("RssAnon:")[1].split()[0]) * 1024
    except (OSError, IndexError):
        return 0


def peak_memory(readers, job):
    """The most RssAnon while a job runs in a process of its own, looked at
    from outside every millisecond, and its answer."""
    reader = readers.alone(job.reader)
    peak, done = [0], threading.Event()

    def watch():
        while not done.is_set():
            peak[0] = max(peak[0], anonymous(reader.process.pid))
            time.sleep(0.001)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        answer = reader.ask(job)
    finally:
        done.set()
        watcher.join()
        reader.close()
    return peak[0], answer
