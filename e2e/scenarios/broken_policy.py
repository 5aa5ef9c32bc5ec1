"""A broken policy document: whoever starts under it works by the last good one. Every function starts, and works once."""

import json
import urllib.error
import urllib.request

from stage import check, client, email, event, local, operator, outcome, play, put, rest, until, user, wake_ups

FIRST = 300


def start_anew():
    """No process of before is used again: the same code is deployed once more."""
    names = [it["name"] for it in operator()["functions"].values()]
    names += [f"rollcall-{name}" for name in ("hr-receive", "hr-reconcile", "license-audit", "roster-load")]
    for name in names:
        key = f"{name.removeprefix('rollcall-')}.zip"
        client("lambda").update_function_code(FunctionName=name, S3Bucket="rollcall-code", S3Key=key)


def roster(people):
    rows = ["worker_id,email,status,end_date,time_zone"] + [f"ZQW-L{n:06},{email(n)},active,,UTC" for n in people]
    client("s3").put_object(Bucket=local["bucket"], Key="roster/people.csv", Body="\n".join([*rows, ""]).encode())


def in_force():
    return client("dynamodb").get_item(TableName=local["rosterTable"], Key={"id": {"S": "current"}}).get("Item")


def webhook():
    """What hr-receive answers to an event that nobody signed."""
    _, detail = event("by-webhook", "termination", FIRST + 5)
    request = urllib.request.Request(f"{local['receive']}canonical", data=json.dumps(detail).encode(), method="POST")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code


def main():
    name = local["policy"]
    good = client("ssm").get_parameter(Name=name)["Parameter"]["Value"]
    client("ssm").put_parameter(Name=name, Value='{"pin_reset": "sometimes"}', Type="String", Overwrite=True)
    start_anew()
    put([event("under-broken", "termination", FIRST)])
    rest("suspend-user", ["under-broken"])
    check("suspend-user works by the last good policy", ("applied", "suspended"), outcome("suspend-user", "under-broken"))
    put([event("back-under-broken", "rehire", FIRST, occurred=0.5, effective=0.4)])
    rest("reinstate-user", ["back-under-broken"])
    check("reinstate-user too", ("applied", "reinstated"), outcome("reinstate-user", "back-under-broken"))
    put([event("leaked-under-broken", "credential_compromise", FIRST + 1, phase="detected")])
    rest("logout-user", ["leaked-under-broken"])
    check("logout-user too", ("applied", "signed_out"), outcome("logout-user", "leaked-under-broken"))
    job = [{"field": "job_code", "before": None, "after": "OPS-1", "valueKnown": True}]
    put([event("moved-under-broken", "job_change", FIRST + 2, changes=job)])
    rest("relicense-user", ["moved-under-broken"])
    moved = (outcome("relicense-user", "moved-under-broken")[0], user(FIRST + 2)["LicenseType"])
    check("relicense-user too", ("applied", "Basic"), moved)
    put([event("hired-under-broken", "hire", 900, team=True)])
    rest("invite-user", ["hired-under-broken"])
    check("invite-user too", ("applied", "invited"), outcome("invite-user", "hired-under-broken"))
    kind, detail = event("announced-under-broken", "leave", FIRST + 3, phase="scheduled", effective=-90 * 24)
    put([(kind, detail)])
    rest("hr-intake", ["announced-under-broken"])
    wakes = [it["ScheduleExpression"] for it in wake_ups("announced-under-broken")]
    check("hr-intake too", [f"at({detail['effective']['at'].removesuffix('Z')})"], wakes)
    roster(range(FIRST, FIRST + 20))
    check("roster-load too", "20", until("the roster", 60, in_force)["rows"]["N"])
    answer = client("lambda").invoke(FunctionName="rollcall-hr-reconcile", Payload=b"{}")
    check("hr-reconcile too", None, answer.get("FunctionError"))
    machine = client("stepfunctions")
    run = {"stateMachineArn": local["auditMachine"], "name": "under-broken", "input": '{"mode":"report"}'}
    started = machine.start_execution(**run)
    audit = lambda: machine.describe_execution(executionArn=started["executionArn"])["status"]
    until("the audit", 90, lambda: audit() != "RUNNING")
    check("license-audit too", "SUCCEEDED", audit())
    check("hr-receive answers, and lets nobody in without a signature", 401, webhook())
    client("ssm").put_parameter(Name=name, Value=good, Type="String", Overwrite=True)
    start_anew()
    put([event("under-good", "termination", FIRST + 4)])
    rest("suspend-user", ["under-good"])
    check("the good policy again", ("applied", "suspended"), outcome("suspend-user", "under-good"))


play(main)
