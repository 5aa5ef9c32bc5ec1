"""What a stage left behind: nobody's name where none belongs; and who was allowed what, and used it, for roles.py.

People may stand in bodies of messages, in receipts and rosters, in an audit's files but its summary, and in the roster's
rows: all of them encrypted with the stack's key, and no key or name of any of them. In the ledger people are keyed
hashes, and what is kept of an event is sealed, so that its whole items are searched.
"""

import json
import os
import re
import urllib.parse

from stage import check, client, hook, ledger, local, play

# Every address of every company that is played.
ADDRESS = re.compile(r"[\w.+-]{1,64}(?:@|%40|\\u0040)[\w-]+(?:\.[\w-]+)*\.example\b", re.IGNORECASE)

# Numbers and subjects of the company with the recognisable people, and HR's numbers and the systems' ids of the demo's
# leavers, one for each source (local/src/demo/sources/leavers.rs). Ids of events look alike, and may stand anywhere.
NUMBER = re.compile(
    r"zqw-[lt]\d{6}|zqs-[lt]\d{6}|quintessa|\+88350000\d{4}|\bW-[a-z]+\b|00uLEAVER1|00uRISC1|auth0\|leaver1|UKGLEAVER1|\b51007001\b"
    r"|c3d4e5f6-7081-70aa-1111-000000000001|\b9017001\b|3160045127339700001|AKIAROLLCALLDEMO001",
    re.IGNORECASE,
)

# The PINs of that company. The local Chime gives one after the other (local/src/chime/core.rs).
# Ten digits of a hash are none: of some ten thousand hashes a few have those of a PIN.
FIRST_PINS = re.compile(r"(?<![\da-fA-F])86[12]\d{7}(?![\da-fA-F])")
PIN = re.compile(r"(?<![\da-fA-F])\d{10}(?![\da-fA-F])")
PIN_START, PIN_STEP, PINS = 1_234_567_891, 7_919, 50_000

FOUND = 5


def people():
    """Names and PINs of everybody that Chime knows, and of whom the seeds have, and the stack's secrets."""
    users = [user for account in hook("GET", "state")["accounts"] for user in account["users"]]
    seeds = os.path.join(os.path.dirname(local["template"]), "events/seed")
    for name in sorted(os.listdir(seeds)):
        with open(os.path.join(seeds, name), encoding="utf-8") as file:
            users += [user for account in json.load(file)["accounts"] for user in account.get("users", [])]
    words = {user.get(member) for user in users for member in ("PersonalPIN", "DisplayName")} | set(secrets())
    # Short words stand everywhere.
    return {word for word in words if word and len(word) >= 6}


def given(pin):
    """Whether the local Chime makes such a PIN."""
    steps, rest = divmod(int(pin) - PIN_START, PIN_STEP)
    return rest == 0 and 0 < steps <= PINS


def secrets():
    """Secrets and tokens of sources, and the person key."""
    for parameter in pages("ssm", "describe_parameters", "Parameters"):
        if "/sources/" in parameter["Name"]:
            yield client("ssm").get_parameter(Name=parameter["Name"], WithDecryption=True)["Parameter"]["Value"]
    for secret in pages("secretsmanager", "list_secrets", "SecretList"):
        yield client("secretsmanager").get_secret_value(SecretId=secret["ARN"])["SecretString"]


class Search:
    """Searches places; remembers where something was found, and never what."""

    def __init__(self):
        self.searched, self.hits = [], []
        words = people()
        self.pins = {word for word in words if word.isdigit()}
        # The first word of a name is sought first: thousands have few of these.
        self.names = {}
        for name in words - self.pins:
            self.names.setdefault(name.split()[0], []).append(name)
        self.first = re.compile("|".join(map(re.escape, sorted(self.names))) or r"(?!)")

    def named(self, text):
        return any(text.startswith(name, hit.start()) for hit in self.first.finditer(text) for name in self.names[hit[0]])

    def found(self, text):
        for one in {text, urllib.parse.unquote_plus(text)}:
            if any(pattern.search(one) for pattern in (ADDRESS, NUMBER, FIRST_PINS)) or self.named(one):
                return True
            if any(pin in self.pins or given(pin) for pin in PIN.findall(one)):
                return True
        return False

    def look(self, place, texts):
        """Looks for people in these texts."""
        texts = list(texts)
        hits = [at for at, text in enumerate(texts) if self.found(text)]
        if texts:
            self.searched.append(f"{len(texts)} {place}")
        if hits:
            self.hits.append(f"{len(hits)} of {len(texts)} {place}")
            with open(os.path.join(local["folder"], "found.txt"), "a", encoding="utf-8") as file:
                for at in hits[:FOUND]:
                    file.write(f"{place}: {texts[at][:2000]}\n")
        return texts

    def tell(self):
        """Asserts that nobody turned up. What was found is in found.txt, and not told here."""
        check(f"no address, name, number, PIN or secret in {', '.join(self.searched)}", [], self.hits)


def pages(service, operation, member, **arguments):
    client_of = client(service)
    if client_of.can_paginate(operation):
        for page in client_of.get_paginator(operation).paginate(**arguments):
            yield from page.get(member, [])
    else:
        yield from getattr(client_of, operation)(**arguments).get(member, [])


def log_lines():
    for group in pages("logs", "describe_log_groups", "logGroups"):
        name = group["logGroupName"]
        yield name
        for logged in pages("logs", "filter_log_events", "events", logGroupName=name):
            yield logged["message"]


def printed():
    with open(local["log"], encoding="utf-8", errors="replace") as file:
        yield from file


def metrics():
    for metric in pages("cloudwatch", "list_metrics", "Metrics"):
        yield json.dumps(metric)


def queues():
    """Attributes of queues, and of the messages that wait on any of them."""
    for url in client("sqs").list_queues().get("QueueUrls", []):
        yield json.dumps(client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"])
        seen = set()
        while True:
            waiting = client("sqs").receive_message(
                QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=600, AttributeNames=["All"], MessageAttributeNames=["All"]
            ).get("Messages", [])
            new = [message for message in waiting if message["MessageId"] not in seen]
            if not new:
                break
            for message in new:
                seen.add(message["MessageId"])
                yield json.dumps([message.get("Attributes"), message.get("MessageAttributes")], default=str)


def schedules():
    for schedule in pages("scheduler", "list_schedules", "Schedules"):
        yield json.dumps(client("scheduler").get_schedule(Name=schedule["Name"], GroupName=schedule["GroupName"]), default=str)


def objects():
    for bucket in client("s3").list_buckets()["Buckets"]:
        for item in pages("s3", "list_objects_v2", "Contents", Bucket=bucket["Name"]):
            yield item["Key"]


def shared():
    """What an audit makes to be sent on: its summary. Its report names people, as it must."""
    for item in pages("s3", "list_objects_v2", "Contents", Bucket=local["bucket"], Prefix="audits/"):
        if item["Key"].endswith("/summary.json"):
            yield client("s3").get_object(Bucket=local["bucket"], Key=item["Key"])["Body"].read().decode()


def executions():
    machine = client("stepfunctions")
    for execution in pages("stepfunctions", "list_executions", "executions", stateMachineArn=local["auditMachine"]):
        yield json.dumps(machine.describe_execution(executionArn=execution["executionArn"]), default=str)
        history = machine.get_execution_history(executionArn=execution["executionArn"])["events"]
        yield json.dumps(history, default=str)


def requests():
    with open(os.path.join(local["folder"], "requests.jsonl"), encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def canary(record):
    search = Search()
    lines = search.look("lines that functions and local AWS print", printed())
    lines += search.look("lines of log groups", log_lines())
    check("the functions did log", True, any("event.id" in line for line in lines))
    search.look("metrics", metrics())
    search.look("attributes of queues and of their messages", queues())
    search.look("schedules", schedules())
    search.look("keys of objects", objects())
    search.look("summaries of audits", shared())
    search.look("executions of the state machine", executions())
    search.look("items of the ledger", [json.dumps(item, default=lambda it: it.decode("latin-1")) for item in ledger()])
    search.look("keys of the roster", [item["id"]["S"] for item in ledger(local["rosterTable"])])
    asked = [line for line in record if "url" in line]
    search.look("URLs with headers of requests to AWS", [json.dumps([it["url"], it["headers"]]) for it in asked])
    search.tell()


def kind_of(resource):
    """An object's place without its name: one stands for all of its folder."""
    return resource.rsplit("/", 1)[0] + "/one" if resource.startswith("arn:aws:s3:::") and "/" in resource else resource


def kind_of_key(key):
    """A key without whom or what it is of. Budgets keep it: roles tell them apart."""
    return key if key.startswith("budget#") or "#" not in key else key.split("#")[0] + "#one"


def roles(record):
    """What each role may do, and what it did, for the comparison of all stages."""
    keys = {line["key"]: line["role"][0] for line in record if "role" in line and line["role"]}
    used = {}
    for line in record:
        if "action" in line:
            context = line["context"]
            for key in context.get("dynamodb:LeadingKeys") or [None]:
                call = (line["action"], kind_of(line["resource"]), key and kind_of_key(key))
                used.setdefault(keys.get(line["key"], line["key"]), set()).add(call)
    for call in hook("GET", "calls")["calls"]:
        if call["operation"] and (call["accessKey"] or "").startswith("ASIA"):
            used.setdefault(keys.get(call["accessKey"], call["accessKey"]), set()).add(
                (f"chime:{call['operation']}", "*", None)
            )
    allowed = {}
    for role in pages("iam", "list_roles", "Roles"):
        name = role["RoleName"]
        services = [it["Principal"].get("Service") for it in role["AssumeRolePolicyDocument"]["Statement"]]
        for policy in client("iam").list_role_policies(RoleName=name)["PolicyNames"]:
            document = client("iam").get_role_policy(RoleName=name, PolicyName=policy)["PolicyDocument"]
            allowed[name] = {"for": services, "policy": policy, "statements": document["Statement"]}
    with open(os.path.join(local["folder"], "roles.json"), "w", encoding="utf-8") as file:
        json.dump({"allowed": allowed, "used": {name: sorted(calls, key=str) for name, calls in used.items()}}, file)
    denied = sorted({(keys.get(it["key"], it["key"]), it["action"]) for it in record if it.get("denied")})
    check("no function was denied anything", [], denied)


def main():
    record = list(requests())
    roles(record)
    canary(record)


play(main)
