"""A function's process dies while Chime works on its batch: each event is applied by another attempt, and none is lost."""

import os
import signal
import subprocess

from stage import calls, check, event, hook, local, messages, play, put, rest, short_lived, states, status, until

FUNCTION = "suspend-user"
SECONDS = 240
IDS = [f"crashed-{number}" for number in range(6)]


def processes():
    """The processes of the function in the local AWS's group."""
    listed = subprocess.run(["ps", "-eo", "pid,pgid,args"], capture_output=True, text=True, check=True).stdout
    group = str(local["processGroup"])
    found = []
    for line in listed.splitlines()[1:]:
        pid, of, _ = line.split(None, 2)
        if of != group:
            continue
        try:
            with open(f"/proc/{pid}/environ", "rb") as file:
                names = file.read().split(b"\0")
        except OSError:
            continue
        if f"AWS_LAMBDA_FUNCTION_NAME=rollcall-{FUNCTION}".encode() in names:
            found.append(int(pid))
    return found


def main():
    with short_lived(FUNCTION):
        crash()


def crash():
    before = len(calls("BatchSuspendUser"))
    hook("POST", "faults", {"operation": "BatchSuspendUser", "kind": {"slow": {"millis": 8000}}, "times": 1})
    put([event(event_id, "termination", 230 + number) for number, event_id in enumerate(IDS)])
    until("Chime is at work", 60, lambda: len(calls("BatchSuspendUser")) > before)
    killed = processes()
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    check("the function's process was killed while Chime worked", True, len(killed) > 0)
    items = rest(FUNCTION, IDS, SECONDS)
    check("every event of its batch is applied, by another attempt", {"applied": len(IDS)}, states(items))
    check("in a second attempt at least one", True, any(int(it["attempt"]["N"]) > 1 for it in items.values()))
    check("everybody is suspended", ["Suspended"] * len(IDS), [status(230 + number) for number in range(len(IDS))])
    check("and nothing was parked", 0, messages(local["queues"][FUNCTION]["dlqUrl"]))


play(main)
