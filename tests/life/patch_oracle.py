"""A second opinion on PATCH and filters: random changes that RFC 7644 leaves no doubt about are sent to
the server and applied to a model by scim2-models, which nobody here wrote; both must end alike.

Left out, because the RFC leaves them open or Rollcall reads them for Entra's sake, each by name in
docs/scim-semantics.md: values that say nothing, value paths that match nothing, `remove` with a value.
Usage: patch_oracle.py URL SEED ROUNDS, with the token in SCIM_TOKEN.
"""

import json
import os
import random
import sys
import urllib.parse
import urllib.request

from scim2_models import EnterpriseUser, PatchOp, PatchOperation, User
from scim2_models.path.filter import ScimFilter

Person = User[EnterpriseUser]
URN = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
base, seed, rounds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
rng = random.Random(seed)


def send(method, path, body=None):
    headers = {"Authorization": f"Bearer {os.environ['SCIM_TOKEN']}", "Content-Type": "application/scim+json"}
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(base + path, data=data, method=method, headers=headers)
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request) as answer:
        return json.loads(answer.read() or b"{}")


def word():
    return rng.choice(["Ada", "Bo", "Cem", "Dora", "Émile", "Fay", "x y", "O'Neil", 'a"b', "ж"])


SINGLE = ["title", "displayName", "nickName", "userType", "locale", "name.givenName", "name.familyName", "name.middleName"]
EXTENDED = [f"{URN}:department", f"{URN}:costCenter", f"{URN}:employeeNumber"]
TYPES = ["work", "home", "other"]


def mail(kind):
    return {"type": kind, "value": f"{rng.randrange(40)}@contoso.example"}


def operation(person):
    """One operation, of which the RFC says what it does to this person."""
    path = rng.choice(SINGLE + EXTENDED)
    kinds = [m["type"] for m in person.get("emails", [])]
    choice = rng.randrange(9)
    if choice < 3:
        return {"op": rng.choice(["add", "replace"]), "path": path, "value": word()}
    if choice == 3:
        return {"op": "remove", "path": path}
    if choice == 4:
        parts = rng.sample(["givenName", "familyName", "formatted"], rng.randrange(1, 3))
        return {"op": rng.choice(["add", "replace"]), "path": "name", "value": {part: word() for part in parts}}
    if choice == 5:
        return {"op": "replace", "path": "emails", "value": [mail(kind) for kind in rng.sample(TYPES, rng.randrange(1, 4))]}
    if choice == 6 and len(kinds) < 3:
        return {"op": "add", "path": "emails", "value": [mail(rng.choice([t for t in TYPES if t not in kinds]))]}
    if choice == 7 and kinds:
        return {"op": "replace", "path": f'emails[type eq "{rng.choice(kinds)}"].value', "value": mail("x")["value"]}
    if choice == 8 and kinds:
        return {"op": "remove", "path": f'emails[type eq "{rng.choice(kinds)}"]'}
    return {"op": "replace", "path": "active", "value": rng.random() < 0.5}


def plain(person):
    """What both sides say of a person, without what is ours alone."""
    body = {k: v for k, v in person.items() if k not in ("id", "meta", "schemas") and v not in (None, [], {})}
    if "emails" in body:
        body["emails"] = sorted(({k: v for k, v in m.items() if v is not None} for m in body["emails"]), key=lambda m: json.dumps(m, sort_keys=True))
    return body


def comparison():
    attribute = rng.choice(["title", "displayName", "nickName", "name.familyName", "emails.value", "emails.type", f"{URN}:department"])
    op = rng.choice(["eq", "ne", "co", "sw", "ew", "pr"])
    if op == "pr":
        return f"{attribute} pr"
    # The oracle takes nothing but an address for one.
    value = mail("x")["value"] if attribute == "emails.value" else rng.choice([word(), word().upper(), "contoso", "work", "1"])
    return f"{attribute} {op} {json.dumps(value)}"


def condition(depth):
    if depth == 0 or rng.random() < 0.4:
        return comparison()
    kind = rng.randrange(4)
    if kind == 0:
        return f"not ({condition(depth - 1)})"
    if kind == 1:
        return f'emails[type eq "{rng.choice(TYPES)}" and value co "{rng.randrange(10)}@contoso.example"]'
    return f"({condition(depth - 1)}) {'and' if kind == 2 else 'or'} ({condition(depth - 1)})"


people = {}
for n in range(12):
    body = {"schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
            "userName": f"p{n}@contoso.example", "active": True, "emails": [mail("work")]}
    created = send("POST", "/Users", body)
    people[created["id"]] = created

changes = 0
for _ in range(rounds):
    chosen = rng.choice(list(people))
    now = people[chosen]
    operations = [operation(now)]
    model = Person.model_validate({k: v for k, v in now.items() if k not in ("meta", "groups")})
    PatchOp[Person](operations=[PatchOperation[Person](**o) for o in operations]).patch(model)
    expected = json.loads(model.model_dump_json(by_alias=True, exclude_none=True))
    body = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations}
    send("PATCH", f"/Users/{chosen}", body)
    people[chosen] = send("GET", f"/Users/{chosen}")
    changes += 1
    assert plain(people[chosen]) == plain(expected), f"{operations}\nbefore   {plain(now)}\nserver   {plain(people[chosen])}\nexpected {plain(expected)}"

questions = 0
models = {i: Person.model_validate({k: v for k, v in p.items() if k not in ("meta", "groups")}) for i, p in people.items()}
for _ in range(rounds):
    text = condition(2)
    found = send("GET", f"/Users?{urllib.parse.urlencode({'filter': text})}")
    ours = sorted(r["id"] for r in found.get("Resources", []))
    asked = ScimFilter[Person](text)
    theirs = sorted(i for i, model in models.items() if asked.match(model))
    questions += 1
    assert ours == theirs, f"{text}\nserver {len(ours)}, oracle {len(theirs)}: {set(ours) ^ set(theirs)} {[plain(people[i]) for i in set(ours) ^ set(theirs)][:2]}"

print(f"{changes} changes, {questions} filters")
