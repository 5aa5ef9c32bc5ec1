"""What `rollcall why` tells after a scenario of the demo, against e2e/golden/why/<scenario>.txt.

Times, durations, hashes and ids are other in each run: each stands there as what it is. The files are written anew with
`cargo e2e -- --golden`, and read before they are committed.
"""

import difflib
import json
import os
import re
import subprocess

from stage import check, client, ledger, local, play


def released():
    """The first of the events that an operator released. Which three are, depends on the order in which they were held."""
    return sorted(it["id"]["S"].partition("#")[2] for it in ledger() if "released" in it)[0]


def no_json():
    """The message that is parked under its hash: it is no JSON, so that it has no other name."""
    parked = [it for it in ledger() if "#body:" in it["id"]["S"] and it["state"]["S"] == "parked"]
    [one] = [it["id"]["S"] for it in parked if json.loads(it["data"]["S"])["reason"] == "not_json"]
    return one


# A telling person or event of each.
WHO = {
    "first-light": ["ben-leaves", "dan-leaves", "gus-leaves", "ivy-leaves", "cleo-left", no_json],
    "company-week": ["worker:00417", "nils@acme.example"],
    "runaway-feed": ["left-360", "left-399", released],
    "sources": ["gusto@sources.example", "adp@sources.example"],
}

NORMAL = [
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z"), "<time>"),
    (re.compile(r"(?:after|within) \d+ ms"), "after <ms>"),
    (re.compile(r"\((?:within a second|[^()]* after it was due)\)"), "(<after>)"),
    (re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"), "<id>"),
    # The local AWS knows senders by their account.
    (re.compile(r", sent by \d{12}\b"), ", sent by <account>"),
    (re.compile(r"\b[0-9a-f]{32}(?:[0-9a-f]{32})?\b"), "<hash>"),
]


def told(who, policy):
    some = {}
    if callable(who):
        some, who = {who(): f"<{who.__name__}>"}, who()
    secrets = client("secretsmanager")
    [secret] = secrets.list_secrets()["SecretList"]
    environment = os.environ | {
        "AWS_REGION": local["region"],
        "AWS_ACCESS_KEY_ID": local["accessKeyId"],
        "AWS_SECRET_ACCESS_KEY": local["secretAccessKey"],
        "ROLLCALL_PERSON_KEY": secrets.get_secret_value(SecretId=secret["ARN"])["SecretString"],
    }
    command = [local["tool"], "--table", local["table"], "--endpoint-url", local["endpoint"], "why", who, "--policy", policy]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)
    text = done.stdout if done.returncode == 0 else done.stderr
    text = f"$ rollcall why {who}\n{text.rstrip()}\n"
    for name, word in some.items():
        text = text.replace(name, word)
    for pattern, word in NORMAL:
        text = pattern.sub(word, text)
    return text


def main():
    scenario = local["scenario"]
    policy = os.path.join(local["folder"], "policy.json")
    with open(policy, "w", encoding="utf-8") as file:
        file.write(client("ssm").get_parameter(Name=local["policy"])["Parameter"]["Value"])
    text = "\n".join(told(who, policy) for who in WHO[scenario])
    path = os.path.join(local["golden"], f"{scenario}.txt")
    if local["accept"]:
        os.makedirs(local["golden"], exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
    golden = ""
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            golden = file.read()
    found = os.path.join(local["folder"], "why.txt")
    with open(found, "w", encoding="utf-8") as file:
        file.write(text)
    differ = [line for line in difflib.ndiff(golden.splitlines(), text.splitlines()) if line[0] in "+-"]
    check(f"rollcall why tells what golden/why/{scenario}.txt says", [], differ[:6])


play(main)
