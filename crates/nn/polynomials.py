"""Fits the polynomials of src/lane/math.rs and prints them as Rust constants.

Each is the polynomial of least greatest weighted error (Lawson's iteratively reweighted least
squares at Chebyshev nodes). The coefficients are rounded to f32 one after the other, the lowest
degree first, and the remaining ones are fitted again each time, so that they make up for the
rounding. Needs numpy and mpmath:

    python3 -m venv .venv && .venv/bin/pip install numpy mpmath && .venv/bin/python crates/nn/polynomials.py
"""

import mpmath
import numpy

mpmath.mp.dps = 40
NODES = 400


def lawson(nodes, target, weight, powers):
    """The coefficients of `powers` that minimize max |weight · (target − polynomial)|."""
    matrix = nodes[:, None] ** powers * weight[:, None]
    right = target * weight
    importance = numpy.full(len(nodes), 1 / len(nodes))
    best, least = None, numpy.inf
    for _ in range(60):
        root = numpy.sqrt(importance)
        scale = numpy.abs(matrix).max(axis=0)
        solution = numpy.linalg.lstsq(matrix / scale * root[:, None], right * root, rcond=None)[0] / scale
        error = numpy.abs(matrix @ solution - right)
        if error.max() < least:
            best, least = solution, error.max()
        importance *= error + 1e-3 * error.max()
        importance /= importance.sum()
    return best, least


def fit(name, about, function, weight, low, high, degree):
    """Prints the polynomial for `function` on [low, high], highest degree first."""
    angles = (numpy.arange(NODES) + 0.5) * numpy.pi / NODES
    nodes = (low + high) / 2 + (high - low) / 2 * numpy.cos(angles)
    rest = numpy.array([float(function(mpmath.mpf(x))) for x in nodes])
    weights = numpy.array([float(weight(mpmath.mpf(x))) for x in nodes])
    coefficients = []
    for power in range(degree + 1):
        solution, error = lawson(nodes, rest, weights, numpy.arange(power, degree + 1))
        coefficients.append(numpy.float32(solution[0]))
        rest = rest - float(coefficients[-1]) * nodes**power
    print(f"/// {about}: {numpy.abs(rest * weights).max():.1e}.")
    print(f"const {name}: [f32; {degree + 1}] = [")
    print("".join(f"    {c!s},\n" for c in reversed(coefficients)) + "];")


def two_parts(name, value, bits):
    """Prints a constant as a part of few bits, so that small multiples are exact, and the rest."""
    exponent = int(mpmath.floor(mpmath.log(value, 2))) + 1
    high = mpmath.nint(value * mpmath.mpf(2) ** (bits - exponent)) / mpmath.mpf(2) ** (bits - exponent)
    print(f"const {name}_HIGH: f32 = {numpy.float32(float(high))!s};")
    print(f"const {name}_LOW: f32 = {numpy.float32(float(value - high))!s};")


mp = mpmath
HALF_LN2 = float(mp.ln(2) / 2) * 1.0001
two_parts("LN_2", mp.ln(2), 15)
fit("EXP", "(eʳ − 1 − r) / r² for |r| ≤ ½ ln 2; error relative to eʳ − 1",
    lambda r: (mp.expm1(r) - r) / r**2, lambda r: abs(r**2 / mp.expm1(r)), -HALF_LN2, HALF_LN2, 4)
fit("LN", "(ln(1 + f) − f + f²/2) / f³ for √½ ≤ 1 + f ≤ √2; error relative to ln(1 + f)",
    lambda f: (mp.log1p(f) - f + f**2 / 2) / f**3, lambda f: abs(f**3 / mp.log1p(f)),
    float(mp.sqrt(mp.mpf(1) / 2)) - 1.0001, float(mp.sqrt(2)) - 0.9999, 7)
fit("ERF_NEAR", "erf(x)/x − 1 in x² for |x| ≤ 0.9; error relative to erf(x)",
    lambda s: mp.erf(mp.sqrt(s)) / mp.sqrt(s) - 1, lambda s: mp.sqrt(s) / mp.erf(mp.sqrt(s)), 1e-12, 0.81, 6)
fit("ERF_FAR", "ln(erfc(x)) for 0.9 ≤ x ≤ 4; error of erf(x)",
    lambda x: mp.log(mp.erfc(x)), lambda x: mp.erfc(x), 0.9, 4.0, 6)
