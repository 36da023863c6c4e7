"""What a JSON number that is no 64-bit integer becomes: the nearest double, and the one that serde_json makes of it."""

from __future__ import annotations

import re

_U64_MAX = 2**64 - 1
I32_MAX = 2**31 - 1
_I32_MIN = -(2**31)
_POWERS = tuple(float(f"1e{n}") for n in range(309))
_PARTS = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?(?:[eE]([+-]?)([0-9]+))?")


def exact_float(token: str) -> float:
    """The double nearest to a JSON number. Raises OverflowError where that is infinite."""
    number = float(token)
    if number in (float("inf"), float("-inf")):
        raise OverflowError(token)
    return number


def runtime_float(token: str) -> float:
    """The double that serde_json makes of a number that is no 64-bit integer: often one unit in the last place off.

    Its digits are gathered in a u64 while they fit, then multiplied or divided once by a power of ten
    (``parse_integer``, ``parse_decimal``, ``parse_exponent``, ``f64_from_parts``; FORMAT.md, "The rule").

    Raises:
        OverflowError: serde_json says "number out of range".
    """
    parts = _PARTS.fullmatch(token)
    if parts is None:
        raise ValueError(f"not a JSON number: {token!r}")
    minus, whole, fraction, exponent_sign, exponent_digits = parts.groups("")
    significand, taken = _gather(0, whole)
    exponent = len(whole) - taken
    significand, taken = _gather(significand, fraction)
    exponent -= taken
    written = _written_exponent(exponent_digits)
    if written is None:
        if significand and exponent_sign != "-":
            raise OverflowError(token)
        return -0.0 if minus else 0.0
    exponent += -written if exponent_sign == "-" else written
    number = _scaled(significand, max(_I32_MIN, min(I32_MAX, exponent)))
    return -number if minus else number


def _gather(significand: int, digits: str) -> tuple[int, int]:
    """`significand` with as many of `digits` appended as a u64 holds, and how many of them that were."""
    zeros = len(digits) - len(digits.lstrip("0")) if significand == 0 else 0
    room = 20 - (len(str(significand)) if significand else 0)
    taken = digits[zeros : zeros + room]
    if not taken:
        return significand, zeros
    longer = significand * 10 ** len(taken) + int(taken)
    if longer > _U64_MAX:
        taken = taken[:-1]
        longer = significand * 10 ** len(taken) + int(taken or 0)
    return longer, zeros + len(taken)


def _written_exponent(digits: str) -> int | None:
    """The exponent's digits as a number; None where an i32 cannot hold it."""
    significant = digits.lstrip("0")
    if len(significant) > 10:
        return None
    exponent = int(significant or 0)
    return exponent if exponent <= I32_MAX else None


def _scaled(significand: int, exponent: int) -> float:
    """``f64_from_parts``: one multiplication or division, by way of 1e308 where the exponent is smaller."""
    number = float(significand)
    while exponent < -308 and number:
        number /= 1e308
        exponent += 308
    if number == 0.0:
        return number
    if exponent > 308:
        raise OverflowError
    if exponent < 0:
        return number / _POWERS[-exponent]
    number *= _POWERS[exponent]
    if number == float("inf"):
        raise OverflowError
    return number
