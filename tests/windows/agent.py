"""A stand-in for the agent: locks, says so, and is killed. `python agent.py FOLDER PID WINDOW`"""

import sys
import time
from pathlib import Path

from secureproctor.contract.lockdown import LockdownSettings
from secureproctor.lockdown.guard import Guard
from secureproctor.lockdown.rule import Exam, Terms
from secureproctor.lockdown.windows.place import open_place

if __name__ == "__main__":
    folder, pid, window = sys.argv[1:]
    guard = Guard(open_place, Path(folder), lambda _: None)
    settings = LockdownSettings(required=("task_manager", "keys", "focus", "power"), programs="observe")
    for status in guard.lock(Terms(Exam(int(pid), int(window)), settings)):
        sys.stdout.write(f"{status.rule} {status.holds}\n")
    sys.stdout.write("locked\n")
    sys.stdout.flush()
    if sys.stdin.readline():
        guard.close()
    else:
        time.sleep(3600)
