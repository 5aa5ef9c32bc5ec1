"""The roster says who left, and no stream of events did: the pass finds them, and nobody else."""

import json
from datetime import datetime, timedelta, timezone

from acme import ACME, PEOPLE, day, drop, in_force, user
from stage import astray, check, client, ledger, play, until


def passes():
    """The schedule of the template invokes the function: its target, fired once and soon."""
    scheduler = client("scheduler")
    schedules = [
        scheduler.get_schedule(Name=it["Name"], GroupName=it["GroupName"]) for it in scheduler.list_schedules()["Schedules"]
    ]
    [daily] = [it for it in schedules if it["Target"]["Arn"].endswith("hr-reconcile")]
    check("the pass is scheduled", "cron(30 4 * * ? *)", daily["ScheduleExpression"])
    soon = (datetime.now(timezone.utc) + timedelta(seconds=3)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    target = {key: daily["Target"][key] for key in ("Arn", "RoleArn", "Input")}
    scheduler.create_schedule(Name="pass-once", ScheduleExpression=soon, FlexibleTimeWindow={"Mode": "OFF"}, Target=target)


def status(name):
    return user(ACME, f"{name}@acme.example")["UserRegistrationStatus"]


def roster(**changed):
    """The company's roster, with some people as they are now: (status, end date)."""
    rows = []
    for number, address, state, start, end, job in PEOPLE:
        name = address.split("@")[0]
        state, end = changed.get(name, (state, end))
        rows.append((number, address, state, start, end, job))
    known = in_force()
    drop(rows, known["version"]["S"] if known else None)


def main():
    before = {name: status(name) for name in ("ada", "cleo", "eve")}
    roster(kim=("terminated", day(3)))
    check("Kim works there, by all that was heard", "Registered", status("kim"))
    passes()
    until("Kim is suspended", 90, lambda: status("kim") == "Suspended")
    asked = [it["state"]["S"] for it in ledger() if it["id"]["S"].startswith("suspend-user#") and it.get("person")]
    check("who left by the roster is suspended, by an event of the pass", "Suspended", status("kim"))
    check("every event went the whole road", {"applied"}, set(asked))
    check("nobody else lost anything", before, {name: status(name) for name in before})
    # A newer roster has Kim again. A roster alone gives nobody back what an end took: HR must rescind it.
    roster()
    answer = client("lambda").invoke(FunctionName="rollcall-hr-reconcile", Payload=b"{}")
    summary = json.loads(answer["Payload"].read())
    numbers = {name: summary[name] for name in ("outcome", "missed", "restored", "contradicted", "unreached")}
    expected = {"outcome": "done", "missed": 0, "restored": 0, "contradicted": 1, "unreached": 0}
    check("a newer roster that contradicts the end is told, and changes nothing", expected, numbers)
    check("Kim stays suspended", "Suspended", status("kim"))
    check("nothing went astray", 0, astray())


play(main)
