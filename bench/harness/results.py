"""Comparing results of peers."""
import numpy as np


def arrays(value):
    return [np.asarray(x) for x in (value if isinstance(value, (tuple, list)) else [value])]


def place(peer, value):
    """Where its results go: in `fresh` arrays each call, or in the same ones again (`out`). `value` is its last result."""
    if hasattr(peer, "results"): return peer.results
    pairs = zip(arrays(value), arrays(peer()))
    return "out" if any(x.size and x.ctypes.data == y.ctypes.data for x, y in pairs) else "fresh"


def comparable(kernel, value, post=None):
    """The arrays of a result in the form in which peers are compared."""
    found = arrays(post(value) if post else value)
    compare = kernel["compare"]
    return arrays(compare(found if len(found) > 1 else found[0])) if compare else found


def error(reference, found):
    """The largest difference relative to the largest element."""
    if len(reference) != len(found): return float("inf")
    worst = 0.0
    for r, x in zip(reference, found):
        if r.size != x.size: return float("inf")
        r = r.astype(np.complex128 if np.iscomplexobj(r) else np.float64)
        x = x.reshape(r.shape).astype(r.dtype)
        size = np.max(np.abs(r)) if r.size else 0
        distance = np.max(np.abs(r - x)) if r.size else 0
        if np.isnan(distance): return float("inf")
        worst = max(worst, float(distance / (size if size else 1)))
    return worst
