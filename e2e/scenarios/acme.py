"""The demo's company as its HR has it."""

from datetime import datetime, timedelta, timezone

from stage import client, local, until

ACME = "34eea043-68a7-5040-af38-83c7df5f7952"
CONTRACTORS = "8a26af1c-aeb6-5b2c-b382-c8e47c5eede6"


def day(ago):
    return (datetime.now(timezone.utc) - timedelta(days=ago)).date().isoformat()


# Who is what in HR. Gus and Hal are in no row; Zoe has no user.
PEOPLE = [
    ("00417", "ada@acme.example", "active", day(2000), "", "ENG-1"),
    ("00418", "ben@acme.example", "active", day(2000), "", "OPS-1"),
    ("00419", "cleo@acme.example", "on_leave", day(2000), "", "OPS-1"),
    ("00420", "dan@acme.example", "terminated", day(2000), day(40), "ENG-2"),
    ("00421", "eve@acme.example", "active", day(2000), "", "MGR-1"),
    ("00422", "kim@acme.example", "active", day(10), "", "OPS-1"),
    ("00423", "ole@acme.example", "terminated", day(2000), day(40), "OPS-1"),
    ("00424", "zoe@acme.example", "active", day(2000), "", "ENG-1"),
    ("00425", "finn@contractors.acme.example", "active", day(2000), "", "OPS-1"),
    ("00426", "ivy@works.acme.example", "active", day(2000), "", "OPS-1"),
    ("00427", "lou@works.acme.example", "active", day(2000), "", "ENG-1"),
    ("00428", "jo@labs.acme.example", "active", day(2000), "", "ENG-1"),
    ("00429", "mia@labs.acme.example", "active", day(2000), "", "ENG-1"),
]
HEADER = "worker_id,email,status,start_date,end_date,job_code,time_zone"


def in_force():
    key = {"id": {"S": "current"}}
    return client("dynamodb").get_item(TableName=local["rosterTable"], Key=key, ConsistentRead=True).get("Item")


def drop(people, version):
    """Drops a roster, and waits until it is in force in the place of the one with this version."""
    rows = "\n".join([HEADER, *(",".join((*person, "UTC")) for person in people)]) + "\n"
    client("s3").put_object(Bucket=local["bucket"], Key="roster/people.csv", Body=rows.encode())

    def another():
        item = in_force()
        return item if item and item["version"]["S"] != version else None

    return until("the roster in force", 60, another)


def user(account, address):
    found = client("chime").list_users(AccountId=account, UserEmail=address)["Users"]
    return found[0] if found else None
