#!/usr/bin/env python3
"""Pairs of a reference answer and an answer to judge, from the references of MATH-500, one JSON object a line:
`completion` (the answer in a \\boxed{}), `answer` (the reference), `class` (how it was made), `truth` (1 if the two are the
same by construction, 0 if not). For `troupe score --reward math_equal` and tests/peers/math_judge.py.

    math_pairs.py shared/data/math500/test.jsonl > pairs.jsonl
    math_pairs.py shared/data/math500/test.jsonl 4 > tests/data/math_equal_golden.jsonl     (at most 4 of each class)

Every transformation is textual and its truth is known from how it is made; nothing here comes from another checker."""
import json
import random
import re
import sys
from fractions import Fraction

rng = random.Random(20261125)
OUT = []
seen = set()


PLACES = {
    "dollars": "Adding these gives 12 and then 7.\n\nThe final answer is $%s$.",
    "bold": "Since $x = 3$, we find it.\n\n**Answer:** $%s$",
    "display": "Because of this,\n\\[ \\boxed{%s} \\]\nis what we want, as in step 2.",
    "double dollars": "Therefore\n$$\n\\boxed{%s}\n$$",
    "second box": "At first \\boxed{17} looks right, but it is $\\boxed{%s}$",
    "plain": "I hope that it is correct. The answer is \\(%s\\).",
}


def add(kind, ref, ans, truth, completion="So it is $\\boxed{%s}$."):
    if (ref, ans, completion) in seen or (truth == 0 and ans == ref):
        return
    seen.add((ref, ans, completion))
    OUT.append({"id": len(OUT), "class": kind, "truth": truth, "answer": ref, "completion": completion % ans})


def number(s):
    """A plain number of the references as a fraction, or None."""
    s = s.replace("\\!", "").replace(" ", "").replace("\\$", "").replace("\\dfrac", "\\frac")
    m = re.fullmatch(r"-?\d{1,3}(,\d{3})+", s)
    if m:
        return Fraction(s.replace(",", ""))
    if re.fullmatch(r"-?\d*\.?\d+", s):
        return Fraction(s if not s.startswith(".") else "0" + s)
    m = re.fullmatch(r"(-?)\\frac(?:\{(\d+)\}|(\d))(?:\{(\d+)\}|(\d+))", s)
    if m:
        q = Fraction(int(m[2] or m[3]), int(m[4] or m[5]))
        return -q if m[1] else q
    return None


def terminating(q):
    d = q.denominator
    for p in (2, 5):
        while d % p == 0:
            d //= p
    return d == 1


def decimal(q):
    """The exact decimal of a terminating fraction."""
    k = 0
    while (q * 10**k).denominator != 1:
        k += 1
    n = abs(int(q * 10**k))
    text = str(n).rjust(k + 1, "0")
    return ("-" if q < 0 else "") + (text[:len(text) - k] + ("." + text[len(text) - k:] if k else ""))


def frac(q, command="\\frac"):
    return "%s%s{%d}{%d}" % ("-" if q < 0 else "", command, abs(q.numerator), q.denominator)


def commas(n):
    return "{:,}".format(n)


def terms(s):
    """The terms of a sum at the top level, with their signs."""
    out, depth, cur = [], 0, ""
    for c in s.replace(" ", ""):
        if c in "+-" and depth == 0 and cur and not cur.endswith("^"):
            out.append(cur)
            cur = ""
        depth += c in "({["
        depth -= c in ")}]"
        cur += c
    out.append(cur)
    return [t if t[0] in "+-" else "+" + t for t in out]


def joined(ts):
    s = "".join(ts)
    return s[1:] if s[0] == "+" else s


def flip(t):
    return ("-" if t[0] == "+" else "+") + t[1:]


def integers(ref, q):
    n = int(q)
    add("integer: decimal", ref, "%d.0" % n, 1)
    add("integer: decimal", ref, "%d.00" % n, 1)
    add("integer: fraction", ref, "\\frac{%d}{%d}" % (3 * n, 3), 1)
    add("integer: fraction", ref, "%d/2" % (2 * n), 1)
    add("integer: sum", ref, "%d+7" % (n - 7), 1)
    add("integer: difference", ref, "%d-%d" % (n + 12, 12), 1)
    add("integer: assigned", ref, "x = %d" % n, 1)
    add("integer: assigned", ref, "n=%d" % n, 1)
    add("integer: text", ref, "%d\\text{ units}" % n, 1)
    add("integer: product", ref, "%d \\cdot 1" % n, 1)
    add("integer: brackets", ref, "(%d)" % n, 1)
    if n > 0:
        add("integer: root", ref, "\\sqrt{%d}" % (n * n), 1)
    if abs(n) >= 1000:
        add("integer: commas", ref, commas(n), 1)
        add("integer: commas", ref, commas(n).replace(",", "{,}"), 1)
        add("integer: commas", ref, commas(n).replace(",", ",\\!"), 1)
    if n % 10 == 0 and n:
        add("integer: scientific", ref, "%d \\times 10" % (n // 10), 1)
        add("integer: scientific", ref, "%s \\times 10^{2}" % decimal(Fraction(n, 100)), 1)
    for m in (n + 1, n - 1, -n if n else 5, 10 * n + 1, n + 100):
        add("integer: other", ref, str(m), 0)
    add("integer: other", ref, "\\frac{%d}{%d}" % (2 * n + 1, 2), 0)
    add("integer: other", ref, "%d.5" % n, 0)
    add("integer: other", ref, "x = %d" % (n + 2), 0)
    add("integer: other", ref, "\\sqrt{%d}" % (n * n + 1), 0)
    add("integer: other", ref, "%d, %d" % (n, n + 1), 0)
    add("integer: other", ref, "%d\\pi" % n if n else "\\pi", 0)


def fractions(ref, q):
    a, b = q.numerator, q.denominator
    add("fraction: dfrac", ref, frac(q, "\\dfrac"), 1)
    add("fraction: tfrac", ref, frac(q, "\\tfrac"), 1)
    add("fraction: slash", ref, "%d/%d" % (a, b), 1)
    add("fraction: scaled", ref, "\\frac{%d}{%d}" % (2 * a, 2 * b), 1)
    add("fraction: scaled", ref, "\\frac{%d}{%d}" % (-5 * a, -5 * b), 1)
    add("fraction: sign inside", ref, "\\frac{%d}{%d}" % (-a, -b), 1)
    add("fraction: product", ref, "%d \\cdot \\frac{1}{%d}" % (a, b), 1)
    add("fraction: power", ref, "%d \\cdot %d^{-1}" % (a, b), 1)
    add("fraction: sum", ref, "\\frac{%d}{%d} + \\frac{1}{%d}" % (a - 1, b, b), 1)
    add("fraction: assigned", ref, "P = \\frac{%d}{%d}" % (a, b), 1)
    if terminating(q):
        add("fraction: decimal", ref, decimal(q), 1)
        add("fraction: percent", ref, decimal(100 * q) + "\\%", 1)
    else:
        add("fraction: rounded decimal (2)", ref, "%.2f" % float(q), 0)
        add("fraction: rounded decimal (9)", ref, "%.9f" % float(q), 0)
    if abs(a) > b:
        whole, part = divmod(abs(a), b)
        add("fraction: mixed", ref, "%s%d\\frac{%d}{%d}" % ("-" if a < 0 else "", whole, part, b), 1)
        add("fraction: mixed", ref, "%s%d %d/%d" % ("-" if a < 0 else "", whole, part, b), 1)
    for c, d in ((b, a), (-a, b), (a + 1, b), (a, b + 1), (a, 2 * b), (b - a, b)):
        if d and Fraction(c, d) != q:
            add("fraction: other", ref, "\\frac{%d}{%d}" % (c, d), 0)
            add("fraction: other", ref, "%d/%d" % (c, d), 0)


def decimals(ref, q):
    add("decimal: fraction", ref, "\\frac{%d}{%d}" % (q.numerator, q.denominator), 1)
    add("decimal: zeros", ref, decimal(q) + "0", 1)
    add("decimal: scientific", ref, "%s \\times 10^{-3}" % decimal(1000 * q), 1)
    add("decimal: scientific", ref, "%s \\cdot 10^{2}" % decimal(q / 100), 1)
    add("decimal: other", ref, decimal(q + Fraction(1, 100)), 0)
    add("decimal: other", ref, decimal(10 * q), 0)
    add("decimal: other", ref, decimal(-q), 0)
    add("decimal: other", ref, "%s \\times 10^{-2}" % decimal(1000 * q), 0)


def surds(ref, m):
    a, b = int(m[1] or 1), int(m[2])
    add("root: inside", ref, "\\sqrt{%d}" % (a * a * b), 1)
    add("root: order", ref, "\\sqrt{%d} \\cdot %d" % (b, a), 1)
    add("root: rationalised", ref, "\\frac{%d}{\\sqrt{%d}}" % (a * b, b), 1)
    add("root: power", ref, "%d \\cdot %d^{1/2}" % (a, b), 1)
    add("root: power", ref, "%d \\cdot %d^{\\frac{1}{2}}" % (a, b), 1)
    add("root: plain", ref, "%d*sqrt(%d)" % (a, b), 1)
    add("root: difference", ref, "%d\\sqrt{%d}-\\sqrt{%d}" % (a + 1, b, b), 1)
    for c, d in ((a + 1, b), (a, b + 1), (-a, b), (b, a)):
        if d > 0 and (c < 0 or c * c * d != a * a * b):
            add("root: other", ref, "%d\\sqrt{%d}" % (c, d), 0)
    add("root: other", ref, "%d\\sqrt[3]{%d}" % (a, b), 0)
    add("root: rounded decimal (4)", ref, "%.4f" % (a * b**.5), 0)


def sums(ref):
    ts = terms(ref)
    if len(ts) < 2:
        return
    for _ in range(3):
        s = ts[:]
        rng.shuffle(s)
        add("sum: order", ref, joined(s), 1)
    add("sum: spaced", ref, joined(ts).replace("+", " + "), 1)
    add("sum: doubled half", ref, "\\frac{2(%s)}{2}" % ref, 1)
    add("sum: negative", ref, "-(%s)" % joined([flip(t) for t in ts]), 1)
    add("sum: added", ref, "%s + 1 - 1" % ref, 1)
    for i in range(len(ts)):
        add("sum: other sign", ref, joined(ts[:i] + [flip(ts[i])] + ts[i + 1:]), 0)
    add("sum: term lost", ref, joined(ts[1:]), 0)
    add("sum: one more", ref, ref + " + 1", 0)
    add("sum: doubled", ref, "2(%s)" % ref, 0)


def expression(ref):
    add("expression: left right", ref, ref.replace("(", "\\left(").replace(")", "\\right)"), 1)
    add("expression: scaled", ref, "\\frac{3(%s)}{3}" % ref, 1)
    add("expression: brackets", ref, "(%s)" % ref, 1)
    add("expression: plus nothing", ref, "%s + 0" % ref, 1)
    add("expression: assigned", ref, "A = %s" % ref, 1)
    add("expression: other", ref, "2(%s)" % ref, 0)
    add("expression: other", ref, "-(%s)" % ref, 0)
    add("expression: other", ref, "(%s) + 1" % ref, 0)
    if "\\pi" in ref:
        add("expression: pi sign", ref, ref.replace("\\pi", "\u03c0"), 1)
        add("expression: other", ref, ref.replace("\\pi", ""), 0)


def items(ref, parts):
    for _ in range(2):
        p = parts[:]
        rng.shuffle(p)
        add("list: order", ref, ", ".join(p), 1)
        add("list: set", ref, "\\{%s\\}" % ",".join(p), 1)
    add("list: and", ref, ", ".join(parts[:-1]) + " \\text{ and } " + parts[-1], 1)
    add("list: spaces", ref, ",\\ ".join(parts), 1)
    add("list: element lost", ref, ",".join(parts[1:]), 0)
    add("list: element more", ref, ",".join(parts + ["97"]), 0)
    add("list: element changed", ref, ",".join(parts[:-1] + ["97"]), 0)
    add("list: sign", ref, ",".join(["-(%s)" % parts[0]] + parts[1:]), 0)


def tuples(ref, inside, parts, opened, closed):
    body = ",".join(parts)
    add("tuple: spaces", ref, "%s %s %s" % (opened, ", ".join(parts), closed), 1)
    add("tuple: left right", ref, "\\left%s%s\\right%s" % (opened, body, closed), 1)
    add("tuple: dfrac", ref, opened + body.replace("\\frac", "\\dfrac") + closed, 1)
    for i, p in enumerate(parts):
        q = number(p)
        if q is not None:
            other = parts[:i] + ["\\frac{%d}{%d}" % (2 * q.numerator, 2 * q.denominator)] + parts[i + 1:]
            add("tuple: fraction", ref, opened + ",".join(other) + closed, 1)
            other = parts[:i] + [decimal(q + 1) if terminating(q) else frac(q + 1)] + parts[i + 1:]
            add("tuple: entry changed", ref, opened + ",".join(other) + closed, 0)
            if q:
                other = parts[:i] + [frac(-q)] + parts[i + 1:]
                add("tuple: sign", ref, opened + ",".join(other) + closed, 0)
    if len(set(parts)) > 1 and "infty" not in body:
        add("tuple: order", ref, opened + ",".join(parts[::-1]) + closed, 0)
    add("tuple: entry more", ref, opened + ",".join(parts + ["1"]) + closed, 0)
    if len(parts) == 2 and "infty" not in body:
        for o, c in (("[", "]"), ("(", "]"), ("[", ")"), ("(", ")")):
            if (o, c) != (opened, closed):
                add("tuple: brackets", ref, o + body + c, 0)


def matrices(ref, rows):
    def text(rs, kind="pmatrix"):
        return "\\begin{%s} %s \\end{%s}" % (kind, " \\\\ ".join(" & ".join(r) for r in rs), kind)

    add("matrix: bmatrix", ref, text(rows, "bmatrix"), 1)
    add("matrix: spaces", ref, text(rows).replace(" ", ""). replace("\\\\", " \\\\ "), 1)
    add("matrix: frac", ref, text([[re.sub(r"(-?)(\d+)/(\d+)", r"\1\\frac{\2}{\3}", e) for e in r] for r in rows]), 1)
    for i, r in enumerate(rows):
        for j, e in enumerate(r):
            other = [list(x) for x in rows]
            other[i][j] = "%s+1" % e
            add("matrix: entry changed", ref, text(other), 0)
            if e != "0":
                other[i][j] = e[1:] if e[0] == "-" else "-" + e
                add("matrix: sign", ref, text(other), 0)
            other[i][j] = "1*(%s)" % e
            add("matrix: product entry", ref, text(other), 1)
    if rows != rows[::-1]:
        add("matrix: rows", ref, text(rows[::-1]), 0)
    add("matrix: row lost", ref, text(rows[1:]), 0)


def texts(ref, word):
    w = word.strip("()")
    for form in (w, "\\text{%s}" % w, "\\textbf{%s}" % w, "\\mathrm{%s}" % w, "\\text{ %s }" % w, w.upper(), "%s." % w):
        add("text: form", ref, form, 1)
    if len(w) == 1:
        add("text: letter", ref, "(%s)" % w, 1)
        for o in "ABCDE":
            if o != w:
                add("text: other", ref, "\\text{(%s)}" % o, 0)
                add("text: other", ref, o, 0)
    else:
        for o in ("Tuesday", "north", "circle", "odd", "Maria", w + "s", w[:-1]):
            if o.lower() != w.lower():
                add("text: other", ref, "\\text{%s}" % o, 0)
                add("text: other", ref, o, 0)


def degrees(ref, n):
    for form in ("%d", "%d^{\\circ}", "%d\u00b0", "%d \\text{ degrees}", "%d\\degree", "x = %d^\\circ", "%d.0^\\circ"):
        add("degrees: form", ref, form % n, 1)
    for m in (n + 1, 180 - n, 90 - n, -n, 2 * n):
        if m != n:
            add("degrees: other", ref, "%d^\\circ" % m, 0)
            add("degrees: other", ref, "%d" % m, 0)


def based(ref, digits, base):
    for form in ("%s_{%s}", "%s_%s", "%s_{ %s }"):
        add("base: form", ref, form % (digits, base), 1)
    add("base: left out", ref, digits, 1)
    add("base: other base", ref, "%s_{%d}" % (digits, int(base) + 1), 0)
    add("base: other digits", ref, "%s_{%s}" % (digits[::-1], base), 0) if digits != digits[::-1] else None
    add("base: other digits", ref, "1%s_{%s}" % (digits, base), 0)
    add("base: in base ten", ref, str(int(digits, int(base))), 0)


def units(ref, n, unit, power):
    q = Fraction(n)
    for form in (n, "%s \\text{ %s}%s" % (n, unit, power), "%s\\,\\text{%s}%s" % (n, unit, power), "%s\\mbox{ %s}%s" % (n, unit, power),
                 "%s\\ \\mathrm{%s}%s" % (n, unit, power)):
        add("unit: form", ref, form, 1)
    for m in (q + 1, -q, q * 10):
        add("unit: other", ref, decimal(m), 0)
        add("unit: other", ref, "%s \\text{ %s}%s" % (decimal(m), unit, power), 0)


def money(ref, q):
    for form in ("%s", "\\$%s", "\\$ %s", "%s \\text{ dollars}", "\\$%s.00" if q.denominator == 1 else "\\$%s"):
        add("money: form", ref, form % decimal(q), 1)
    for m in (q + 1, q / 10, 10 * q):
        add("money: other", ref, "\\$" + decimal(m), 0)


def equations(ref):
    left, right = ref.split("=")
    add("equation: swapped", ref, "%s = %s" % (right, left), 1)
    add("equation: to one side", ref, "%s - (%s) = 0" % (left, right), 1)
    add("equation: to one side", ref, "0 = %s - (%s)" % (left, right), 1)
    add("equation: times 3", ref, "3(%s) = 3(%s)" % (left, right), 1)
    add("equation: times -2", ref, "-2(%s) = -2(%s)" % (left, right), 1)
    add("equation: order", ref, "%s = %s" % (joined(terms(left)[::-1]), joined(terms(right)[::-1])), 1)
    add("equation: one more", ref, "%s = %s + 1" % (left, right), 0)
    add("equation: one side doubled", ref, "2(%s) = %s" % (left, right) if right.strip() != "0" else "%s = 7" % left, 0)
    add("equation: sign", ref, "%s = -(%s)" % (left, right) if right.strip() != "0" else "%s = -7" % left, 0)
    add("equation: other name", ref, ref.replace("y", "w") if "y" in ref else ref.replace("x", "w"), 0)


def unions(ref):
    parts = [p.strip() for p in ref.split("\\cup")]
    add("union: order", ref, " \\cup ".join(parts[::-1]), 1)
    add("union: left right", ref, ref.replace("(", "\\left(").replace(")", "\\right)"), 1)
    add("union: sign", ref, ref.replace("\\cup", "\u222a"), 1)
    add("union: part lost", ref, parts[0], 0)
    add("union: closed", ref, ref.replace("(", "[", 2) if "infty" not in ref else ref[::-1].replace("(", "[", 1)[::-1], 0)
    add("union: intersection", ref, ref.replace("\\cup", "\\cap"), 0)


def inequalities(ref, low, high, opened, closed):
    lo = "" if "infty" in low else low + (" < " if opened == "(" else " \\le ")
    hi = "" if "infty" in high else (" < " if closed == ")" else " \\le ") + high
    add("interval: inequality", ref, lo + "x" + hi, 1)
    add("interval: in", ref, "x \\in %s%s,%s%s" % (opened, low, high, closed), 1)
    if lo:
        turned = " \\le " if opened == "(" else " < "
        add("interval: other inequality", ref, low + turned + "x" + hi, 0)


def plus_minus(ref):
    plus, minus = ref.replace("\\pm", "+"), ref.replace("\\pm", "-")
    add("plus minus: list", ref, "%s, %s" % (plus, minus), 1)
    add("plus minus: list", ref, "%s, %s" % (minus, plus), 1)
    add("plus minus: set", ref, "\\{%s, %s\\}" % (minus, plus), 1)
    add("plus minus: and", ref, "%s \\text{ and } %s" % (plus, minus), 1)
    add("plus minus: one", ref, plus, 0)
    add("plus minus: one", ref, minus, 0)
    add("plus minus: other", ref, ref.replace("\\pm", "\\pm 2"), 0)


def split_top(s):
    out, depth, cur = [], 0, ""
    for c in s:
        if c == "," and depth == 0:
            out.append(cur.strip())
            cur = ""
            continue
        depth += c in "({[" and not cur.endswith("\\")
        depth -= c in ")}]" and not cur.endswith("\\")
        cur += c
    return out + [cur.strip()]


def special(ref):
    """The forms that only this kind of reference has; True if its kind was recognised."""
    plain = ref.replace("\\left", "").replace("\\right", "").strip()
    q = number(ref)
    if "\\$" in ref and q is not None:
        return money(ref, q)
    if q is not None and q.denominator == 1 and "." not in ref:
        return integers(ref, q)
    if q is not None and "." in ref:
        return decimals(ref, q)
    if q is not None:
        return fractions(ref, q)
    m = re.fullmatch(r"(\d*) ?\\sqrt\{?(\d+)\}?", ref)
    if m:
        return surds(ref, m)
    m = re.fullmatch(r"(\d+)\^\\circ", ref)
    if m:
        return degrees(ref, int(m[1]))
    m = re.fullmatch(r"(\d+)_\{?(\d)\}?", ref)
    if m:
        return based(ref, m[1], m[2])
    m = re.fullmatch(r"\\text\{(.*)\}", ref)
    if m:
        return texts(ref, m[1])
    m = re.fullmatch(r"([\d.]+) ?\\(?:text|mbox)\{ (\w+)\}(\^2)?", ref)
    if m:
        return units(ref, m[1], m[2], m[3] or "")
    m = re.fullmatch(r"\\begin\{pmatrix\}(.*)\\end\{pmatrix\}", ref)
    if m:
        return matrices(ref, [[e.strip() for e in r.split("&")] for r in m[1].split("\\\\")])
    if "\\cup" in ref:
        return unions(ref)
    if "\\pm" in ref and "{" not in ref[0:2]:
        return plus_minus(ref)
    m = re.fullmatch(r"([(\[])(.*)([)\]])", plain)
    if m and len(split_top(m[2])) > 1:
        parts = split_top(m[2])
        tuples(ref, m[2], parts, m[1], m[3])
        if m[1] == "[" or m[3] == "]" or "infty" in ref:
            inequalities(ref, parts[0], parts[1], m[1], m[3])
        return None
    if ref.startswith("\\{"):
        return items(ref, split_top(ref[2:-2]))
    if len(split_top(ref)) > 1:
        return items(ref, split_top(ref))
    if "=" in ref and "\\in" not in ref:
        return equations(ref)
    if "\\in" in ref:
        return None
    sums(ref)
    return expression(ref)


def core(ref):
    """What stays of a reference for telling two of them apart."""
    s = re.sub(r"\\text\{ degrees\}|\^\\circ|\\left|\\right|\\!|\\\$| |\^2$|\\(text|mbox)\{ ?[a-z]+\}(\^2)?$", "", ref)
    s = re.sub(r"^[a-z](=|\\in)", "", s)
    s = re.sub(r"_\{?\d\}?$", "", s)
    q = number(s)
    return str(q) if q is not None else s.replace("\\dfrac", "\\frac")


def main():
    refs = [json.loads(line)["answer"] for line in open(sys.argv[1], encoding="utf-8")]
    for ref in refs:
        add("same", ref, ref, 1)
        add("spaced", ref, " " + ref + " ", 1)
        if "\\frac" in ref:
            add("dfrac", ref, re.sub(r"\\d?frac", r"\\dfrac", ref), 1)
        special(ref)
    for ref in refs:
        others = [o for o in refs if core(o) != core(ref) and o.strip() != ref.strip()]
        for other in rng.sample(others, 3):
            add("another problem's", ref, other, 0)
        for place in rng.sample(sorted(PLACES), 3):
            add("place: " + place, ref, ref, 1, PLACES[place])
            add("place: " + place, ref, rng.choice(others), 0, PLACES[place])
    kept = {}
    most = int(sys.argv[2]) if len(sys.argv) > 2 else len(OUT)
    for row in rng.sample(OUT, len(OUT)) if most < len(OUT) else OUT:
        kept[row["class"]] = kept.get(row["class"], 0) + 1
        if kept[row["class"]] <= most:
            print(json.dumps(row))


main()
