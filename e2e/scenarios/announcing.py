"""Changes are announced, corrected and taken back; nothing happens yet. `announced` sees what becomes of them.

Scheduler has nothing to do with what is due within two minutes, so that it takes longer: other scenarios play meanwhile.
"""

import json
import os
import time

from stage import check, client, event, local, play, put, rest, status

IN_SECONDS = 150
LATER = 90 * 86400
PATH = os.path.join(local["folder"], "announced.json")


def schedules():
    return client("scheduler").list_schedules(GroupName="rollcall-due").get("Schedules", [])


def expressions():
    found = [client("scheduler").get_schedule(Name=it["Name"], GroupName="rollcall-due") for it in schedules()]
    return sorted(it["ScheduleExpression"] for it in found)


def announce(event_id, person, seconds, **more):
    kind, detail = event(event_id, "termination", person, phase="scheduled", effective=-seconds / 3600, **more)
    put([(kind, detail)])
    return f"at({detail['effective']['at'].removesuffix('Z')})"


def main():
    soon = announce("comes-true", 81, IN_SECONDS)
    later = [announce("is-moved", 82, LATER, factId="move"), announce("is-rescinded", 83, LATER)]
    rest("hr-intake", ["comes-true", "is-moved", "is-rescinded"])
    check("three announcements have three schedules, at their times", sorted([soon, *later]), expressions())
    moved = announce("moved", 82, IN_SECONDS, occurred=1, factId="move")
    rest("hr-intake", ["moved"])
    check("a correction moves its schedule", sorted([soon, moved, later[1]]), expressions())
    put([event("rescinded", "termination", 83, phase="rescinded", effective=-LATER / 3600, occurred=1)])
    rest("reinstate-user", ["rescinded"])
    check("nobody has lost anything", ["Registered"] * 3, [status(person) for person in (81, 82, 83)])
    with open(PATH, "w", encoding="utf-8") as file:
        json.dump(time.time() + IN_SECONDS, file)


if __name__ == "__main__":
    play(main)
