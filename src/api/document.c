/* docs/http-api.md from the routes' rows. */
#include "api/api.h"
#include "base/str.h"

static const char *method(const struct koa_http_route *route)
{
    return (route->methods & KOA_HTTP_GET) != 0 ? "GET, HEAD" : "POST";
}

static const char *scope(const struct koa_http_route *route)
{
    if (route->scope == KOA_SCOPE_METRICS)
        return "metrics";
    return route->scope == KOA_SCOPE_READ ? "read" : "admin";
}

/* Fields of the answers that clients rely on; tests/system/test_contract.py looks for them. */
static void document_answers(struct koa_buf *buf)
{
    koa_buf_append_text(
        buf,
        "\n## Fields\n\n"
        "Keys may stand in any order, and more may be added.\n\n"
        "| path | object |\n|---|---|\n"
        "| `/health` | `{overall_status, summary{healthy, degraded, unhealthy, unknown, total}, "
        "checks[RESULT], timestamp}` |\n"
        "| `/health/ready`, `/health/live` | `{status, timestamp}`, with `reason` where there is "
        "one; `ready` or `not_ready`, `alive` or `stuck` |\n"
        "| `/health/checks` | `{checks[RESULT], total_count, timestamp}` |\n"
        "| `/health/checks/{name}` | RESULT; 503 when unhealthy |\n"
        "| `/health/history` | `{history[{overall_status, summary, checks[RESULT], timestamp}], "
        "count, timestamp}` |\n"
        "| `/metrics` | `{counters{}, gauges{}, histograms{}, timers{}, timestamp}` |\n"
        "| `/metrics/history` | `{history[the same], count, timestamp}`; of one family "
        "`{name, step_seconds, series[{labels, points[[time, value]]}], timestamp}` |\n"
        "| `/alerts` | `{active_count, total_rules, severity_counts{critical, warning, info}, "
        "last_check or null, active_alerts[ALERT], timestamp}` |\n"
        "| `/alerts/history` | `{history[ALERT], count, timestamp}`, one for each transition |\n"
        "| `/alerts/{fingerprint}` | ALERT with `fingerprint, rule, value, threshold, since, "
        "transitions[{state, at, value}], suppressed_by, notifications[{notifier, state, at, "
        "attempt, outcome, next_attempt, reason}]` |\n"
        "| `/rules` | `{rules[{name, type, severity, state, last_evaluation, last_duration_ms, "
        "last_error, active[{fingerprint, state, labels, value, threshold, since}]}], count, "
        "timestamp}` |\n"
        "| `/status` | `{overall_status, health, metrics_summary{counters_count, gauges_count, "
        "histograms_count, timers_count, last_updated}, alerts, timestamp}`; a firing critical "
        "alert makes it unhealthy, a firing warning degraded |\n"
        "| `/info` | `{service, version, revision, platform, hostname, pid, uptime_seconds, "
        "components{health_checks, alert_manager_active, metrics_collector_active}, timestamp}` "
        "|\n"
        "| POST `/-/reload` | `{reloaded, changed[], timestamp}`; 400 with `errors[{file, line, "
        "column, path, message}]`, and nothing is changed |\n"
        "| POST `/-/log-level` | takes `{level, component}`, the latter may be left out; "
        "`{levels{}, timestamp}` |\n\n"
        "RESULT is `{name, status, message, details{}, timestamp, duration_ms, critical, stale}`; "
        "ALERT is `{name,\nseverity, state, message, labels{}, annotations{}, starts_at, ends_at "
        "or null}`. Statuses are healthy, degraded,\nunhealthy and unknown; severities critical, "
        "warning and info; states pending, firing and resolved.\n\n"
        "The keys of the metrics' maps are `name` or `name{label=value,label2=value2}`, labels "
        "sorted, with `\\` before each\nof `, = { } \" \\` in a value. A histogram or timer is "
        "`{count, sum, min, max, mean, p50, p95, p99, buckets{}}`,\nbuckets cumulative. Values "
        "that JSON lacks are the texts NaN, +Inf and -Inf.\n");
}

static void document_webhook(struct koa_buf *buf)
{
    koa_buf_append_text(
        buf, "\n## Webhook\n\n"
             "A notifier of the type `webhook` POSTs `{alert, timestamp}`: ALERT as above with "
             "`fingerprint`, `rule`, `value`\nand `threshold`. With `format: alertmanager` it is "
             "version 4 of Alertmanager's webhook.\n\n"
             "| header | is |\n|---|---|\n"
             "| `Content-Type` | `application/json` |\n"
             "| `Idempotency-Key` | the same for every attempt of one notification |\n"
             "| `X-Koa-Timestamp` | seconds since 1970 of this attempt |\n"
             "| `X-Koa-Signature` | with `hmac_key`: `v1=` and the hexadecimal HMAC-SHA256 of the "
             "timestamp, a dot and the body |\n\n"
             "2xx is delivered. 408, 425, 429, 5xx and no answer are tried again, with growing "
             "pauses or "
             "after `Retry-After`, up to\n`max_attempts`; anything else is given up at once. "
             "Redirects are not followed.\n");
}

void koa_api_document(struct koa_buf *buf)
{
    koa_buf_append_text(
        buf,
        "# HTTP API\n\n"
        "Written by `kafka-ops-agent docs http-api` from the program's own rows.\n\n"
        "Answers are JSON unless said otherwise: UTF-8, instants in RFC 3339 with milliseconds and "
        "`Z`, durations\nwith their unit in the name. Every answer has `Cache-Control: no-store` "
        "and `X-Content-Type-Options:\nnosniff`. An error is `{error, message, timestamp}`: 400 "
        "for a query value that cannot be read, 401 and 403\nfor credentials, 404, 405 with "
        "`Allow`, 413, 429 with `Retry-After`, 431, 503. A path with a trailing slash\nis not "
        "found. `limit=0` means all that is kept.\n\n"
        "What is no HTTP request is refused in the same way when a connection without TLS begins "
        "with it. Later on a\nconnection, or inside TLS, the HTTP library refuses it first, in "
        "HTML and with the end of the connection: 400\nfor a malformed request line, a header "
        "line without a colon or a Content-Length that is no number, 505 for a\nversion other "
        "than 1.x, 413 for a Content-Length beyond 64 bits, 431 for a head beyond 64 KiB or "
        "with\nmany hundreds of headers, cookies or parameters.\n\n"
        "Scopes count once users or tokens are configured: `metrics`, `read` (which implies "
        "metrics), `admin` (which\nimplies all). `/health/live`, `/health/ready` and the bare "
        "statuses of `/health` stay open unless `web.open`\nsays otherwise. Without configured "
        "credentials, POST is answered on loopback only.\n\n"
        "| method | path | scope | is |\n|---|---|---|---|\n");
    for (size_t i = 0; i < koa_api_route_count; i++) {
        const struct koa_http_route *route = &koa_api_routes[i];

        koa_buf_printf(buf, "| %s | `%s` | %s | %s |\n", method(route), route->pattern,
                       scope(route), route->help);
    }
    document_answers(buf);
    document_webhook(buf);
    koa_buf_append_text(
        buf,
        "\n## Clusters\n\n"
        "What is not known is null: settings, sizes, moves, log dirs and the quorum are learned in "
        "slow cycles, and\nneed rights of their own (docs/permissions.md).\n\n"
        "`status` of a cluster follows the `kafka` check's default rules: unhealthy when no broker "
        "answers, metadata\ncannot be read, or the data is older than three intervals; degraded "
        "when brokers are missing, log dirs are\noffline, or partitions are leaderless, "
        "under-replicated or under `min.insync.replicas`. A check whose\n`degraded_when` or "
        "`unhealthy_when` is configured may say otherwise.\n\n"
        "Topics sorted by `trouble` begin with those without leaders; then follow those that "
        "refuse writes\n(`under_min_isr`) or have offline replicas, are under-replicated, one loss "
        "away from refusing (`at_min_isr`), being\nreassigned, or led by another replica than the "
        "first of `replica_ids`. A topic with only as many replicas as\n`min_isr` asks for is not "
        "counted in `at_min_isr`, and one with fewer is in `under_min_isr` only while a replica "
        "is\n"
        "out of sync: brokers cap the setting at the number of replicas.\n\n"
        "`log_dirs` is empty when the broker did not tell them. `is_lagging` is a voter of the "
        "quorum that did not fetch\nfor 10 s, by the leader's clock (KIP-836); brokers before that "
        "tell no times.\n");
}
