#!/usr/bin/env python3
"""Pairs of expressions that sympy (an outside judge of the mathematics and of the LaTeX) knows to be equal or different:
rows as tests/peers/math_pairs.py prints them.

    math_sympy.py 4000 > pairs.jsonl;  troupe score --reward math_equal pairs.jsonl"""
import json
import random
import sys

import sympy as sp

rng = random.Random(4)
x, y, t, n = sp.symbols("x y t n")


def rational():
    return sp.Rational(rng.randint(-20, 20), rng.randint(1, 12))


def surd():
    return sum(rational() * sp.sqrt(rng.choice([2, 3, 5, 6, 7, 12, 18])) for _ in range(rng.randint(1, 3))) + rational()


def polynomial(names=(x, y)):
    return sp.prod(sum(rational() * v**rng.randint(0, 3) for v in names) + rng.randint(-3, 3) for _ in range(rng.randint(1, 3)))


def rational_function():
    return polynomial((x, )) / (x**2 + rng.randint(1, 5)) + rational() / (x + rng.randint(1, 9)) + rational() / (y + 11)


def trigonometric():
    return rational() * sp.sin(rng.randint(1, 3) * x)**2 + rational() * sp.cos(x) * sp.sin(x + rng.randint(0, 2)) + sp.tan(y) * rational()


def constant():
    f = rng.choice([sp.sin, sp.cos, sp.exp, sp.log, sp.atan, sp.cosh])
    return rational() * f(sp.Rational(rng.randint(1, 30), rng.randint(1, 9))) + rational() * sp.pi + surd()


def complex_number():
    return (rational() + rational() * sp.I) * (surd() + sp.I)**rng.randint(1, 2)


def exponential():
    return sp.exp(rational() * x + rational()) * rng.randint(1, 5) + rational() * 2**(x + rng.randint(1, 3)) + sp.log(x**2 + 1) * rational()


KINDS = [rational, surd, polynomial, rational_function, trigonometric, constant, complex_number, exponential]


def forms(e):
    """Other ways to write e."""
    out = [sp.expand(e), sp.factor(e), sp.together(e), sp.apart(e, x) if e.is_rational_function(x) and e.free_symbols <= {x} else e,
           sp.expand_trig(e), sp.radsimp(e),
           sp.collect(sp.expand(e), x), sp.expand(e, power_exp=True)]
    return [f for f in out if not f.has(sp.nan, sp.zoo)]


def text(e):
    style = rng.randint(0, 3)
    if style == 0:
        return str(e).replace("I", "i").replace("E", "e").replace("log", "ln")
    if style == 1:
        return sp.latex(e, fold_frac_powers=True, ln_notation=True)
    if style == 2:
        return sp.latex(e, mul_symbol="dot", ln_notation=True)
    return sp.latex(e, ln_notation=True)


def value(e):
    return complex(e.subs({x: sp.Rational(137, 100), y: sp.Rational(71, 50)}).evalf(30))


def main():
    made = 0
    while made < int(sys.argv[1]):
        kind = rng.choice(KINDS)
        e = kind()
        f = rng.choice(forms(e))
        truth = rng.randint(0, 1)
        if not truth:
            f = rng.choice([f + rational(), -f, f * 2, f + sp.Rational(1, 10**9)])
        same = abs(value(e) - value(f)) < 1e-12 * (1 + abs(value(e)))
        if same != bool(truth) and (truth or e != 0):
            continue
        print(json.dumps({"id": made, "class": kind.__name__, "truth": int(same), "answer": text(e),
                          "completion": "\\boxed{%s}" % text(f)}))
        made += 1


main()
