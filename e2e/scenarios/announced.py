"""What was announced comes true: Scheduler wakes it, and the sweep that finds the rest measures how things stand."""

import json
import os
import time

import announcing
from stage import check, client, ledger, local, messages, play, record, send, state, status, until

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


def suspended(people):
    """Which of these people lost access by suspend-user, once for each event that it applied."""
    mine = [it for it in ledger() if it["id"]["S"].startswith("suspend-user#") and it["state"]["S"] == "applied"]
    return [person for person in (it["person"]["S"] for it in mine) if person in people]


def main():
    if not os.path.exists(announcing.PATH):
        announcing.main()
    with open(announcing.PATH, encoding="utf-8") as file:
        due = json.load(file)
    left = max(0, due - time.time()) + LATE
    for person, event_id, what in [(81, "comes-true", "an announced leaver"), (82, "moved", "one whose day was moved")]:
        until(f"{what} is suspended", left, lambda: status(person) == "Suspended")
        until("its record ends", 60, lambda: state("hr-intake", event_id) == "applied")
        check(f"{what} is suspended when Scheduler wakes it", "Suspended", status(person))
    check("one whose end was taken back is as before", "Registered", status(83))
    check("one whose schedule is lost is woken by nobody", "Registered", status(84))
    swept()
    until("whom no schedule woke is suspended", 60, lambda: status(84) == "Suspended")
    check("the sweep finds whom no schedule woke", "Suspended", status(84))
    check("and leaves alone whose end was taken back", "Registered", status(83))
    people = [record("hr-intake", event_id)["person"]["S"] for event_id in ("comes-true", "moved", "unwoken")]
    # Chime knows it before the record is settled.
    until("their outcomes", 60, lambda: len(suspended(people)) >= len(people))
    check("each was published once", sorted(people), sorted(suspended(people)))


play(main)
