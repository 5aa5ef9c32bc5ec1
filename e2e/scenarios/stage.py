"""What the scenarios share: clients of one stack, events, and waits that end.

Argument: the stack's description as JSON. A scenario prints lines of {"asserted": ...} and {"unexpected": ...}.
"""

import functools
import json
import sys
import time
import urllib.request
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone

import boto3
from botocore.config import Config

local = json.loads(sys.argv[1])
LWA, TEAM = local["lwa"], local["team"]
REST_SECONDS = 120
# A batch is begun with time for four calls of ten seconds left, and five to spare.
SHORT_SECONDS = 50
UNDER_WAY = ("running", "retry")

session = boto3.Session(
    aws_access_key_id=local["accessKeyId"],
    aws_secret_access_key=local["secretAccessKey"],
    region_name=local["region"],
)


@functools.cache
def client(service):
    endpoint = local["chime"] if service == "chime" else local["endpoint"]
    return session.client(service, endpoint_url=endpoint, config=Config(retries={"max_attempts": 5}))


def check(what, expected, got):
    """What must be, and whether it is."""
    if expected == got:
        print(json.dumps({"asserted": what}), flush=True)
    else:
        print(json.dumps({"unexpected": f"{what}: {got!r}, expected {expected!r}"}), flush=True)


class Late(Exception):
    """Something did not come to be in time."""


def until(what, seconds, found):
    """Asks until there is an answer."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        answer = found()
        if answer:
            return answer
        time.sleep(0.2)
    raise Late(f"{what}: not within {seconds} s")


def instant(hours_ago):
    return (datetime.now(timezone.utc) - timedelta(hours=hours_ago)).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def email(person, team=False):
    return f"zq-{person}@{'team.' if team else ''}canary.example"


def event(event_id, kind, person, phase="effective", occurred=2, effective=1, team=False, **more):
    """An event about a person of the company, by hours ago; answers its detail-type and detail."""
    at = instant(effective)
    if phase == "scheduled":
        at = instant(effective).split(".")[0] + "Z"
    detail = {
        "schemaVersion": "1.0",
        "eventId": event_id,
        "kind": kind,
        "phase": phase,
        "occurredAt": instant(occurred),
        "provider": {"name": "acme-hr", "tenant": "acme", "eventType": kind, "eventId": None, "revision": None},
        "subject": {
            "workerId": f"ZQW-{'T' if team else 'L'}{person:06}",
            "providerSubjectId": f"zqs-{'t' if team else 'l'}{person:06}",
            "email": email(person, team),
            "emailKind": "work",
            "displayName": f"Quintessa Zq{person}",
        },
        "effective": {"date": at[:10], "at": at, "zone": "UTC", "basis": "instant", "source": "payload"},
        **more,
    }
    prefix = {"account_status": "account.status", "credential_compromise": "credential.compromise"}.get(kind)
    return f"{prefix or 'worker.' + kind}.{phase}", detail


def put(events):
    """Puts events on the bus, ten at a time."""
    for at in range(0, len(events), 10):
        entries = [
            {"EventBusName": local["bus"], "Source": "rollcall.hr", "DetailType": kind, "Detail": json.dumps(detail)}
            for kind, detail in events[at : at + 10]
        ]
        answer = client("events").put_events(Entries=entries)
        if answer["FailedEntryCount"]:
            raise Late(f"the bus refused {answer['FailedEntryCount']} events")


def enveloped(kind, detail):
    """An event as the bus puts it on a queue."""
    return json.dumps({
        "version": "0", "id": detail["eventId"], "detail-type": kind, "source": "rollcall.hr", "account": "000000000000",
        "time": detail["occurredAt"], "region": local["region"], "resources": [], "detail": detail,
    })


def send(function, body, **attributes):
    values = {name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()}
    url = local["queues"][function]["url"]
    client("sqs").send_message(QueueUrl=url, MessageBody=body, MessageAttributes=values)


def messages(url, hidden_too=True):
    names = ["ApproximateNumberOfMessages"] + ["ApproximateNumberOfMessagesNotVisible"] * hidden_too
    attributes = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(attributes[name]) for name in names)


def astray():
    """How many messages wait where only what went wrong ends."""
    urls = client("sqs").list_queues().get("QueueUrls", [])
    return sum(messages(url) for url in urls if any(it in url for it in ("Unrouted", "Undelivered", "Dlq")))


def record(function, event_id):
    key = {"id": {"S": f"{function}#{event_id}"}}
    return client("dynamodb").get_item(TableName=local["table"], Key=key, ConsistentRead=True).get("Item")


def state(function, event_id):
    return record(function, event_id)["state"]["S"] if record(function, event_id) else None


def outcome(function, event_id):
    """The outcome and its reason."""
    data = json.loads(record(function, event_id)["data"]["S"])
    return data["outcome"], data["reason"]


def ledger(table=None):
    pages = client("dynamodb").get_paginator("scan").paginate(TableName=table or local["table"], ConsistentRead=True)
    return [item for page in pages for item in page["Items"]]


def rest(function, event_ids, seconds=REST_SECONDS):
    """Waits until each event has a record that is not under way, and nothing waits on the function's queue."""
    wanted = {f"{function}#{event_id}" for event_id in event_ids}
    url = local["queues"][function]["url"]

    def at_rest():
        if messages(url):
            return None
        items = {item["id"]["S"]: item for item in ledger() if item["id"]["S"] in wanted}
        if len(items) < len(wanted) or any(item["state"]["S"] in UNDER_WAY for item in items.values()):
            return None
        return items

    return until(f"{function} at rest", seconds, at_rest)


def wake_ups(event_id=None):
    """The schedules of all announcements, or of one. A name is a keyed hash; what a schedule sends names the record."""
    scheduler, group = client("scheduler"), "rollcall-due"
    names = [it["Name"] for it in scheduler.list_schedules(GroupName=group).get("Schedules", [])]
    found = [scheduler.get_schedule(Name=name, GroupName=group) for name in names]
    wake = {"wake": f"hr-intake#{event_id}"}
    return [it for it in found if event_id is None or json.loads(it["Target"]["Input"]) == wake]


def states(items):
    counted = {}
    for item in items.values():
        counted[item["state"]["S"]] = counted.get(item["state"]["S"], 0) + 1
    return counted


def user(person, team=False):
    found = client("chime").list_users(AccountId=TEAM if team else LWA, UserEmail=email(person, team))["Users"]
    return found[0] if found else None


def status(person, team=False):
    found = user(person, team)
    return found["UserRegistrationStatus"] if found else None


def hook(method, path, body=None):
    """A test hook of the local Chime."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{local['chime']}/_local/{path}", data=data, method=method)
    with urllib.request.urlopen(request, timeout=30) as answer:
        text = answer.read()
    return json.loads(text) if text else None


def calls(operation, since=0):
    """The calls of Chime that named an operation and took effect."""
    found = hook("GET", f"calls?since={since}")["calls"]
    return [it for it in found if it["operation"] == operation and it["outcome"]["tookEffect"]]


def operator():
    """The names of everything, as the operator's tool reads them."""
    [name] = [
        it["Name"] for it in client("ssm").describe_parameters()["Parameters"] if it["Name"].endswith("/operator")
    ]
    return json.loads(client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


@contextmanager
def short_lived(function):
    """A lease lasts as long as the function may run, and half a minute; its queue shows a message again six times as late.
    Where processes die, both are cut, so that nobody waits for minutes.
    """
    name, url = operator()["functions"][function]["name"], local["queues"][function]["url"]
    visibility = client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    timeout = client("lambda").get_function_configuration(FunctionName=name)["Timeout"]
    client("lambda").update_function_configuration(FunctionName=name, Timeout=SHORT_SECONDS)
    client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": str(SHORT_SECONDS)})
    try:
        yield
    finally:
        client("lambda").update_function_configuration(FunctionName=name, Timeout=timeout)
        client("sqs").set_queue_attributes(QueueUrl=url, Attributes=visibility)


def play(scenario):
    """Plays it; what it waited for in vain is unexpected."""
    try:
        scenario()
    except Late as late:
        print(json.dumps({"unexpected": str(late)}), flush=True)
