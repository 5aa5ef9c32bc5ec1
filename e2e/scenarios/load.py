"""10,000 events while Chime throttles, fails, refuses some of a batch and loses answers: none lost, none doubled.

An answer of InviteUsers is never lost here: what then becomes of a mail is read back after a quarter of an hour.
"""

import json
import re
import time

from stage import TEAM, calls, check, event, hook, ledger, local, messages, play, put, until

LEAVERS, HIRES, BACK, LEAKED = 8500, 500, 500, 500
FIRST_HIRE = 20_000
SECONDS = 1200

# How many calls of a thousand each strikes.
FAULTS = [
    ("BatchSuspendUser", "throttle", 30),
    ("BatchSuspendUser", "service_failure", 20),
    ("BatchSuspendUser", "service_unavailable", 20),
    ("BatchSuspendUser", "lost_answer", 20),
    ("BatchSuspendUser", "cut_before", 20),
    ("BatchSuspendUser", {"user_errors": {"code": "ServiceFailure", "every": 4}}, 30),
    ("BatchSuspendUser", "throttle_users", 20),
    ("BatchUnsuspendUser", "throttle", 30),
    ("BatchUnsuspendUser", "lost_answer", 30),
    ("LogoutUser", "service_failure", 30),
    ("LogoutUser", "lost_answer", 30),
    ("InviteUsers", "throttle", 50),
    ("ListUsers", "throttle", 20),
    ("ListUsers", "service_unavailable", 20),
]
UUID = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
DONE = {"applied", "unchanged", "superseded"}


def drained(seconds):
    urls = [queue["url"] for queue in local["queues"].values()]

    def empty():
        time.sleep(2)
        return sum(messages(url) for url in urls) == 0

    until("the queues are empty", seconds, empty)


def main():
    for number, (operation, kind, per_mille) in enumerate(FAULTS):
        hook("POST", "chances", {"operation": operation, "kind": kind, "perMille": per_mille, "seed": 1000 + number})
    leavers = [event(f"load-left-{n}", "termination", n + 1) for n in range(LEAVERS)]
    hires = [event(f"load-hired-{n}", "hire", FIRST_HIRE + n, team=True) for n in range(HIRES)]
    leaked = [
        event(f"load-leaked-{n}", "credential_compromise", LEAVERS + 1 + n, phase="detected") for n in range(LEAKED)
    ]
    # Some of the leavers are hired again, said and effective after their end; whichever comes first must not matter.
    back = [event(f"load-back-{n}", "rehire", n + 1, occurred=0.5, effective=0.4) for n in range(BACK)]
    mixed = [it for group in zip(*[iter(leavers)] * 17) for it in group]
    every = []
    others = [it for trio in zip(hires, leaked, back) for it in trio]
    for at in range(0, LEAVERS, 17):
        every += mixed[at : at + 17] + others[at // 17 * 3 : at // 17 * 3 + 3]
    began = time.monotonic()
    put(every)
    drained(SECONDS)
    seconds = time.monotonic() - began
    records = {}
    hired = []
    for item in ledger():
        function, _, event_id = item["id"]["S"].partition("#")
        if event_id.startswith("load-hired-"):
            hired.append(json.dumps(item, default=str))
        if event_id.startswith("load-"):
            records.setdefault(event_id, []).append((function, item["state"]["S"]))
    total = LEAVERS + HIRES + BACK + LEAKED
    check("10,000 events were put", 10_000, len(every))
    check("none is lost: each has a record", total, len(records))
    check("none is doubled: each has one", 0, sum(len(it) != 1 for it in records.values()))
    kinds = {}
    for found in records.values():
        kinds[found[0][1]] = kinds.get(found[0][1], 0) + 1
    check(f"each ended: {json.dumps(kinds)}, in {seconds:.0f} s", set(), set(kinds) - DONE)
    accounts = {it["AccountId"]: it["users"] for it in hook("GET", "state")["accounts"]}
    lwa = {it["PrimaryEmail"]: it["UserRegistrationStatus"] for it in accounts[local["lwa"]]}
    expected = {f"zq-{n}@canary.example": "Registered" for n in range(len(lwa))}
    expected |= {f"zq-{n}@canary.example": "Suspended" for n in range(BACK + 1, LEAVERS + 1)}
    check("everybody stands as the events say", 0, sum(lwa.get(name) != it for name, it in expected.items()))
    invited = {it["PrimaryEmail"]: it["Mails"] for it in accounts[TEAM] if it["UserRegistrationStatus"] == "Unregistered"}
    check(f"{HIRES} people are invited", HIRES, len(invited))
    check("each got one mail", {1}, set(invited.values()))
    # Each request that a record remembers, and that took effect in Chime.
    took_effect = {it["requestId"] for it in calls("InviteUsers")}
    mails = [len(took_effect & set(UUID.findall(told))) for told in hired]
    check("each by one request that took effect", [1] * HIRES, mails)
    sessions = {it["PrimaryEmail"]: it["Sessions"] for it in accounts[local["lwa"]]}
    check("who was compromised is signed out", 0, sum(sessions[f"zq-{LEAVERS + 1 + n}@canary.example"] for n in range(LEAKED)))
    struck = hook("GET", "counters")["counters"]
    refused, cut, users = (sum(it[name] for it in struck.values()) for name in ("refused", "cut", "userErrors"))
    check(f"Chime refused {refused} calls, cut {cut}, and refused {users} users in a batch", True, min(refused, cut, users) > 0)
    check("nothing was parked", 0, sum(messages(it["dlqUrl"]) for it in local["queues"].values()))


play(main)
