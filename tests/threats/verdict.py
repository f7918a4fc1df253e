#!/usr/bin/env python3
"""What came of an attack, by the reports of all concerned.

usage: verdict.py DIR MISSED TEXT EXPR...

Prints "yes" and TEXT when each EXPR is true; else "missed" when MISSED is, or
"no", and what was not so.  Expressions see s and c, the reports of the
programs at the server and the client; server and client, their stacks'
statistics; atk, the attacker's report.  What is not there counts as 0.
"""

import collections
import json
import sys


class Report(collections.UserDict):
    """A JSON object in which nothing is missing."""

    def __missing__(self, key):
        return 0


def load(name):
    try:
        with open(f"{sys.argv[1]}/{name}", encoding="utf-8") as f:
            return json.load(f, object_hook=Report)
    except (OSError, ValueError):
        return Report()


def count(stack, name):
    return stack["counters"][name] if stack["counters"] else 0


def connection(stack):
    return stack["connections"][-1] if stack["connections"] else Report()


def mode(stack):
    return connection(stack)["mode"] or "none"


def subflows(stack):
    return sum(1 for x in connection(stack)["subflows"] or []
               if x["established"])


def told(stack):
    """The counters of encryption that say why a connection is not as usual."""
    names = ("Refused", "Abort", "BadFrame", "Truncated", "Unconfirmed",
             "Alone")
    return ", ".join(f"{k} {v}" for k, v in (stack["counters"] or {}).items()
                     if v and k.startswith("MPTcpExtCrypt")
                     and k.endswith(names))


def main():
    see = {"s": load("s.app"), "c": load("c.app"), "atk": load("atk.json"),
           "server": load("server.json"), "client": load("client.json"),
           "count": count, "mode": mode, "subflows": subflows,
           "told": lambda: told(see["client"]) or told(see["server"])}
    missed, text, exprs = sys.argv[2], sys.argv[3], sys.argv[4:]
    wrong = [e for e in exprs if not eval(e, see)]
    if not wrong:
        print("yes\t" + eval(text, see))
        return
    word = "missed" if eval(missed, see) else "no"
    print(f"{word}\tnot so: {wrong[0]}; server program {see['s']}, "
          f"client program {see['c']}, attacker {see['atk']}, modes "
          f"{mode(see['server'])}, {mode(see['client'])}")


main()
