"""Changes are announced, corrected and taken back, and a schedule is lost. Nothing happens yet: `announced` sees what becomes
of them.

Scheduler has nothing to do with what is due within two minutes, so that it takes longer: other scenarios play meanwhile.
"""

import json
import os
import time

from stage import check, client, event, local, play, put, rest, status, wake_ups

IN_SECONDS = 150
LATER = 90 * 86400
PATH = os.path.join(local["folder"], "announced.json")


def expressions():
    return sorted(it["ScheduleExpression"] for it in wake_ups())


def announce(event_id, person, seconds, **more):
    kind, detail = event(event_id, "termination", person, phase="scheduled", effective=-seconds / 3600, **more)
    put([(kind, detail)])
    return f"at({detail['effective']['at'].removesuffix('Z')})"


def main():
    lost, soon = announce("unwoken", 84, IN_SECONDS), announce("comes-true", 81, IN_SECONDS)
    later = [announce("is-moved", 82, LATER, factId="move"), announce("is-rescinded", 83, LATER)]
    rest("hr-intake", ["unwoken", "comes-true", "is-moved", "is-rescinded"])
    check("four announcements have four schedules, at their times", sorted([lost, soon, *later]), expressions())
    [schedule] = wake_ups("unwoken")
    client("scheduler").delete_schedule(Name=schedule["Name"], GroupName=schedule["GroupName"])
    moved = announce("moved", 82, IN_SECONDS, occurred=1, factId="move")
    rest("hr-intake", ["moved"])
    check("a correction moves its schedule", sorted([soon, moved, later[1]]), expressions())
    put([event("rescinded", "termination", 83, phase="rescinded", effective=-LATER / 3600, occurred=1)])
    rest("reinstate-user", ["rescinded"])
    check("before its time nothing has happened", ["Registered"] * 4, [status(person) for person in (81, 82, 83, 84)])
    with open(PATH, "w", encoding="utf-8") as file:
        json.dump(time.time() + IN_SECONDS, file)


if __name__ == "__main__":
    play(main)
