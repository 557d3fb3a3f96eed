"""Overhead of recording: events of a training with steps of one millisecond, and viewers of one run."""

from __future__ import annotations

import concurrent.futures
import statistics
import tempfile
import time
from pathlib import Path

from autotrain_gradio.core.settings import Settings
from autotrain_gradio.runs.reporter import Reporter
from autotrain_gradio.service import Service
from autotrain_gradio.tasks.registry import resolve
from benchmarks.rows import Row

STEPS, LOG_EVERY, VIEWERS, SECONDS = 5000, 50, 20, 10


def _new_run(service: Service) -> Path:
    draft = service.draft("image-classification")
    directory = service.store.get(draft).directory
    service.store.get(draft).freeze(resolve({"task": "image-classification"}).complete())
    return directory


def events(directory: Path) -> Row:
    """Time the calls of the training callback, compared with 1 ms a step."""
    resolved = resolve({"task": "image-classification"})
    reporter = Reporter(directory, resolved.spec, resolved.params, attempt=1)
    rounds = []
    for _ in range(5):
        began = time.perf_counter()
        for step in range(STEPS):
            reporter.stop_requested()
            reporter.progress(step, STEPS, step / STEPS, 1.0)
            if step % LOG_EVERY == 0:
                reporter.metric(
                    step, step / STEPS, loss=1.0, learning_rate=1e-4, samples_per_second=8.0, memory_mib=512.0
                )
        rounds.append(time.perf_counter() - began)
    cost = statistics.median(rounds)
    return Row(
        f"recording {STEPS:,} steps of 1 ms, a metric every {LOG_EVERY}",
        f"{cost * 1000:.1f} ms",
        f"{STEPS:,} ms",
        cost / (STEPS / 1000),
        0.01,
    )


def viewers(service: Service, directory: Path) -> Row:
    """Serve 20 viewers that poll snapshot and log each second while the run records; count our CPU time."""
    resolved = resolve({"task": "image-classification"})
    reporter = Reporter(directory, resolved.spec, resolved.params, attempt=1)
    reporter.state("running", "training")
    run, log = directory.name, directory / "log.txt"
    versions: list[int | None] = [None] * VIEWERS
    offsets = [0] * VIEWERS
    with log.open("a") as out, concurrent.futures.ThreadPoolExecutor(VIEWERS) as pool:

        def view(i: int) -> None:
            found = service.snapshot(run, versions[i])
            if found is not None:
                versions[i] = found["version"]
            offsets[i] = service.log(run, offsets[i])["offset"]

        used = 0.0
        for second in range(SECONDS):
            for step in range(5):
                reporter.metric(second * 5 + step, 0.1, loss=1.0 / (second + 1), learning_rate=1e-4)
                out.write("a line of the log\n")
            out.flush()
            began, cpu = time.monotonic(), time.process_time()
            list(pool.map(view, range(VIEWERS)))
            used += time.process_time() - cpu
            time.sleep(max(0.0, 1.0 - (time.monotonic() - began)))
    return Row(
        f"{VIEWERS} viewers of one run, service alone",
        f"{used / SECONDS * 100:.1f} % of a core",
        "one core",
        used / SECONDS,
        0.15,
    )


def measure() -> list[Row]:
    """Measure both."""
    with tempfile.TemporaryDirectory() as name:
        service = Service(Settings(home=Path(name)), dispatch=False)
        try:
            return [events(_new_run(service)), viewers(service, _new_run(service))]
        finally:
            service.close()
