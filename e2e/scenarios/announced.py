"""Announced changes: Scheduler wakes them, a correction moves them, a rescission stops them, the sweep finds the rest."""

import json

from stage import check, client, event, local, messages, operator, play, put, record, rest, send, state, status, until

IN_SECONDS = 25


def schedules():
    found = client("scheduler").list_schedules().get("Schedules", [])
    return [it for it in found if it["GroupName"].endswith("-due")]


def announce(event_id, person, seconds, kind="termination", **more):
    put([event(event_id, kind, person, phase="scheduled", effective=-seconds / 3600, **more)])


def main():
    announce("comes-true", 81, IN_SECONDS)
    announce("is-moved", 82, 90 * 86400, factId="move")
    announce("is-rescinded", 83, 90 * 86400)
    rest("hr-intake", ["comes-true", "is-moved", "is-rescinded"])
    check("three announcements, three schedules", 3, len(schedules()))
    check("and nobody has lost anything", ["Registered"] * 3, [status(person) for person in (81, 82, 83)])
    announce("moved", 82, IN_SECONDS, occurred=1, factId="move")
    put([event("rescinded", "termination", 83, phase="rescinded", effective=-90 * 24, occurred=1)])
    rest("hr-intake", ["moved"])
    rest("reinstate-user", ["rescinded"])
    until("the first leaver is suspended", 120, lambda: status(81) == "Suspended")
    check("Scheduler woke it: the leaver is suspended", "applied", until("its record", 60, lambda: state("hr-intake", "comes-true")))
    until("the moved leaver is suspended", 120, lambda: status(82) == "Suspended")
    check("a correction moved the second one's schedule", "Suspended", status(82))
    check("the third was rescinded, and is as before", "Registered", status(83))
    # What the template's own schedule sends each quarter of an hour.
    [sweep] = [it for it in client("scheduler").list_schedules()["Schedules"] if it["Name"] == "Sweep" or "Sweep" in it["Name"]]
    wanted = client("scheduler").get_schedule(Name=sweep["Name"], GroupName=sweep["GroupName"])["Target"]["Input"]
    send("hr-intake", wanted)
    until("the sweep is done", 60, lambda: not messages(local["queues"]["hr-intake"]["url"]))
    with open(local["log"], encoding="utf-8") as file:
        swept = [line for line in file if '"HeldOldest' in line or "BrakeLatched" in line or '"Held' in line and "hr-intake" in line]
    check("the sweep measured how things stand", True, bool(swept))


play(main)
