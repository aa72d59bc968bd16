/* Keeps libpq from blocking: it resolves names by itself unless each host comes with its address,
 * and asks Kerberos unless told not to. */
#include "builtin/checks/pg_target.h"

#include <string.h>

#include "base/memory.h"
#include "base/num.h"
#include "base/redact.h"
#include "base/str.h"

enum { PARAMETERS_LIMIT = 96 }; /* libpq 15 knows 43 */

static const char *find_option(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *row = options; row != NULL && row->keyword != NULL; row++) {
        if (strcmp(row->keyword, keyword) == 0 && row->val != NULL && row->val[0] != '\0')
            return row->val;
    }
    return NULL;
}

/* Entry `index` of a list by commas; a list of one serves all. */
static struct koa_str list_entry(const char *list, size_t index)
{
    struct koa_str rest = koa_str_from(list);
    struct koa_str entry = koa_str_split(rest, ',', &rest);

    if (rest.data == NULL)
        return entry;
    for (; index > 0; index--)
        entry = koa_str_split(rest, ',', &rest);
    return entry;
}

static size_t list_count(const char *list)
{
    size_t count = 1;

    for (const char *at = list; *at != '\0'; at++) {
        if (*at == ',')
            count++;
    }
    return count;
}

static enum koa_err read_host(struct koa_pg_host *host, struct koa_str name, struct koa_str address,
                              struct koa_error *reterr)
{
    bool is_socket =
        address.size == 0 && (name.size == 0 || name.data[0] == '/' || name.data[0] == '@');

    if (!koa_str_copy(host->name, sizeof(host->name), name) ||
        !koa_str_copy(host->address, sizeof(host->address), address))
        return koa_fail(reterr, KOA_ERR_RANGE, "a host name or address of url is too long");
    host->needs_lookup = address.size == 0 && !is_socket;
    return KOA_OK;
}

/* libpq itself would say so at each attempt only. */
static enum koa_err read_port(struct koa_pg_host *host, struct koa_str port,
                              struct koa_error *reterr)
{
    int64_t number;

    if (port.size == 0 || (koa_parse_int(port, 1, 65535, &number) == KOA_OK &&
                           koa_str_copy(host->port, sizeof(host->port), port)))
        return KOA_OK;
    return koa_fail(reterr, KOA_ERR_RANGE, "url: a port is a number from 1 to 65535, not '%.*s'",
                    (int) (port.size < 16 ? port.size : 16), port.data);
}

static enum koa_err read_hosts(struct koa_pg_target *target, const PQconninfoOption *options,
                               const PQconninfoOption *defaults, struct koa_error *reterr)
{
    const char *names = find_option(options, "host");
    const char *addresses = find_option(options, "hostaddr");
    const char *ports = find_option(options, "port");
    const char *list;
    enum koa_err err = KOA_OK;

    if (names == NULL && addresses == NULL) {
        names = find_option(defaults, "host");
        addresses = find_option(defaults, "hostaddr");
    }
    if (ports == NULL)
        ports = find_option(defaults, "port");
    list = addresses != NULL ? addresses : names;
    if (list == NULL)
        return KOA_OK;
    target->host_count = list_count(list);
    if (target->host_count > KOA_PG_HOSTS) {
        return koa_fail(reterr, KOA_ERR_RANGE, "url names %zu hosts; %d are allowed",
                        target->host_count, KOA_PG_HOSTS);
    }
    for (size_t i = 0; i < target->host_count && err == KOA_OK; i++) {
        struct koa_pg_host *host = &target->hosts[i];

        err = read_host(host, list_entry(names != NULL ? names : "", i),
                        list_entry(addresses != NULL ? addresses : "", i), reterr);
        if (err == KOA_OK && ports != NULL)
            err = read_port(host, list_entry(ports, i), reterr);
    }
    return err;
}

static enum koa_err parse(struct koa_pg_target *target, const char *url, struct koa_error *reterr)
{
    char *message = NULL;
    PQconninfoOption *defaults;
    const char *password;
    enum koa_err err;

    target->options = PQconninfoParse(url, &message);
    if (target->options == NULL) {
        /* libpq quotes the URL here: its text is not repeated. */
        err = koa_fail(reterr, KOA_ERR_PARSE,
                       "url is no PostgreSQL URL (postgresql://user@host:5432/database)");
        PQfreemem(message);
        return err;
    }
    password = find_option(target->options, "password");
    if (password != NULL)
        (void) koa_redact_register(password);
    defaults = PQconndefaults();
    err = read_hosts(target, target->options, defaults, reterr);
    PQconninfoFree(defaults);
    return err;
}

enum koa_err koa_pg_target_create(const char *url, struct koa_pg_target **ret_target,
                                  struct koa_error *reterr)
{
    struct koa_pg_target *target = koa_calloc(1, sizeof(*target));
    enum koa_err err = koa_require_memory(target, reterr);

    if (err == KOA_OK)
        err = parse(target, url, reterr);
    if (err == KOA_OK)
        *ret_target = KOA_MOVE(target);
    koa_pg_target_destroy(target);
    return err;
}

void koa_pg_target_destroy(struct koa_pg_target *target)
{
    if (target == NULL)
        return;
    PQconninfoFree(target->options);
    koa_free(target);
}

void koa_pg_route_add(struct koa_pg_route *route, const struct koa_pg_host *host,
                      const char *address)
{
    const char *comma = route->count > 0 ? "," : "";

    koa_buf_printf(&route->hosts, "%s%s", comma, host->name);
    koa_buf_printf(&route->addresses, "%s%s", comma, address);
    koa_buf_printf(&route->ports, "%s%s", comma, host->port);
    route->count++;
}

struct parameters {
    const char *keywords[PARAMETERS_LIMIT + 1];
    const char *values[PARAMETERS_LIMIT + 1];
    size_t count;
};

static void add_parameter(struct parameters *parameters, const char *keyword, const char *value)
{
    if (parameters->count == PARAMETERS_LIMIT || value == NULL || value[0] == '\0')
        return;
    parameters->keywords[parameters->count] = keyword;
    parameters->values[parameters->count++] = value;
}

static bool is_route(const char *keyword)
{
    return strcmp(keyword, "host") == 0 || strcmp(keyword, "hostaddr") == 0 ||
           strcmp(keyword, "port") == 0;
}

PGconn *koa_pg_target_connect(const struct koa_pg_target *target, const struct koa_pg_route *route)
{
    struct parameters parameters = {.count = 0};

    if (route->hosts.failed || route->addresses.failed || route->ports.failed)
        return NULL;
    /* Of a keyword that comes twice the last value counts: the URL's own. */
    add_parameter(&parameters, "gssencmode", "disable");
    add_parameter(&parameters, "application_name", "kafka-ops-agent");
    for (const PQconninfoOption *row = target->options; row->keyword != NULL; row++) {
        if (!is_route(row->keyword))
            add_parameter(&parameters, row->keyword, row->val);
    }
    add_parameter(&parameters, "host", koa_buf_text(&route->hosts));
    add_parameter(&parameters, "hostaddr", koa_buf_text(&route->addresses));
    add_parameter(&parameters, "port", koa_buf_text(&route->ports));
    return PQconnectStartParams(parameters.keywords, parameters.values, 0);
}
