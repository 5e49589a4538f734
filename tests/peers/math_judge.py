#!/usr/bin/env python3
"""math_equal beside the PyPI package math-verify, an outside judge, on pairs of tests/peers/math_pairs.py:

    troupe score --reward math_equal pairs.jsonl > ours.jsonl
    math_judge.py pairs.jsonl ours.jsonl            (in an environment with math-verify)

Prints the agreement, each side's agreement with the truth by construction, and every disagreement, by class."""
import collections
import json
import logging
import sys
import time
from importlib.metadata import version

from math_verify import parse, verify

logging.disable(logging.CRITICAL)


def theirs(row):
    try:
        return int(verify(parse("$" + row["answer"] + "$"), parse(row["completion"])))
    except Exception:  # a checker that fails has not accepted
        return 0


def rate(n, of):
    return "%d of %d (%.2f %%)" % (n, of, 100 * n / of)


def main():
    rows = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
    ours = [json.loads(line) for line in open(sys.argv[2], encoding="utf-8")]
    assert len(rows) == len(ours)
    started = time.monotonic()
    peer = [theirs(r) for r in rows]
    seconds = time.monotonic() - started
    mine = [int(o["reward"]) if o["status"] == "ok" else -1 for o in ours]
    n = len(rows)
    print("pairs: %d, of which %d are equal by construction" % (n, sum(r["truth"] for r in rows)))
    print("math-verify %s: %.0f pairs/s, one process" % (version("math-verify"), n / seconds))
    print("agreement: %s" % rate(sum(a == b for a, b in zip(mine, peer)), n))
    print("math_equal right by construction: %s; not ok: %d" % (rate(sum(m == r["truth"] for m, r in zip(mine, rows)), n), mine.count(-1)))
    print("math-verify right by construction: %s" % rate(sum(p == r["truth"] for p, r in zip(peer, rows)), n))
    classes = collections.defaultdict(list)
    sizes = collections.Counter(r["class"] for r in rows)
    for r, m, p in zip(rows, mine, peer):
        if m != p or m != r["truth"]:
            classes[r["class"]].append((r, m, p))
    for name in sorted(classes):
        print("\n%s: %d of %d" % (name, len(classes[name]), sizes[name]))
        for r, m, p in classes[name]:
            print("  ours %d, math-verify %d, made to be %d: %s | %s" % (m, p, r["truth"], r["answer"], r["completion"].replace("\n", " ")))


main()
