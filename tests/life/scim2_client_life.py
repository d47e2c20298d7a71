"""A whole life of a user and a group, by a SCIM client that nobody here wrote (scim2-client).

It discovers the server's schemas, builds its models from them, and checks every answer against
the RFCs by itself; what is asserted here is that what it reads is what it wrote.
Usage: scim2_client_life.py URL, with the token in SCIM_TOKEN.
"""

import os
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_models import PatchOp, PatchOperation, SearchRequest

client = Client(base_url=sys.argv[1], headers={"Authorization": f"Bearer {os.environ['SCIM_TOKEN']}"}, trust_env=False)
scim = SyncSCIMClient(client)
scim.discover()
User, Group = scim.get_resource_model("User"), scim.get_resource_model("Group")
steps = 0


def step(what, holds):
    global steps
    steps += 1
    assert holds, what


def found(kind, text):
    return scim.query(kind, query_parameters=SearchRequest(filter=text)).resources or []


name = User.Name(given_name="Ada", family_name="Keller")
mail = User.Emails(value="ada@contoso.example", type="work", primary=True)
ada = scim.create(User(user_name="ada@contoso.example", display_name="Ada", active=True, name=name, emails=[mail]))
step("an id", ada.id and ada.meta.location.endswith(ada.id))
step("read as written", scim.query(User, ada.id) == ada)
step("found by name", [u.id for u in found(User, 'userName eq "ADA@contoso.example"')] == [ada.id])
step("found by mail", [u.id for u in found(User, 'emails[type eq "work"].value eq "ada@contoso.example"')] == [ada.id])
step("nobody else", found(User, 'userName eq "bo@contoso.example"') == [])

ada.title, ada.display_name = "Guard", "Ada K."
ada = scim.replace(ada)
step("replaced", (ada.title, ada.display_name, ada.name.family_name) == ("Guard", "Ada K.", "Keller"))
change = PatchOp[User](
    operations=[
        PatchOperation[User](op="replace", path="title", value="Chief"),
        PatchOperation[User](op="add", path='emails[type eq "work"].value', value="ak@contoso.example"),
        PatchOperation[User](op="remove", path="displayName"),
    ]
)
scim.modify(User, ada.id, change)
ada = scim.query(User, ada.id)
step("modified", ada.title == "Chief" and ada.display_name is None and ada.emails[0].value == "ak@contoso.example")

doors = scim.create(Group(display_name="Doors", members=[Group.Members(value=ada.id)]))
step("a member", [m.value for m in doors.members] == [ada.id])
doors = scim.query(Group, doors.id)
step("which is a user", doors.members[0].type == "User")
step("seen from the user", [g.value for g in scim.query(User, ada.id).groups] == [doors.id])
bo = scim.create(User(user_name="bo@contoso.example"))
scim.modify(Group, doors.id, PatchOp[Group](operations=[PatchOperation[Group](op="add", path="members", value=[{"value": bo.id}])]))
step("two members", {m.value for m in scim.query(Group, doors.id).members} == {ada.id, bo.id})
leave = f'members[value eq "{ada.id}"]'
scim.modify(Group, doors.id, PatchOp[Group](operations=[PatchOperation[Group](op="remove", path=leave)]))
step("one left", [m.value for m in scim.query(Group, doors.id).members] == [bo.id])

scim.modify(User, ada.id, PatchOp[User](operations=[PatchOperation[User](op="replace", path="active", value=False)]))
step("switched off", scim.query(User, ada.id).active is False)
for kind, one in ((Group, doors), (User, ada), (User, bo)):
    scim.delete(kind, one.id)
step("nobody is left", found(User, "userName pr") == [] and found(Group, "displayName pr") == [])
print(f"{steps} steps")
