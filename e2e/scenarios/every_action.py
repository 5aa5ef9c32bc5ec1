"""What functions seldom do: people in no account that the policy names, invitations that are accepted, a step too early,
an answer that does not come, messages that are none. Each of them needs an action that nothing else needs.
"""

import time

from stage import TEAM, check, client, event, hook, local, messages, outcome, play, put, record, rest, send, state, until, user

JOB = [{"field": "job_code", "before": None, "after": "OPS-1", "valueKnown": True}]
ACTIONS = {
    "suspend-user": ("termination", {}),
    "reinstate-user": ("rehire", {}),
    "invite-user": ("hire", {}),
    "relicense-user": ("job_change", {"changes": JOB}),
    "logout-user": ("credential_compromise", {"phase": "detected"}),
}


def one(function, event_id, person, **more):
    kind, members = ACTIONS[function]
    return event(event_id, kind, person, **{**members, **more})


def invited():
    """Two people are invited, and one accepts only after a while."""
    put([one("invite-user", f"hired-{person}", person, team=True, occurred=50, effective=48) for person in (901, 902)])
    rest("invite-user", ["hired-901", "hired-902"])
    check("two people are invited", [("applied", "invited")] * 2, [outcome("invite-user", f"hired-{it}") for it in (901, 902)])
    # Looked up, they are remembered: without a licence, which nobody has before registering.
    put([one("invite-user", f"hired-again-{it}", it, team=True, occurred=49, effective=48) for it in (901, 902)])
    rest("invite-user", ["hired-again-901", "hired-again-902"])
    # By now the user's id is known, and asked for by it.
    put([one("relicense-user", "moved-before", 901, team=True)])
    rest("relicense-user", ["moved-before"])
    again = [outcome("invite-user", f"hired-again-{it}") for it in (901, 902)]
    check("each is invited once", [("unchanged", "already_invited")] * 2, again)
    for person in (901, 902):
        hook("POST", "accept", {"account": TEAM, "user": user(person, True)["UserId"]})
    check("the licence after accepting is the account's", "Pro", user(901, True)["LicenseType"])
    put([one("invite-user", "hired-third", 901, team=True, occurred=48.5, effective=48)])
    rest("invite-user", ["hired-third"])
    now = (outcome("invite-user", "hired-third"), user(901, True)["LicenseType"])
    check("then the policy's", (("applied", "licence_set"), "Basic"), now)
    # A start and an end of one day are a new contract; so this one began two days ago.
    put([one("suspend-user", "left-at-once", 902, team=True, effective=0.5)])
    rest("suspend-user", ["left-at-once"])
    check("who leaves again is removed", ("applied", "removed_from_team"), outcome("suspend-user", "left-at-once"))


def nowhere():
    """The policy names no account for these addresses: the directory is asked for one."""
    for number, function in enumerate(ACTIONS):
        kind, detail = one(function, f"nowhere-{function}", 950 + number)
        detail["subject"]["email"] = f"zq-{950 + number}@nowhere.canary.example"
        put([(kind, detail)])
    got = {}
    for function in ACTIONS:
        rest(function, [f"nowhere-{function}"])
        got[function] = state(function, f"nowhere-{function}")
    known = {"suspend-user": "unchanged", "logout-user": "unchanged", "relicense-user": "unchanged"}
    check("people in no account lose nothing", known, {name: got[name] for name in known})


def too_early():
    """It bites in a few seconds: it waits in the queue."""
    functions = [name for name in ACTIONS if name != "logout-user"]
    for number, function in enumerate(functions):
        put([one(function, f"early-{function}", 340 + number, effective=-5 / 3600)])
    # A compromise never waits; here Chime asks for fewer requests.
    hook("POST", "faults", {"operation": "LogoutUser", "kind": "throttle", "times": 4})
    put([one("logout-user", "throttled", 349)])
    for function in functions:
        rest(function, [f"early-{function}"])
    rest("logout-user", ["throttled"])
    check("what bites in five seconds is done then", ("applied", "suspended"), outcome("suspend-user", "early-suspend-user"))
    check("the throttled one is signed out in the end", ("applied", "signed_out"), outcome("logout-user", "throttled"))


def no_clock():
    """The schedules' group is gone: the announcement waits until it is there again."""
    group = {"Name": "rollcall-due"}
    client("scheduler").delete_schedule_group(**group)
    put([event("no-clock", "leave", 350, phase="scheduled", effective=-90 * 24)])
    until("it is begun", 60, lambda: record("hr-intake", "no-clock"))
    time.sleep(2)
    url = local["queues"]["hr-intake"]["url"]
    check("an announcement that cannot be scheduled stays in the queue", 1, messages(url))
    client("scheduler").create_schedule_group(**group)
    rest("hr-intake", ["no-clock"])
    found = client("scheduler").list_schedules(GroupName="rollcall-due")["Schedules"]
    check("and is scheduled once it can be", 1, len(found))


def no_messages():
    """What is no JSON at all is parked, by every function."""
    parked = {}
    for name, queue in local["queues"].items():
        before = messages(queue["dlqUrl"])
        send(name, "{ no JSON at all, from every action")
        until(f"{name} has parked it", 60, lambda: messages(queue["dlqUrl"]) > before)
        parked[name] = messages(queue["dlqUrl"]) - before
    check("what is no JSON is parked once, by each function", {name: 1 for name in local["queues"]}, parked)


def main():
    invited()
    nowhere()
    too_early()
    no_clock()
    no_messages()


play(main)
