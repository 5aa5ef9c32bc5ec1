"""A new version is deployed while events flow: none is lost, none is done twice."""

import threading
import time

from stage import calls, check, client, event, local, messages, operator, play, put, rest, short_lived, states

# Not the function of `crash`, which is played meanwhile.
FUNCTION = "logout-user"
MANY = 120
FIRST = 100
SECONDS = 240


def main():
    # AWS lets invocations come to their end in the old version; the local AWS ends their processes.
    with short_lived(FUNCTION):
        deploy()


def deploy():
    ids = [f"flowing-{number}" for number in range(MANY)]
    before = len(calls("LogoutUser"))
    failed = []

    def flow():
        try:
            for at in range(0, MANY, 4):
                put([event(ids[number], "credential_compromise", FIRST + number, phase="detected") for number in range(at, at + 4)])
                time.sleep(0.25)
        except Exception as error:
            failed.append(str(error))

    flowing = threading.Thread(target=flow)
    flowing.start()
    name = operator()["functions"][FUNCTION]["name"]
    versions = set()
    while flowing.is_alive():
        time.sleep(2)
        client("lambda").update_function_code(FunctionName=name, S3Bucket="rollcall-code", S3Key=f"{FUNCTION}.zip")
        described = client("lambda").update_function_configuration(FunctionName=name, Description=f"at {time.time()}")
        versions.add(described["RevisionId"])
    flowing.join()
    check("all events were put", [], failed)
    items = rest(FUNCTION, ids, SECONDS)
    check(f"{MANY} events while new versions were deployed: all are applied", {"applied": MANY}, states(items))
    check("in several versions", True, len(versions) >= 3)
    users = {user for call in calls("LogoutUser")[before:] for user in call["users"]}
    check("each person was signed out, and nobody else", MANY, len(users))
    check("and none was parked", 0, messages(local["queues"][FUNCTION]["dlqUrl"]))


play(main)
