"""The metrics of a run by step, downsampled to as many points as a plot can show."""

from __future__ import annotations

Points = list[list[float]]


class Series:
    """Metrics by step. Going back to an earlier step drops the points after it.

    A resumed attempt starts at its checkpoint, and a smaller batch size restarts the training: the later
    points do not describe the model any more.

    limit: maximum number of points per metric in `shown`; up to four times as many are stored.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._points: dict[str, Points] = {}
        self._step = -1

    def set_step(self, step: int) -> bool:
        """Set the current step; return whether it is before the last one."""
        back = step < self._step
        self._step = step
        if back:
            for name in list(self._points):
                kept = [p for p in self._points[name] if p[0] < step]
                if kept:
                    self._points[name] = kept
                else:
                    del self._points[name]
        return back

    def add(self, name: str, step: int, value: float) -> None:
        """Add a point; it replaces one of the same step, and those of later steps."""
        points = self._points.setdefault(name, [])
        while points and points[-1][0] > step:
            points.pop()
        if points and points[-1][0] == step:
            points[-1] = [step, value]
            return
        points.append([step, value])
        if len(points) > 4 * self._limit:
            self._points[name] = downsample(points, 2 * self._limit)

    def compact(self) -> None:
        """Drop the points that `shown` does not return."""
        self._points = self.shown()

    def shown(self) -> dict[str, Points]:
        """Return name → at most `limit` points `[step, value]`, in the order of their steps."""
        return {name: downsample(points, self._limit) for name, points in self._points.items()}

    def latest(self) -> dict[str, float]:
        """Return name → the value of the last step."""
        return {name: points[-1][1] for name, points in self._points.items()}


def downsample(points: Points, limit: int) -> Points:
    """Return at most `limit` (>= 4) points: the first, the last, and the extremes of equal ranges of steps."""
    if len(points) <= limit:
        return [list(p) for p in points]
    buckets = max(1, (limit - 2) // 2)
    first, last = points[0], points[-1]
    width = (last[0] - first[0]) / buckets or 1.0
    low: dict[int, list[float]] = {}
    high: dict[int, list[float]] = {}
    for point in points[1:-1]:
        bucket = min(buckets - 1, int((point[0] - first[0]) / width))
        if bucket not in low or point[1] < low[bucket][1]:
            low[bucket] = point
        if bucket not in high or point[1] > high[bucket][1]:
            high[bucket] = point
    kept = [first]
    for bucket, point in low.items():
        other = high[bucket]
        kept += [point] if point is other else sorted((point, other), key=lambda p: p[0])
    return [list(p) for p in [*kept, last]]
