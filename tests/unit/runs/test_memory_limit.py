"""The memory limit of a training: it ends what exceeds it, and says why."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from autotrain_gradio.core import memory
from autotrain_gradio.core.text_format import GIB, MIB
from autotrain_gradio.runs import memory_limit

WORKER = """
import os, sys, time
from pathlib import Path
from autotrain_gradio.runs import memory_limit
folder = Path(sys.argv[1])
memory_limit.enforce(folder, 2, int(sys.argv[2]), in_kernel="kernel" in sys.argv, launched="launched" in sys.argv)
(folder / "pid").write_text(str(os.getpid()))
"""


def run(folder: Path, limit: int, more: str, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", WORKER + more, str(folder), str(limit), *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=60)


def test_a_process_over_the_limit_is_ended_with_its_children_and_a_reason(tmp_path: Path) -> None:
    more = f"""
import subprocess
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
(folder / "child").write_text(str(child.pid))
held = bytearray(b"x") * {300 * MIB}
time.sleep(60)
"""
    done = run(tmp_path, 250 * MIB, more)
    assert done.returncode == -signal.SIGKILL
    child = int((tmp_path / "child").read_text())
    end = time.monotonic() + 5
    while psutil.pid_exists(child) and psutil.Process(child).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < end
        time.sleep(0.05)
    found = memory_limit.exceeded(tmp_path, 2)
    assert found and "may use 250.0 MiB" in found["reason"] and "AUTOTRAIN_GRADIO_TRAINING_MEMORY" in found["hint"]
    assert found["reason"] in done.stderr
    assert memory_limit.exceeded(tmp_path, 3) is None and memory_limit.exceeded(tmp_path / "none", 2) is None


def test_a_process_below_the_limit_goes_on(tmp_path: Path) -> None:
    done = run(tmp_path, GIB, f"held = bytearray(b'x') * {100 * MIB}\ntime.sleep(1.5)\nprint('done')")
    assert done.returncode == 0 and done.stdout == "done\n"


def test_memory_of_mapped_files_and_shared_pages_counts_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(os.urandom(1) * (200 * MIB))
    more = """
import mmap
with open(folder / "file", "rb") as file:
    mapped = mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ)
    sum(mapped[k] for k in range(0, len(mapped), 4096))
held = bytearray(b"x") * (120 * 2**20)
children = [os.fork() for _ in range(2)]
time.sleep(2)
print("done")
os._exit(0)
"""
    done = run(tmp_path, 260 * MIB, more)
    assert done.returncode == 0, done.stderr


@pytest.mark.skipif(sys.platform != "linux", reason="RLIMIT_DATA")
def test_the_kernel_refuses_an_allocation_and_the_message_names_limit_and_need(tmp_path: Path) -> None:
    more = f"""
import numpy
try:
    numpy.ones({40 * GIB}, dtype="uint8")
except MemoryError as error:
    from autotrain_gradio.runs.failure import findings_of
    print(findings_of(error, folder)[0])
"""
    done = run(tmp_path, GIB, more, "kernel")
    assert "The training may use 1.0 GiB of memory here" in done.stdout and "needed 40.0 GiB more" in done.stdout
    assert "smaller batch size" in done.stdout and "AUTOTRAIN_GRADIO_TRAINING_MEMORY" in done.stdout
    assert memory_limit.describe(MemoryError()) == ""  # this process has no limit


@pytest.mark.parametrize(
    ("text", "needed"),
    [
        (
            "DefaultCPUAllocator: can't allocate memory: you tried to allocate 4000000000 bytes. Error code 12",
            "3.7 GiB",
        ),
        ("Unable to allocate 7.45 GiB for an array with shape (1000000000,)", "7.45 GiB"),
        ("malloc of size 268435456 failed", "256.0 MiB"),
    ],
)
def test_what_was_needed_is_read_from_the_error(text: str, needed: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory_limit, "_kernel_limit", lambda: 2 * GIB)
    assert f"needed {needed} more" in memory_limit.describe(RuntimeError(text))


@pytest.mark.parametrize(("words", "ends"), [(["launched"], True), ([], False)])
def test_a_training_process_ends_with_its_launcher_and_not_with_the_app(
    tmp_path: Path, words: list[str], ends: bool
) -> None:
    command = [sys.executable, "-c", WORKER + "time.sleep(60)", str(tmp_path), str(GIB), *words]
    code = f"import subprocess, time; subprocess.Popen({command!r}); time.sleep(60)"
    parent = subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.DEVNULL)
    end = time.monotonic() + 20
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < end
        time.sleep(0.05)
    worker = psutil.Process(int((tmp_path / "pid").read_text()))
    supervisors = worker.children()
    parent.kill()
    parent.wait()
    gone, alive = psutil.wait_procs([worker], timeout=5 if ends else 2)
    assert bool(gone) == ends or (not ends and alive)
    for process in [*alive, *supervisors]:
        if process.is_running():
            process.kill()


def test_the_limit_is_a_share_of_the_memory_or_a_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "total_memory", lambda: 16 * GIB)
    assert memory_limit.limit_of(0.5) == 8 * GIB and memory_limit.limit_of(0.5, processes=2) == 4 * GIB
    assert memory_limit.limit_of(0.5, share=0.25) == 2 * GIB and memory_limit.limit_of(3.0 * GIB, share=0.25) == 3 * GIB
    assert memory_limit.limit_of(3.0 * GIB) == 3 * GIB and memory_limit.limit_of(64.0 * GIB) == 16 * GIB


def test_the_memory_of_a_container_is_its_limit(tmp_path: Path) -> None:
    groups, own = tmp_path / "cgroup", tmp_path / "own"
    own.write_text("0::/app/one\n")
    (groups / "app" / "one").mkdir(parents=True)
    total = memory.total_memory(groups, own)
    assert total == psutil.virtual_memory().total
    (groups / "app" / "one" / "memory.max").write_text("max\n")
    (groups / "app" / "memory.max").write_text(f"{GIB}\n")
    assert memory.total_memory(groups, own) == GIB
    (groups / "memory").mkdir()
    (groups / "memory" / "memory.limit_in_bytes").write_text(f"{GIB // 2}\n")
    assert memory.total_memory(groups, tmp_path / "none") == GIB // 2
