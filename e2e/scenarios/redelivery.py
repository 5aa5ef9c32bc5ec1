"""The same event again: from the bus, as the same message, and folded into one batch."""

from stage import calls, check, enveloped, event, messages, local, outcome, play, put, record, rest, send, status, until

PERSON = 11
EVENT = "redelivered"


def main():
    left = event(EVENT, "termination", PERSON)
    put([left, left, left])
    rest("suspend-user", [EVENT])
    check("an event that comes three times at once is applied once", ("applied", "suspended"), outcome("suspend-user", EVENT))
    before = record("suspend-user", EVENT)
    asked = calls("BatchSuspendUser")
    put([left, left])
    for _ in range(3):
        send("suspend-user", enveloped(*left))
    until("the copies are done", 60, lambda: not messages(local["queues"]["suspend-user"]["url"]))
    check("five copies later its record is the same, to the byte", before, record("suspend-user", EVENT))
    check("and Chime was asked for nothing more", asked, calls("BatchSuspendUser"))
    check("and nobody was parked", 0, messages(local["queues"]["suspend-user"]["dlqUrl"]))
    check("the person is suspended", "Suspended", status(PERSON))


play(main)
