"""Compares JSON with a shape: fields may be added to an answer, never be missing or of another kind."""
import re

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
STATUS = {"healthy", "degraded", "unhealthy", "unknown"}
NUMBER = (int, float)


def instant(value):
    return isinstance(value, str) and INSTANT.fullmatch(value) is not None


def status(value):
    return value in STATUS


def or_null(shape):
    return lambda value: value is None or not differences(value, shape)


def each(shape):
    """A map whose values all have this shape."""
    return lambda value: isinstance(value, dict) and not any(differences(item, shape) for item in value.values())


def differences(value, shape, path="$"):
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return [f"{path} is {value!r}, not an object"]
        return [line for key, inner in shape.items()
                for line in ([f"{path}.{key} is missing"] if key not in value
                             else differences(value[key], inner, f"{path}.{key}"))]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return [f"{path} is {value!r}, not a list"]
        return [line for at, item in enumerate(value) for line in differences(item, shape[0], f"{path}[{at}]")]
    if isinstance(shape, (type, tuple)):
        right = isinstance(value, shape) and not (isinstance(value, bool) and shape is not bool)
    elif callable(shape):
        right = shape(value)
    else:
        right = value == shape
    return [] if right else [f"{path} is {value!r}, not {getattr(shape, '__name__', shape)}"]


def expect(value, shape):
    found = differences(value, shape)
    assert not found, "\n".join(found)


RESULT = {"name": str, "status": status, "message": str, "details": dict, "timestamp": instant, "duration_ms": NUMBER}
SUMMARY = {"healthy": int, "degraded": int, "unhealthy": int, "unknown": int, "total": int}
HEALTH = {"overall_status": status, "summary": SUMMARY, "checks": [RESULT], "timestamp": instant}
ALERT = {"name": str, "severity": str, "state": str, "message": str, "labels": dict, "annotations": dict,
         "starts_at": instant, "ends_at": or_null(instant)}
ALERTS = {"active_count": int, "total_rules": int, "severity_counts": {"critical": int, "warning": int, "info": int},
          "last_check": or_null(instant), "active_alerts": [ALERT], "timestamp": instant}
DISTRIBUTION = {"count": int, "sum": NUMBER, "min": or_null(NUMBER), "max": or_null(NUMBER), "mean": or_null(NUMBER),
                "p50": or_null(NUMBER), "p95": or_null(NUMBER), "p99": or_null(NUMBER), "buckets": dict}
METRICS = {"counters": each(NUMBER), "gauges": each((int, float, str)), "histograms": each(DISTRIBUTION),
           "timers": each(DISTRIBUTION), "timestamp": instant}
CLUSTER = {"name": str, "cluster_id": str, "status": status, "brokers_online": int, "brokers_known": int,
           "controller_id": int, "topics": int, "partitions": int, "groups": int, "snapshot_age_seconds": NUMBER,
           "stale_brokers": list, "partitions_leaderless": int, "partitions_under_replicated": int,
           "partitions_with_offline_replicas": int, "partitions_with_non_preferred_leader": int,
           "partitions_under_min_isr": or_null(int), "partitions_at_min_isr": or_null(int),
           "partitions_reassigning": or_null(int), "log_dirs_offline": or_null(int),
           "log_dirs_max_usage_percent": or_null(NUMBER), "mode": or_null(str), "version_guess": or_null(str),
           "quorum": or_null({"leader": or_null(int), "epoch": or_null(int), "voters": [
               {"id": int, "lag": or_null(int), "last_fetch": or_null(instant), "is_lagging": bool}]}),
           "cycle": {"duration_ms": NUMBER, "requests": int, "errors": int}, "timestamp": instant}
ERROR = {"error": str, "message": str, "timestamp": instant}
