"""Running blocks on threads: bounded, cancelable, and the first error counts."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace

import pytest

from hyp3_stack.core.build.maps import _blocks
from hyp3_stack.core.errors import Canceled
from hyp3_stack.core.machine.blocks import run_blocks, thread_count
from hyp3_stack.core.machine.memory import MemoryBudget
from hyp3_stack.core.run.reporter import SilentReporter


def test_every_task_is_done_once() -> None:
    done: list[int] = []
    reporter = SilentReporter()
    run_blocks(done.append, range(100), 100, reporter, threads=3)
    assert sorted(done) == list(range(100))
    assert reporter.percent == 100
    run_blocks(done.append, [], 0, reporter)
    assert len(done) == 100


def test_tasks_are_taken_only_as_threads_come_free() -> None:
    """Else all blocks of a big stack would be in memory."""
    taken = 0
    most_ahead = 0
    done = 0
    lock = threading.Lock()

    def tasks() -> Iterator[int]:
        nonlocal taken, most_ahead
        for number in range(200):
            with lock:
                taken += 1
                most_ahead = max(most_ahead, taken - done)
            yield number

    def work(_: int) -> None:
        nonlocal done
        with lock:
            done += 1

    run_blocks(work, tasks(), 200, SilentReporter(), threads=4)
    assert done == 200
    assert most_ahead <= 2 * 4 + 1


def test_never_more_threads_than_asked_for() -> None:
    running = 0
    most = 0
    lock = threading.Lock()
    pause = threading.Event()

    def work(_: int) -> None:
        nonlocal running, most
        with lock:
            running += 1
            most = max(most, running)
        pause.wait(0.002)
        with lock:
            running -= 1

    run_blocks(work, range(60), 60, SilentReporter(), threads=3)
    assert 1 <= most <= 3
    assert 1 <= thread_count() <= 8


def test_the_first_error_ends_the_run() -> None:
    done: list[int] = []

    def work(number: int) -> None:
        if number == 5:
            raise ValueError("block five")
        done.append(number)

    with pytest.raises(ValueError, match="block five"):
        run_blocks(work, range(1000), 1000, SilentReporter(), threads=2)
    assert len(done) < 50, "the rest is not begun"


def test_an_error_while_tasks_are_made() -> None:
    def tasks() -> Iterator[int]:
        yield 1
        raise OSError("no more")

    done: list[int] = []
    with pytest.raises(OSError, match="no more"):
        run_blocks(done.append, tasks(), 2, SilentReporter(), threads=2)
    assert done == [1]


def test_cancel_ends_the_run_though_blocks_are_under_way() -> None:
    release = threading.Event()
    begun = threading.Event()
    done: list[int] = []

    class Stopper(SilentReporter):
        def canceled(self) -> bool:
            if begun.is_set():
                release.set()
                return True
            return False

    def work(number: int) -> None:
        begun.set()
        assert release.wait(60), "cancel is asked about while a block runs"
        done.append(number)

    with pytest.raises(Canceled):
        run_blocks(work, range(1000), 1000, Stopper(), threads=2)
    assert len(done) <= 6, "what was under way ends, the rest is not begun"


@pytest.mark.parametrize("threads", [1, 8])
@pytest.mark.parametrize("unit", [(738, 1092), (2000, 2000)])
@pytest.mark.parametrize("together", [1, 2, 6, 40])
def test_layers_that_are_held_together_get_smaller_blocks(
    together: int, unit: tuple[int, int], threads: int
) -> None:
    """A thread holds no more than five copies of its largest block, or of one chunk."""
    budget = MemoryBudget(threads=threads)
    grid = SimpleNamespace(height=6000, width=8000)
    targets = SimpleNamespace(source=SimpleNamespace(grid=grid), maps=(1, *unit), budget=budget)
    blocks, fits = _blocks(targets, together)
    assert sum((r.stop - r.start) * (c.stop - c.start) for r, c in blocks) == 6000 * 8000
    largest = 4 * max((r.stop - r.start) * (c.stop - c.start) for r, c in blocks)
    held = largest * (together + 4 if fits else 5)
    assert held <= 5 * max(budget.band_bytes, 4 * unit[0] * unit[1])
    assert fits or together > 1
    # Chunks of 16 MB leave no room for several layers; those of 3 MB leave some.
    assert fits is (together == 1 or unit == (738, 1092) and together < 40)
