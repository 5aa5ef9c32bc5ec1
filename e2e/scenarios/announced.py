"""What was announced comes true: Scheduler wakes it, and the sweep that finds the rest measures how things stand."""

import json
import os
import time

import announcing
from stage import check, client, ledger, local, messages, play, send, state, status, until

# The local Scheduler looks each ten seconds.
LATE = 60


def swept():
    """What the template's own schedule sends each quarter of an hour."""
    scheduler = client("scheduler")
    places = [{"Name": it["Name"], "GroupName": it["GroupName"]} for it in scheduler.list_schedules()["Schedules"]]
    schedules = [scheduler.get_schedule(**place) for place in places]
    [sweep] = [it for it in schedules if it["ScheduleExpression"] == "rate(15 minutes)"]
    send("hr-intake", sweep["Target"]["Input"])
    until("the sweep is done", 60, lambda: not messages(local["queues"]["hr-intake"]["url"]))


def main():
    if not os.path.exists(announcing.PATH):
        announcing.main()
    with open(announcing.PATH, encoding="utf-8") as file:
        due = json.load(file)
    early = [status(person) for person in (81, 82)] if time.time() < due - 1 else ["Registered"] * 2
    check("before its time nothing has happened", ["Registered"] * 2, early)
    left = max(0, due - time.time()) + LATE
    for person, event_id, what in [(81, "comes-true", "an announced leaver"), (82, "moved", "one whose day was moved")]:
        until(f"{what} is suspended", left, lambda: status(person) == "Suspended")
        until("its record ends", 60, lambda: state("hr-intake", event_id) == "applied")
        check(f"{what} is suspended when Scheduler wakes it", "Suspended", status(person))
    check("one whose end was taken back is as before", "Registered", status(83))
    applied = [it["id"]["S"] for it in ledger() if it["id"]["S"].startswith("suspend-user#") and it["state"]["S"] == "applied"]
    check("each was published under an id of its own, once", len(applied), len(set(applied)))
    swept()
    check("the sweep published nothing more", "Registered", status(83))


play(main)
