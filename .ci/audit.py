"""With `cargo stack` running: drops a roster, runs the licence audit by its state machine, and checks what comes of it."""

import json
import os
import subprocess
import sys
import time
from datetime import datetime, timedelta, timezone

import boto3

with open("target/local/stack.json", encoding="utf-8") as file:
    local = json.load(file)
os.environ.update(
    AWS_ENDPOINT_URL=local["endpoint"],
    AWS_ENDPOINT_URL_CHIME=local["chime"],
    AWS_REGION=local["region"],
    AWS_DEFAULT_REGION=local["region"],
    AWS_ACCESS_KEY_ID=local["accessKeyId"],
    AWS_SECRET_ACCESS_KEY=local["secretAccessKey"],
)
s3, chime, machine = boto3.client("s3"), boto3.client("chime"), boto3.client("stepfunctions")
events, sns, sqs = boto3.client("events"), boto3.client("sns"), boto3.client("sqs")
roster_table = boto3.resource("dynamodb").Table(local["rosterTable"])
ledger = boto3.resource("dynamodb").Table(local["table"])
LWA = "34eea043-68a7-5040-af38-83c7df5f7952"
TEAM = "8a26af1c-aeb6-5b2c-b382-c8e47c5eede6"


def until(what, seconds, check):
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = check()
        if found:
            return found
        time.sleep(0.2)
    sys.exit(f"{what}: not within {seconds} s")


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
header = "worker_id,email,status,start_date,end_date,job_code"
csv = "\n".join([header, *(",".join(person) for person in PEOPLE)]) + "\n"
s3.put_object(Bucket=local["bucket"], Key="roster/people.csv", Body=csv.encode())


def in_force():
    item = roster_table.get_item(Key={"id": "current"}, ConsistentRead=True).get("Item")
    return item if item and item["source"] == "roster/people.csv" else None


current = until("the roster in force", 60, in_force)
assert int(current["rows"]) == len(PEOPLE), current

# Who wants to know that an audit is done adds a rule, or subscribes to the topic.
queue = sqs.create_queue(QueueName="audit-told")["QueueUrl"]
arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
events.put_rule(
    Name="audit-told", EventBusName=local["bus"], EventPattern=json.dumps({"source": ["rollcall.audit"]})
)
events.put_targets(Rule="audit-told", EventBusName=local["bus"], Targets=[{"Id": "q", "Arn": arn}])
sns.subscribe(TopicArn=local["auditTopic"], Protocol="sqs", Endpoint=arn)


def audit(name, mode="enforce"):
    """Runs the state machine; answers the report, and checks what it told."""
    started = machine.start_execution(
        stateMachineArn=local["auditMachine"], name=name, input=json.dumps({"mode": mode})
    )

    def ended():
        described = machine.describe_execution(executionArn=started["executionArn"])
        return described if described["status"] != "RUNNING" else None

    described = until("the audit", 120, ended)
    if described["status"] != "SUCCEEDED":
        history = machine.get_execution_history(executionArn=started["executionArn"])["events"]
        sys.exit(f"the audit {described['status']}: {history[-3:]}")
    report = json.loads(s3.get_object(Bucket=local["bucket"], Key=f"audits/{name}/report.json")["Body"].read())
    page = s3.get_object(Bucket=local["bucket"], Key=f"audits/{name}/report.html")["Body"].read().decode()
    assert "<svg" in page and "ivy@works.acme.example" in page, "the page for people"
    told = []

    def both():
        messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        for message in messages:
            told.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return len(told) >= 2

    until("an event and a message", 30, both)
    [event] = [body for body in told if body.get("detail-type") == "license.audit.completed"]
    [message] = [body for body in told if body.get("Type") == "Notification"]
    assert event["detail"]["run"] == name and event["detail"]["proposals"] == report["summary"]["proposals"], event
    assert "@" not in message["Message"] and "@" not in json.dumps(event), "no personal data"
    return report


report = audit("first")
found = sorted((it["rule"], it.get("email", ""), it.get("proposal") or it.get("withheld") or "") for it in report["findings"])
expected = [
    ("absent_from_chime", "zoe@acme.example", ""),
    ("licence_above_policy", "ben@acme.example", "reclaim"),
    ("licence_above_policy", "finn@contractors.acme.example", "reclaim"),
    ("licence_above_policy", "ivy@works.acme.example", "licence_by_groups"),
    ("orphan", "dan@acme.example", "removal"),
    ("unknown_to_hr", "gus@contractors.acme.example", "only_tells"),
    ("unknown_to_hr", "hal@contractors.acme.example", "only_tells"),
]
assert found == expected, found
# Cleo is on leave, and Kim is new.
assert report["summary"]["exempted"] == {"on_leave": 1, "tenure": 1}, report["summary"]["exempted"]
population = ledger.get_item(Key={"id": "population"}, ConsistentRead=True)["Item"]
assert int(population["users"]) == 13, population


def user(account, email):
    return chime.list_users(AccountId=account, UserEmail=email)["Users"][0]


until("Dan is suspended", 60, lambda: user(LWA, "dan@acme.example")["UserRegistrationStatus"] == "Suspended")
until("Ben has Basic", 60, lambda: user(LWA, "ben@acme.example")["LicenseType"] == "Basic")
until("Finn has Basic", 60, lambda: user(TEAM, "finn@contractors.acme.example")["LicenseType"] == "Basic")
others = [user(LWA, f"{name}@acme.example") for name in ("ada", "cleo", "eve", "kim")]
assert all(it["LicenseType"] == "Pro" and it["UserRegistrationStatus"] == "Registered" for it in others), "others untouched"
records = ledger.scan(ConsistentRead=True)["Items"]
removal = [it for it in records if it["id"].startswith("suspend-user#audit-removal-")]
assert len(removal) == 1 and removal[0]["state"] == "applied", removal

again = audit("second")
assert again["summary"]["proposals"] == {}, again["summary"]["proposals"]
rules = sorted(it["rule"] for it in again["findings"] if it["rule"] in ("orphan", "licence_above_policy"))
assert rules == ["licence_above_policy"], rules  # Ivy's, which her company's directory gives.
unrouted = {it.split("/")[-1]: it for it in sqs.list_queues().get("QueueUrls", [])}
left = [
    int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]["ApproximateNumberOfMessages"])
    for name, url in unrouted.items()
    if "Unrouted" in name or "Undelivered" in name or "Dlq" in name
]
assert not any(left), f"something went astray: {left}"

# Eve leaves too, and an operator looks at the plan before anything is asked for.
left = "\n".join([header, *(",".join(p if p[1] != "eve@acme.example" else (*p[:2], "terminated", p[3], day(9), p[5])) for p in PEOPLE)])
s3.put_object(Bucket=local["bucket"], Key="roster/people.csv", Body=left.encode())
version = current["version"]
until("the second roster", 60, lambda: (in_force() or {}).get("version", version) != version)
planned = audit("third", "propose")
assert planned["summary"]["proposals"] == {"removal": 1}, planned["summary"]["proposals"]
secrets = boto3.client("secretsmanager")
[secret] = secrets.list_secrets()["SecretList"]
key = secrets.get_secret_value(SecretId=secret["ARN"])["SecretString"]


def rollcall(*words):
    """The operator's tool; answers what it printed, as JSON, and how it ended."""
    command = ["cargo", "run", "--quiet", "-p", "rollcall-cli", "--", "--output", "json", "audit", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600, env=os.environ | {"ROLLCALL_PERSON_KEY": key})
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


shown = rollcall("show", "third", "--bucket", local["bucket"])
assert shown["plan"]["proposals"] == {"reclaim": 0, "removal": 1}, shown
place = ("third", "--bucket", local["bucket"], "--bus", local["bus"], "--roster-table", local["rosterTable"])
assert "another digest" in rollcall("apply", *place, "--digest", "0" * 64), "another plan than the one looked at"
applied = rollcall("apply", *place, "--digest", shown["plan"]["digest"])
assert applied["message"] == "1 asked for, 0 no longer true", applied
until("Eve is suspended", 60, lambda: user(LWA, "eve@acme.example")["UserRegistrationStatus"] == "Suspended")

# The schedule of the template starts the same machine: its target, fired once and soon.
scheduler = boto3.client("scheduler")
names = [it["Name"] for it in scheduler.list_schedules()["Schedules"]]
schedules = [scheduler.get_schedule(Name=name) for name in names]
[weekly] = [it for it in schedules if it["Target"]["Arn"] == local["auditMachine"]]
assert weekly["State"] == "ENABLED" and weekly["ScheduleExpression"] == "cron(0 3 ? * MON *)", weekly
soon = (datetime.now(timezone.utc) + timedelta(seconds=5)).strftime("at(%Y-%m-%dT%H:%M:%S)")
target = {key: weekly["Target"][key] for key in ("Arn", "RoleArn", "Input")}
scheduler.create_schedule(
    Name="audit-once", ScheduleExpression=soon, FlexibleTimeWindow={"Mode": "OFF"}, Target=target
)


def scheduled():
    executions = machine.list_executions(stateMachineArn=local["auditMachine"])["executions"]
    return [it for it in executions if it["name"] not in ("first", "second", "third") and it["status"] == "SUCCEEDED"]


[execution] = until("the scheduled audit", 60, scheduled)
run = "".join(c if c.isalnum() else "-" for c in execution["name"])
summary = json.loads(s3.get_object(Bucket=local["bucket"], Key=f"audits/{run}/summary.json")["Body"].read())
assert summary["mode"] == "report", "without an input the policy says what becomes of it"
print(f"{len(found)} findings, 2 licences lower, 1 leaver suspended; a second audit asks for nothing; a plan is applied by its digest; the schedule runs one by itself")
