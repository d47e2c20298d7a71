#!/usr/bin/env python3
"""Keeps a directory from a feed alone, and proves that it missed nothing.

    rollcall consumer add --org acme --name mirror --kind pull
    ROLLCALL_TOKEN=rollcall_feed_... examples/directory/directory.py FEED_URL [--snapshot SNAPSHOT_URL]

Without a snapshot it reads from the first event on. It needs nothing but Python's own library; a
real consumer keeps `position` and `last` in one transaction with what it does (here: in memory).
"""

import argparse
import json
import os
import sys
import urllib.error
import urllib.parse
import urllib.request

SCHEMAS = {
    "user": "urn:ietf:params:scim:schemas:core:2.0:User",
    "group": "urn:ietf:params:scim:schemas:core:2.0:Group",
}
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
ENDPOINTS = {"user": "Users", "group": "Groups"}


class Missed(Exception):
    """The feed does not begin where we stand: something is missing."""


def ask(url, **query):
    query = {name: value for name, value in query.items() if value is not None}
    request = urllib.request.Request(f"{url}?{urllib.parse.urlencode(query)}")
    request.add_header("Authorization", f"Bearer {os.environ['ROLLCALL_TOKEN']}")
    # Tokens do not travel through proxies that the environment happens to name.
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=60) as answer:
        return json.load(answer)


class Directory:
    """Users, groups and members, as the events leave them."""

    def __init__(self):
        self.resources = {"user": {}, "group": {}}
        self.members = {}
        self.position = 0
        # Place of the last event: its position and its part; None before the first.
        self.last = None
        # Which log it is, once that is known.
        self.epoch = None

    def begin(self, url, limit):
        """Takes everybody at one position."""
        after = None
        while True:
            page = ask(url, after=after, limit=limit)
            for item in page["items"]:
                if item["kind"] == "member":
                    self.members.setdefault(item["group"], set()).add(item["member"])
                else:
                    self.resources[item["kind"]][item["id"]] = read(item["resource"])
            self.is_of_the_same_log(page)
            self.position, after = page["position"], page.get("next")
            if after is None:
                return

    def follow(self, url, limit, wait):
        """Takes events until there are no more."""
        while True:
            page = ask(url, after=self.position, limit=limit, wait=wait)
            self.is_of_the_same_log(page)
            for event in page["events"]:
                self.is_the_next(event)
                self.apply(event)
                self.last = (event["position"], event["part"])
            self.position = page["next"]
            if page["complete"]:
                return

    def is_of_the_same_log(self, page):
        """Positions of one log say nothing of another, such as one that a backup was put into."""
        if self.epoch not in (None, page["epoch"]):
            raise Missed(f"this is the log {page['epoch']}, and not {self.epoch}")
        self.epoch = page["epoch"]

    def is_the_next(self, event):
        """Proves that nothing is missing between the last event and this one."""
        if self.last is None:
            # After a snapshot the one before is in the snapshot.
            expected, part = event["previous"], 1
            if expected > self.position:
                raise Missed(f"position {event['position']} follows {expected}, which never came")
        elif event["part"] > 1:
            expected, part = self.last
            part += 1
        else:
            (expected, _), part = self.last, 1
        if (event["previous"], event["part"]) != (expected, part):
            raise Missed(f"position {event['position']} follows {event['previous']}, not {expected}")

    def apply(self, event):
        kind, verb = event["type"].split(".")
        of, data = event["subject"]["id"], event["data"]
        known = self.resources.get(kind)
        if kind not in SCHEMAS:
            return
        if verb == "created":
            known[of] = {"attributes": data["attributes"], "created": moment(event)}
            self.changed(known[of], event)
        elif verb in ("updated", "renamed"):
            for path in data["changed"]:
                assign(known[of]["attributes"], path, data["values"][path])
            self.changed(known[of], event)
        elif verb in ("deactivated", "reactivated"):
            known[of]["attributes"]["active"] = verb == "reactivated"
            self.changed(known[of], event)
        elif verb == "deleted":
            del known[of]
            self.members.pop(of, None)
            for members in self.members.values():
                members.discard(of)
        elif verb == "member_added":
            self.members.setdefault(of, set()).add(data["member"])
            self.changed(known[of], event)
        elif verb == "member_removed":
            self.members[of].remove(data["member"])
            self.changed(known[of], event)

    def changed(self, resource, event):
        resource["modified"], resource["version"] = moment(event), event["subject_version"]

    def shown(self, base):
        """All of it, as SCIM shows it."""
        return {
            "users": [self.scim("user", id, base) for id in sorted(self.resources["user"])],
            "groups": [self.scim("group", id, base) for id in sorted(self.resources["group"])],
            "members": {g: sorted(m) for g, m in self.members.items() if m},
        }

    def scim(self, kind, id, base):
        known = self.resources[kind][id]
        shown = json.loads(json.dumps(known["attributes"]))
        urns = sorted(name for name in shown if name.startswith("urn:"))
        manager = shown.get(ENTERPRISE, {}).get("manager")
        if manager and is_id(manager.get("value")):
            manager["$ref"] = f"{base}/Users/{manager['value']}"
        return shown | {
            "schemas": [SCHEMAS[kind]] + urns,
            "id": id,
            "meta": {
                "resourceType": kind.capitalize(),
                "created": known["created"],
                "lastModified": known["modified"],
                "location": f"{base}/{ENDPOINTS[kind]}/{id}",
                "version": f'W/"{known["version"]}"',
            },
        }


def read(resource):
    """What a snapshot shows, as events would have left it."""
    attributes = {k: v for k, v in resource.items() if k not in ("id", "meta", "schemas")}
    manager = attributes.get(ENTERPRISE, {}).get("manager")
    if manager:
        manager.pop("$ref", None)
    meta = resource["meta"]
    return {
        "attributes": attributes,
        "created": meta["created"],
        "modified": meta["lastModified"],
        "version": int(meta["version"].removeprefix('W/"').removesuffix('"')),
    }


def assign(attributes, path, value):
    """Assigns an attribute, `URN:name` for one of an extension; null takes it away."""
    urn, colon, name = path.rpartition(":")
    within = attributes.setdefault(urn, {}) if colon else attributes
    if value is None:
        within.pop(name, None)
    else:
        within[name] = value
    if colon and not within:
        del attributes[urn]


def moment(event):
    """In whole milliseconds, as SCIM shows it."""
    seconds, _, fraction = event["time"].removesuffix("Z").partition(".")
    return f"{seconds}.{(fraction + '000')[:3]}Z"


def is_id(text):
    import uuid

    try:
        return str(uuid.UUID(text)) == text
    except (ValueError, AttributeError, TypeError):
        return False


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("feed", help="feed_url of `rollcall consumer add`")
    arguments.add_argument("--snapshot", help="snapshot_url: begin with everybody")
    arguments.add_argument("--base", default="https://rollcall.example/scim/v2", help="Tenant URL")
    arguments.add_argument("--limit", type=int, default=200, help="items of a page")
    arguments.add_argument("--wait", type=int, default=0, help="seconds to wait for an event")
    told = arguments.parse_args()
    directory = Directory()
    try:
        if told.snapshot:
            directory.begin(told.snapshot, told.limit)
        directory.follow(told.feed, told.limit, told.wait)
    except urllib.error.HTTPError as refused:
        sys.exit(f"{refused.code}: {refused.read().decode()}")
    shown = {"position": directory.position} | directory.shown(told.base.rstrip("/"))
    print(json.dumps(shown, sort_keys=True, ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    main()
