"""The first records that a process reads are read in several threads at once."""

from __future__ import annotations

import subprocess
import sys

_READ = """
import sys, threading
from fleetmgr.engine.record import Record, read_record, record_data
body = record_data(Record(revision="r", objects={"a": "b"}))
begin = threading.Barrier(8)
sys.setswitchinterval(1e-6)
def read():
    begin.wait()
    assert read_record(body).revision == "r"
threads = [threading.Thread(target=read) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
"""


def test_no_first_use_of_a_type_is_shared_by_threads() -> None:
    """msgspec 0.22 crashes where a type is used first by two threads; tried in several fresh processes."""
    for _ in range(5):
        done = subprocess.run([sys.executable, "-c", _READ], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
