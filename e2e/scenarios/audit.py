"""A roster dropped in the bucket, audits by the state machine and by its schedule, and what becomes of what they ask for."""

import json
import os
import subprocess
from datetime import datetime, timedelta, timezone

from acme import ACME, CONTRACTORS, PEOPLE, day, drop, user
from stage import Late, astray, check, client, ledger, local, play, until

machine, events, sns, sqs = client("stepfunctions"), client("events"), client("sns"), client("sqs")
BUCKET = local["bucket"]


def listen():
    """Who wants to know that an audit is done adds a rule, or subscribes to the topic."""
    queue = sqs.create_queue(QueueName="audit-told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    services = {"Service": ["events.amazonaws.com", "sns.amazonaws.com"]}
    statement = {"Effect": "Allow", "Principal": services, "Action": "sqs:SendMessage", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    sqs.set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
    pattern = json.dumps({"source": ["rollcall.audit"]})
    events.put_rule(Name="audit-told", EventBusName=local["bus"], EventPattern=pattern)
    events.put_targets(Rule="audit-told", EventBusName=local["bus"], Targets=[{"Id": "q", "Arn": arn}])
    sns.subscribe(TopicArn=local["auditTopic"], Protocol="sqs", Endpoint=arn)
    return queue


def read(key):
    return client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read().decode()


def audit(name, queue, mode="enforce", usage=()):
    """Runs the state machine; answers the report, and checks what it told."""
    given = json.dumps({"mode": mode, "usage": list(usage)})
    started = machine.start_execution(stateMachineArn=local["auditMachine"], name=name, input=given)

    def ended():
        described = machine.describe_execution(executionArn=started["executionArn"])
        return described if described["status"] != "RUNNING" else None

    described = until(f"the {name} audit", 120, ended)
    if described["status"] != "SUCCEEDED":
        raise Late(f"the {name} audit {described['status']}: {described.get('cause')}")
    report = json.loads(read(f"audits/{name}/report.json"))
    page = read(f"audits/{name}/report.html")
    check(f"the {name} audit has a page for people", True, "<svg" in page and "ivy@works.acme.example" in page)
    told = []

    def both():
        for message in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", []):
            told.append(json.loads(message["Body"]))
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
        return len(told) >= 2

    until("an event and a message", 30, both)
    [event] = [body for body in told if body.get("detail-type") == "license.audit.completed"]
    [message] = [body for body in told if body.get("Type") == "Notification"]
    proposed = (name, report["summary"]["proposals"])
    check("the bus is told its numbers", proposed, (event["detail"]["run"], event["detail"]["proposals"]))
    check("without personal data", False, "@" in message["Message"] or "@" in json.dumps(event))
    return report


EXPECTED = [
    ("absent_from_chime", "zoe@acme.example", ""),
    ("licence_above_policy", "ben@acme.example", "reclaim"),
    ("licence_above_policy", "finn@contractors.acme.example", "reclaim"),
    ("licence_above_policy", "ivy@works.acme.example", "licence_by_groups"),
    ("orphan", "dan@acme.example", "removal"),
    ("unknown_to_hr", "gus@contractors.acme.example", "only_tells"),
    ("unknown_to_hr", "hal@contractors.acme.example", "only_tells"),
]


def enforced(queue):
    # Chime bills Pro by the day of a meeting, and its weekly report counts meetings: nine were on seven days at most.
    rows = "Name,Email,Meetings Hosted\nBen,ben@acme.example,9\nFinn,finn@contractors.acme.example,0\nAda,ada@acme.example,5\n"
    client("s3").put_object(Bucket=BUCKET, Key="usage/Acme_20261121.csv", Body=rows.encode())
    report = audit("first", queue, usage=["usage/Acme_20261121.csv"])
    found = sorted((it["rule"], it.get("email", ""), it.get("proposal") or it.get("withheld") or "") for it in report["findings"])
    check("the first audit finds seven things", EXPECTED, found)
    savings = report["summary"]["savings"]
    check("a week of usage tells what Ben's licence saves", (1, 7), (savings["weeks"], savings["hostingDays"]))
    # Cleo is on leave, and Kim is new.
    check("and exempts two people", {"on_leave": 1, "tenure": 1}, report["summary"]["exempted"])
    population = client("dynamodb").get_item(TableName=local["table"], Key={"id": {"S": "population"}}, ConsistentRead=True)
    check("it counts the population", "13", population["Item"]["users"]["N"])
    until("Dan is suspended", 60, lambda: user(ACME, "dan@acme.example")["UserRegistrationStatus"] == "Suspended")
    until("Ben has Basic", 60, lambda: user(ACME, "ben@acme.example")["LicenseType"] == "Basic")
    until("Finn has Basic", 60, lambda: user(CONTRACTORS, "finn@contractors.acme.example")["LicenseType"] == "Basic")
    others = [user(ACME, f"{name}@acme.example") for name in ("ada", "cleo", "eve", "kim")]
    kept = {(it["LicenseType"], it["UserRegistrationStatus"]) for it in others}
    check("a leaver is suspended, two licences are lower, nobody else is touched", {("Pro", "Registered")}, kept)
    removals = [it["state"]["S"] for it in ledger() if it["id"]["S"].startswith("suspend-user#audit-removal-")]
    check("the removal went the whole road", ["applied"], removals)
    again = audit("second", queue)
    check("a second audit asks for nothing", {}, again["summary"]["proposals"])
    check("nothing went astray", 0, astray())


def rollcall(*words):
    """The operator's tool; answers what it printed, as JSON, or what it said was wrong."""
    secrets = client("secretsmanager")
    [secret] = secrets.list_secrets()["SecretList"]
    environment = os.environ | {
        "AWS_ENDPOINT_URL": local["endpoint"],
        "AWS_ENDPOINT_URL_CHIME": local["chime"],
        "AWS_REGION": local["region"],
        "AWS_ACCESS_KEY_ID": local["accessKeyId"],
        "AWS_SECRET_ACCESS_KEY": local["secretAccessKey"],
        "ROLLCALL_PERSON_KEY": secrets.get_secret_value(SecretId=secret["ARN"])["SecretString"],
    }
    command = [local["tool"], "--output", "json", "audit", *words]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, env=environment)
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


def looked_at(queue, version):
    """Eve leaves too, and an operator looks at the plan before anything is asked for."""
    drop([p if p[1] != "eve@acme.example" else (*p[:2], "terminated", p[3], day(9), p[5]) for p in PEOPLE], version)
    planned = audit("third", queue, "propose")
    check("the third audit proposes one removal", {"removal": 1}, planned["summary"]["proposals"])
    shown = rollcall("show", "third", "--bucket", BUCKET)
    check("the operator sees it", {"reclaim": 0, "removal": 1}, shown["plan"]["proposals"])
    place = ("third", "--bucket", BUCKET, "--bus", local["bus"], "--roster-table", local["rosterTable"])
    refused = rollcall("apply", *place, "--digest", "0" * 64)
    check("another plan than the one looked at is refused", True, "another digest" in refused)
    applied = rollcall("apply", *place, "--digest", shown["plan"]["digest"])
    check("the plan is applied by its digest", "1 asked for, 0 no longer true", applied["message"])
    until("Eve is suspended", 60, lambda: user(ACME, "eve@acme.example")["UserRegistrationStatus"] == "Suspended")


def scheduled():
    """The schedule of the template starts the same machine: its target, fired once and soon."""
    scheduler = client("scheduler")
    listed = [it for it in scheduler.list_schedules()["Schedules"]]
    schedules = [scheduler.get_schedule(Name=it["Name"], GroupName=it["GroupName"]) for it in listed]
    [weekly] = [it for it in schedules if it["Target"]["Arn"] == local["auditMachine"]]
    check("the audit is scheduled", ("ENABLED", "cron(0 3 ? * MON *)"), (weekly["State"], weekly["ScheduleExpression"]))
    soon = (datetime.now(timezone.utc) + timedelta(seconds=3)).strftime("at(%Y-%m-%dT%H:%M:%S)")
    target = {key: weekly["Target"][key] for key in ("Arn", "RoleArn", "Input")}
    scheduler.create_schedule(Name="audit-once", ScheduleExpression=soon, FlexibleTimeWindow={"Mode": "OFF"}, Target=target)

    def done():
        executions = machine.list_executions(stateMachineArn=local["auditMachine"])["executions"]
        return [it for it in executions if it["name"] not in ("first", "second", "third") and it["status"] == "SUCCEEDED"]

    [execution] = until("the scheduled audit", 60, done)
    run = "".join(c if c.isalnum() else "-" for c in execution["name"])
    summary = json.loads(read(f"audits/{run}/summary.json"))
    check("the schedule runs one by itself, in the policy's mode", "report", summary["mode"])


def main():
    current = drop(PEOPLE, None)
    check("a roster is in force", len(PEOPLE), int(current["rows"]["N"]))
    queue = listen()
    enforced(queue)
    looked_at(queue, current["version"]["S"])
    scheduled()


play(main)
