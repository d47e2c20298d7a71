"""Uses the generated client: typed answers, pages by headers, problems as problems."""
import sys

from rollcall_client import AuthenticatedClient
from rollcall_client.api.audit import audit_events_list, audit_groups_show, audit_review
from rollcall_client.api.organizations import organizations_list
from rollcall_client.models import Problem

url, key, group = sys.argv[1:]
client = AuthenticatedClient(base_url=url, token=key)

(acme,) = organizations_list.sync(client=client)
assert acme.domain == "acme" and acme.created_at.year > 2000, acme

positions, cursor = [], None
while True:
    more = {} if cursor is None else {"cursor": cursor}
    page = audit_events_list.sync_detailed("acme", client=client, limit=10, **more)
    assert page.status_code == 200, page
    positions += [event.position for event in page.parsed]
    cursor = page.headers.get("next-cursor")
    if cursor is None:
        break
assert len(positions) > 25 and positions == list(range(1, len(positions) + 1)), positions

shown = audit_groups_show.sync("acme", "staff", client=client)
assert shown.as_of.position == positions[-1], shown
review = audit_review.sync("acme", client=client)
assert review.head.organization == "acme" and review.rows == [], review

for wrong, named in [({"limit": 0}, "limit"), ({"type_": "Foo"}, "type"), ({"to": "2999-01-01"}, "to")]:
    refused = audit_events_list.sync_detailed("acme", client=client, **wrong)
    assert refused.status_code == 400 and isinstance(refused.parsed, Problem), refused
    assert refused.parsed.parameter == named, refused.parsed
nowhere = audit_events_list.sync_detailed("nowhere", client=client)
assert nowhere.status_code == 404 and isinstance(nowhere.parsed, Problem), nowhere
print("well")
