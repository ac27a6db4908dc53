"""What a killed export left beside its place."""

import signal
import sys
from pathlib import Path

from processes import running, wait_until

from sr.ops.staged import staged

EXPORT = """
import sys, threading
from pathlib import Path
from sr.ops.staged import staged
with staged(Path(sys.argv[1])) as folder:
    (folder / "half.pth").touch()
    threading.Event().wait()
"""


def test_what_a_killed_export_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    with running([sys.executable, "-c", EXPORT, str(tmp_path / "net.pth")]) as process:
        wait_until(lambda: bool(list(tmp_path.rglob("half.pth"))), process)
        with staged(tmp_path / "other.pth") as folder:
            (folder / "other.pth").touch()
        assert list(tmp_path.rglob("half.pth"))
        process.send_signal(signal.SIGKILL)
        process.wait()
    with staged(tmp_path / "net.pth") as folder:
        (folder / "net.pth").touch()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["net.pth", "other.pth"]
