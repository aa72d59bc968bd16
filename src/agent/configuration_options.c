/* One row per setting of the configuration file. Keys, defaults and variables are a contract: rows
 * may be added, never renamed. */
#include <string.h>

#include <koa/auth.h>
#include <koa/log.h>

#include "agent/configuration.h"
#include "base/log.h"
#include "base/num.h"
#include "base/str.h"
#include "cluster/cluster.h"
#include "crypto/crypto.h"
#include "httpserver/server.h"
#include "loop/log_writer.h"
#include "metrics/pattern.h"
#include "metrics/series_key.h"

static const char *validate_hash(const char *value)
{
    return koa_password_hash_valid(value) ? NULL
                                          : "a bcrypt ($2y$), yescrypt ($y$) or SHA-512 ($6$) hash";
}

static const char *validate_name(const char *value)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";

    return value[0] != '\0' && strlen(value) <= 100 && value[strspn(value, allowed)] == '\0' &&
                   !koa_text_equal(value, ".") && !koa_text_equal(value, "..")
               ? NULL
               : "1 to 100 letters, digits, '_', '.' or '-', but not . or ..";
}

static const char *validate_url(const char *value)
{
    return value[0] == '\0' || strncmp(value, "http://", 7) == 0 ||
                   strncmp(value, "https://", 8) == 0
               ? NULL
               : "an http:// or https:// URL";
}

static const char *validate_path(const char *value)
{
    return value[0] == '/' ? NULL : "a path that starts with /";
}

static const char *validate_server(const char *value)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-:[]";
    const char *colon = strrchr(value, ':');
    int64_t port;

    return colon != NULL && colon != value && value[strspn(value, allowed)] == '\0' &&
                   koa_parse_int(koa_str_from(colon + 1), 1, 65535, &port) == KOA_OK
               ? NULL
               : "host:port, such as kafka-1:9092 or [::1]:9092";
}

/* RFC 6750: what a client cannot send is no token. */
static const char *validate_token(const char *value)
{
    return value[strcspn(value, " \t\r\n")] == '\0' ? NULL : "without blanks and line ends";
}

static const char *validate_label(const char *value)
{
    return koa_label_name_valid(koa_str_from(value))
               ? NULL
               : "the name of a label: letters, digits and '_', and no digit first";
}

static const char *validate_level(const char *value)
{
    enum koa_log_level level;

    return koa_log_level_parse(value, &level, NULL) == KOA_OK
               ? NULL
               : "one of error, warning, notice, info, debug";
}

/* Values are bit numbers: KOA_OPTION_CHOICES stores 1 << value. */
static const struct koa_choice scopes[] = {{"metrics", 0}, {"read", 1}, {"admin", 2}, {0}};

unsigned koa_scope_bits(unsigned choices)
{
    return ((choices & 1U) != 0 ? (unsigned) KOA_SCOPE_METRICS : 0U) |
           ((choices & 2U) != 0 ? (unsigned) KOA_SCOPE_READ : 0U) |
           ((choices & 4U) != 0 ? (unsigned) KOA_SCOPE_ADMIN : 0U);
}

static const struct koa_option user_options[] = {
    {KOA_TEXT(struct koa_user_settings, name), .required = true, .validate = validate_name,
     .help = "name in HTTP Basic"},
    {KOA_SECRET(struct koa_user_settings, password_hash), .required = true,
     .validate = validate_hash, .help = "hash of the password, as htpasswd -B writes it"},
    {KOA_CHOICES(struct koa_user_settings, scopes, scopes), .fallback = "[read]",
     .help = "what the user may do; read implies metrics, admin all"},
    {0},
};

static const struct koa_option token_options[] = {
    {KOA_TEXT(struct koa_token_settings, name), .required = true, .validate = validate_name,
     .help = "name in the log"},
    {KOA_SECRET(struct koa_token_settings, token), .required = true, .validate = validate_token,
     .help = "value of Authorization: Bearer"},
    {KOA_CHOICES(struct koa_token_settings, scopes, scopes), .fallback = "[read]",
     .help = "what the token may do; read implies metrics, admin all"},
    {0},
};

static const struct koa_option web_tls_options[] = {
    {KOA_TEXT(struct koa_web_settings, tls.cert_file), .key = "cert_file", .fallback = "",
     .help = "certificate chain, PEM; HTTPS is on when it is set; read again when it changes"},
    {KOA_TEXT(struct koa_web_settings, tls.key_file), .key = "key_file", .fallback = "",
     .help = "its private key, PEM"},
    {0},
};

static const struct koa_option web_limit_options[] = {
    {KOA_COUNT(struct koa_web_settings, limits.connections), .key = "connections",
     .fallback = "512", .minimum = 1, .maximum = 65536, .help = "connections at one time"},
    {KOA_COUNT(struct koa_web_settings, limits.connections_per_address),
     .key = "connections_per_address", .fallback = "256", .minimum = 1, .maximum = 65536,
     .help = "connections of one address at one time"},
    {KOA_SIZE(struct koa_web_settings, limits.header_bytes), .key = "header_bytes",
     .fallback = "16KiB", .minimum = 1024, .maximum = 524288, .help = "size of a request's head"},
    {KOA_SIZE(struct koa_web_settings, limits.body_bytes), .key = "body_bytes", .fallback = "1MiB",
     .minimum = 1024, .maximum = 67108864, .help = "size of a request's body"},
    {KOA_DURATION(struct koa_web_settings, limits.header_timeout), .key = "header_timeout",
     .fallback = "10s", .minimum = 100, .maximum = 3600000,
     .help = "time for a request's head to be complete"},
    {KOA_DURATION(struct koa_web_settings, limits.idle_timeout), .key = "idle_timeout",
     .fallback = "60s", .minimum = 1000, .maximum = 3600000,
     .help = "time a connection may do nothing"},
    {KOA_COUNT(struct koa_web_settings, limits.login_failures_per_minute),
     .key = "login_failures_per_minute", .fallback = "30", .minimum = 1, .maximum = 100000,
     .help = "failed logins of one address, then 429"},
    {0},
};

static const struct koa_option web_options[] = {
    {KOA_TEXT(struct koa_web_settings, host), .fallback = "0.0.0.0",
     .validate = koa_http_host_validate, .environment = "MONITORING_HOST", .restart = true,
     .help = "address to listen on"},
    {KOA_COUNT(struct koa_web_settings, port), .fallback = "8080", .minimum = 0, .maximum = 65535,
     .environment = "MONITORING_PORT", .restart = true,
     .help = "port to listen on; 0: any free one"},
    {KOA_TEXT(struct koa_web_settings, external_url), .fallback = "", .validate = validate_url,
     .help = "for links in notifications; default http://<hostname>:<port>"},
    {.key = "tls", .type = KOA_OPTION_GROUP, .rows = web_tls_options, .help = "HTTPS"},
    {KOA_LIST(struct koa_web_settings, users, struct koa_user_settings, user_options),
     .help = "who may log in with a password"},
    {KOA_LIST(struct koa_web_settings, tokens, struct koa_token_settings, token_options),
     .help = "who may log in with a token"},
    {KOA_TEXTS(struct koa_web_settings, open), .fallback = "[/health, /health/live, /health/ready]",
     .validate = validate_path, .help = "what needs no credentials once users or tokens exist"},
    {.key = "limits",
     .type = KOA_OPTION_GROUP,
     .rows = web_limit_options,
     .help = "what one client may take"},
    {0},
};

static const struct koa_option filter_options[] = {
    {KOA_TEXTS(struct koa_names_settings, include), .fallback = "[\".*\"]",
     .validate = koa_pattern_validate, .help = "anchored regular expressions of names to watch"},
    {KOA_TEXTS(struct koa_names_settings, exclude), .fallback = "[]",
     .validate = koa_pattern_validate,
     .help = "anchored regular expressions of names to leave out"},
    {0},
};

static const struct koa_option cluster_tls_options[] = {
    {KOA_BOOL(struct koa_cluster_settings, tls.enabled), .key = "enabled", .fallback = "false",
     .help = "speak TLS to the brokers"},
    {KOA_TEXT(struct koa_cluster_settings, tls.ca_file), .key = "ca_file", .fallback = "",
     .help = "authorities to trust, PEM; default the system's; like the other two read again when "
             "it changes"},
    {KOA_TEXT(struct koa_cluster_settings, tls.cert_file), .key = "cert_file", .fallback = "",
     .help = "client certificate, PEM"},
    {KOA_TEXT(struct koa_cluster_settings, tls.key_file), .key = "key_file", .fallback = "",
     .help = "its private key, PEM"},
    {KOA_SECRET(struct koa_cluster_settings, tls.key_password), .key = "key_password",
     .fallback = "", .help = "password of an encrypted key"},
    {KOA_TEXT(struct koa_cluster_settings, tls.key_password_file), .key = "key_password_file",
     .fallback = "", .help = "file with it, read again when it changes"},
    {KOA_TEXT(struct koa_cluster_settings, tls.server_name), .key = "server_name", .fallback = "",
     .help = "name to expect in the certificate; default the broker's host"},
    {0},
};

static const struct koa_option sasl_options[] = {
    {KOA_TEXT(struct koa_cluster_settings, sasl.mechanism), .key = "mechanism", .fallback = "",
     .help = "PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 or OAUTHBEARER"},
    {KOA_TEXT(struct koa_cluster_settings, sasl.username), .key = "username", .fallback = "",
     .help = "user"},
    {KOA_SECRET(struct koa_cluster_settings, sasl.password), .key = "password", .fallback = "",
     .help = "password"},
    {KOA_TEXT(struct koa_cluster_settings, sasl.password_file), .key = "password_file",
     .fallback = "", .help = "file with it, read again when it changes"},
    {KOA_SECRET(struct koa_cluster_settings, sasl.token), .key = "token", .fallback = "",
     .help = "static OAUTHBEARER token"},
    {KOA_TEXT(struct koa_cluster_settings, sasl.token_file), .key = "token_file", .fallback = "",
     .help = "file with it, read again when it changes"},
    {KOA_TEXT(struct koa_cluster_settings, sasl.token_url), .key = "token_url", .fallback = "",
     .validate = validate_url,
     .help = "where OAUTHBEARER tokens are had, by the client credentials grant"},
    {KOA_TEXT(struct koa_cluster_settings, sasl.token_ca_file), .key = "token_ca_file",
     .fallback = "", .help = "authorities to trust there, PEM; default the system's"},
    {KOA_TEXT(struct koa_cluster_settings, sasl.client_id), .key = "client_id", .fallback = "",
     .help = "client of the token endpoint"},
    {KOA_SECRET(struct koa_cluster_settings, sasl.client_secret), .key = "client_secret",
     .fallback = "", .help = "its secret"},
    {KOA_TEXT(struct koa_cluster_settings, sasl.client_secret_file), .key = "client_secret_file",
     .fallback = "", .help = "file with it, read again when it changes"},
    {KOA_TEXT(struct koa_cluster_settings, sasl.scope), .key = "scope", .fallback = "",
     .help = "scope of the token"},
    {0},
};

static const struct koa_option probe_options[] = {
    {KOA_BOOL(struct koa_cluster_settings, probe.enabled), .key = "enabled", .fallback = "false",
     .help = "produce and fetch in a topic of its own"},
    {KOA_TEXT(struct koa_cluster_settings, probe.topic), .key = "topic",
     .fallback = "__kafka_ops_probe", .help = "that topic"},
    {KOA_DURATION(struct koa_cluster_settings, probe.interval), .key = "interval", .fallback = "1s",
     .minimum = 100, .maximum = 3600000, .help = "time between two messages"},
    {0},
};

static const struct koa_choice granularities[] = {{"partition", KOA_GRANULARITY_PARTITION},
                                                  {"topic", KOA_GRANULARITY_TOPIC},
                                                  {"group", KOA_GRANULARITY_GROUP},
                                                  {0}};

const struct koa_option koa_cluster_options[] = {
    {KOA_TEXT(struct koa_cluster_settings, name), .required = true, .validate = validate_name,
     .help = "label `cluster` of its series, and part of its paths"},
    {KOA_TEXTS(struct koa_cluster_settings, bootstrap_servers), .required = true,
     .validate = validate_server, .help = "host:port of one or more brokers"},
    {KOA_DURATION(struct koa_cluster_settings, interval), .fallback = "15s", .minimum = 1000,
     .maximum = 3600000, .help = "time between two collections"},
    {KOA_DURATION(struct koa_cluster_settings, request_timeout), .fallback = "10s", .minimum = 100,
     .maximum = 600000, .help = "for one request to one broker"},
    {.key = "tls",
     .type = KOA_OPTION_GROUP,
     .rows = cluster_tls_options,
     .help = "TLS to the brokers"},
    {.key = "sasl",
     .type = KOA_OPTION_GROUP,
     .rows = sasl_options,
     .help = "authentication at the brokers"},
    {KOA_COUNT(struct koa_cluster_settings, batch), .fallback = "500", .minimum = 1,
     .maximum = 10000, .help = "groups per request"},
    {KOA_COUNT(struct koa_cluster_settings, connections), .fallback = "2", .minimum = 1,
     .maximum = 16, .help = "connections per broker"},
    {KOA_DURATION(struct koa_cluster_settings, slow_interval), .fallback = "60s", .minimum = 1000,
     .maximum = 86400000,
     .help = "time between two looks at what changes slowly: log start and last stable offsets"},
    {.key = "probe", .type = KOA_OPTION_GROUP, .rows = probe_options, .help = "end-to-end probe"},
    {.key = "topics",
     .type = KOA_OPTION_GROUP,
     .offset = offsetof(struct koa_cluster_settings, topics),
     .rows = filter_options,
     .help = "topics to watch"},
    {.key = "groups",
     .type = KOA_OPTION_GROUP,
     .offset = offsetof(struct koa_cluster_settings, groups),
     .rows = filter_options,
     .help = "consumer groups to watch"},
    {KOA_CHOICE(struct koa_cluster_settings, granularity, granularities), .fallback = "partition",
     .help = "how fine the exported series are: topic leaves out those of single partitions, group "
             "also those of a group's single topics"},
    {0},
};

static const struct koa_choice levels[] = {{"error", KOA_LOG_ERROR},   {"warning", KOA_LOG_WARNING},
                                           {"notice", KOA_LOG_NOTICE}, {"info", KOA_LOG_INFO},
                                           {"debug", KOA_LOG_DEBUG},   {0}};
static const struct koa_choice formats[] = {
    {"text", KOA_LOG_FORMAT_TEXT}, {"json", KOA_LOG_FORMAT_JSON}, {0}};

static const struct koa_option log_options[] = {
    {KOA_CHOICE(struct koa_configuration, log.level, levels), .key = "level", .fallback = "info",
     .environment = "KOA_LOG_LEVEL", .help = "lines of this level and those above it"},
    {KOA_CHOICE(struct koa_configuration, log.format, formats), .key = "format", .fallback = "text",
     .help = "one line of text, or one JSON object, per entry"},
    {KOA_PAIRS(struct koa_configuration, log.components), .key = "components", .fallback = "{}",
     .validate = validate_level, .help = "levels of single rooms: {kafka: debug}"},
    {0},
};

static const struct koa_option health_options[] = {
    {KOA_COUNT(struct koa_configuration, health.history), .key = "history", .fallback = "1000",
     .minimum = 1, .maximum = 100000, .help = "boards kept"},
    {KOA_DURATION(struct koa_configuration, health.check_timeout), .key = "check_timeout",
     .fallback = "0s", .maximum = 86400000, .environment = "HEALTH_CHECK_TIMEOUT",
     .help = "timeout of every check that sets none; 0: the type's own, else 30s"},
    {0},
};

static const struct koa_option label_rule_options[] = {
    {KOA_TEXT(struct koa_label_rule_settings, family), .required = true,
     .validate = koa_pattern_validate, .help = "name or anchored regular expression"},
    {KOA_TEXT(struct koa_label_rule_settings, label), .required = true, .validate = validate_label,
     .help = "the label"},
    {0},
};

static const struct koa_option metrics_options[] = {
    {KOA_DURATION(struct koa_configuration, metrics.retention), .key = "retention",
     .fallback = "24h", .minimum = 1000, .maximum = 31536000000,
     .environment = "METRICS_RETENTION_HOURS", .bare_unit = "h",
     .help = "how long the history in memory goes back"},
    {KOA_DURATION(struct koa_configuration, metrics.resolution), .key = "resolution",
     .fallback = "30s", .minimum = 1000, .maximum = 3600000,
     .help = "time between two points of the history"},
    {KOA_SIZE(struct koa_configuration, metrics.history_bytes), .key = "history_bytes",
     .fallback = "32MiB", .minimum = 65536, .maximum = 17179869184,
     .help = "memory of the history; the oldest goes first"},
    {KOA_TEXTS(struct koa_configuration, metrics.history_exclude), .key = "history_exclude",
     .fallback =
         "[\".*_topic_partition_.*\", kafka_consumergroup_lag, kafka_consumergroup_current_offset]",
     .validate = koa_pattern_validate, .help = "families that are not kept"},
    {KOA_COUNT(struct koa_configuration, metrics.max_series_per_family),
     .key = "max_series_per_family", .fallback = "1000000", .minimum = 1, .maximum = 100000000,
     .help = "series of one family; further ones are dropped and counted"},
    {KOA_TEXTS(struct koa_configuration, metrics.exclude), .key = "exclude", .fallback = "[]",
     .validate = koa_pattern_validate,
     .help = "families never exported or kept: names or anchored regular expressions"},
    {KOA_LIST(struct koa_configuration, metrics.drop_labels, struct koa_label_rule_settings,
              label_rule_options),
     .key = "drop_labels", .help = "labels that are left out"},
    {KOA_LIST(struct koa_configuration, metrics.hash_labels, struct koa_label_rule_settings,
              label_rule_options),
     .key = "hash_labels", .help = "labels whose value is replaced by a keyed hash"},
    {0},
};

static const struct koa_option alerting_options[] = {
    {KOA_DURATION(struct koa_configuration, alerting.interval), .key = "interval",
     .fallback = "60s", .minimum = 100, .maximum = 86400000, .environment = "ALERT_CHECK_INTERVAL",
     .help = "how often rules are looked at when nothing changes"},
    {KOA_COUNT(struct koa_configuration, alerting.history), .key = "history", .fallback = "10000",
     .minimum = 1, .maximum = 1000000, .help = "transitions kept"},
    {KOA_SUBTREE(struct koa_configuration, alerting.rules), .key = "rules", .help = "see Rules"},
    {KOA_SUBTREE(struct koa_configuration, alerting.notifiers), .key = "notifiers",
     .help = "see Notifiers"},
    {0},
};

const struct koa_option koa_configuration_options[] = {
    {.key = "web",
     .type = KOA_OPTION_GROUP,
     .offset = offsetof(struct koa_configuration, web),
     .rows = web_options,
     .help = "the HTTP listener"},
    {KOA_TEXT(struct koa_configuration, state_directory), .fallback = "",
     .environment = "STATE_DIRECTORY", .restart = true,
     .help = "where alert states are kept; default /var/lib/kafka-ops-agent as root, else "
             "~/.local/state/kafka-ops-agent; :memory: keeps them in memory"},
    {.key = "log", .type = KOA_OPTION_GROUP, .rows = log_options, .help = "the log"},
    {KOA_LIST(struct koa_configuration, clusters, struct koa_cluster_settings, koa_cluster_options),
     .help = "Kafka clusters to watch; KAFKA_BOOTSTRAP_SERVERS or --bootstrap define one named "
             "default"},
    {KOA_SUBTREE(struct koa_configuration, checks), .help = "see Checks"},
    {.key = "health",
     .type = KOA_OPTION_GROUP,
     .rows = health_options,
     .help = "health checks as a whole"},
    {.key = "metrics",
     .type = KOA_OPTION_GROUP,
     .rows = metrics_options,
     .help = "what is exported and kept"},
    {.key = "alerting",
     .type = KOA_OPTION_GROUP,
     .rows = alerting_options,
     .help = "rules and notifiers"},
    {0},
};
