/* The built-in checks through the engine: their contract, their words, and peers that hang, lie,
 * flood and die. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/redact.h"
#include "builtin/builtin.h"
#include "kit/check_kit.h"
#include "kit/kit.h"
#include "net/stream.h"

#define SLOW                                                                                       \
    {                                                                                              \
        "interval", "1h"                                                                           \
    }

/* ---- a server that takes connections */

enum behaviour { SILENT, GREETS, FLOODS, HANGS_UP };

struct server {
    struct kit_checks *checks;
    enum behaviour behaviour;
    const char *greeting;
    struct koa_listener *listener;
    struct koa_stream *streams[16];
    size_t count;
};

static void on_bytes(void *context, struct koa_str bytes)
{
    (void) context;
    (void) bytes;
}

static void forget(void *context, const struct koa_error *error)
{
    struct koa_stream **stream = context;

    (void) error;
    koa_stream_destroy(KOA_MOVE(*stream));
}

static void send_to(struct koa_stream *stream, const char *bytes, size_t size)
{
    if (koa_stream_write(stream, (struct koa_str){.data = bytes, .size = size}, NULL) != KOA_OK)
        koa_stream_pause(stream, true);
}

/* More as soon as the peer has taken what there is. */
static void flood(void *context)
{
    static const char noise[60000] = {'x'};
    struct koa_stream **stream = context;

    for (int i = 0; i < 100 && koa_stream_queued(*stream) == 0; i++)
        send_to(*stream, noise, sizeof(noise));
}

static void on_accepted(void *context, struct koa_stream *stream)
{
    static const struct koa_stream_events events = {
        .received = on_bytes, .drained = flood, .closed = forget};
    static const struct koa_stream_events quiet = {.received = on_bytes, .closed = forget};
    struct server *server = context;
    struct koa_stream **own = &server->streams[server->count++];

    assert_true(server->count < KOA_ARRAY_COUNT(server->streams));
    *own = stream;
    koa_stream_serve(stream, server->behaviour == FLOODS ? &events : &quiet, own);
    if (server->behaviour == HANGS_UP) {
        koa_stream_destroy(KOA_MOVE(*own));
    } else if (server->behaviour != SILENT) {
        send_to(stream, server->greeting, strlen(server->greeting));
    }
    if (server->behaviour == FLOODS)
        flood(own);
}

static void listen_on_loop(void *message)
{
    struct server *server = message;
    struct koa_listener_opts opts = {.loop = server->checks->kit.loop,
                                     .host = "127.0.0.1",
                                     .accepted = on_accepted,
                                     .context = server};

    assert_int_equal(KOA_OK, koa_listener_create(&opts, &server->listener, NULL));
}

static void close_on_loop(void *message)
{
    struct server *server = message;

    koa_listener_destroy(server->listener);
    for (size_t i = 0; i < server->count; i++)
        koa_stream_destroy(server->streams[i]);
}

static int server_start(struct server *server, struct kit_checks *checks)
{
    server->checks = checks;
    kit_loop_call(&checks->kit, listen_on_loop, server);
    return koa_listener_port(server->listener);
}

static void server_end(struct server *server)
{
    kit_loop_call(&server->checks->kit, close_on_loop, server);
}

/* ---- a look at one check */

struct expectation {
    const char *name;
    enum koa_status status;
    const char *message; /* part of it */
    const char *details; /* part of them; NULL: do not care */
};

static void expect_board(const struct expectation *expected, struct koa_board *board)
{
    const struct koa_result *result = koa_board_find(board, "check");

    assert_non_null(result);
    KIT_EXPECT_CONTAINS(expected->name, expected->message, result->message);
    KIT_EXPECT_TEXT(expected->name, koa_status_name(expected->status),
                    koa_status_name(result->status));
    if (expected->details != NULL)
        KIT_EXPECT_CONTAINS(expected->name, expected->details, result->details);
    koa_board_unref(board);
}

static void look(const struct koa_check_ops *ops, const struct koa_settings *settings,
                 const struct expectation *expected)
{
    struct kit_checks checks = {.is_started = false};

    kit_checks_start(&checks, NULL);
    expect_board(expected, kit_checks_look(&checks, ops, settings));
    kit_checks_end(&checks);
}

static void expect_refused(const char *name, const struct koa_check_ops *ops,
                           const struct koa_settings *settings, const char *text)
{
    char errors[2048];
    struct koa_check_unit *unit = kit_check_load(ops, NULL, settings, errors, sizeof(errors));

    KIT_EXPECT(name, unit == NULL);
    KIT_EXPECT_CONTAINS(name, text, errors);
}

/* ---- all */

static void all_hold_to_the_contract(void **state)
{
    (void) state;
    koa_check_contract_test(&koa_check_memory, KOA_NO_SETTINGS);
    koa_check_contract_test(&koa_check_disk_space, KOA_NO_SETTINGS);
    koa_check_contract_test(&koa_check_exec, KOA_SETTINGS({"command", "[/bin/true]"}));
    koa_check_contract_test(&koa_check_service,
                            KOA_SETTINGS({"service", "x"}, {"url", "tcp://127.0.0.1:1"}));
    koa_check_contract_test(&koa_check_service,
                            KOA_SETTINGS({"service", "x"}, {"url", "http://127.0.0.1:1/"}));
    koa_check_contract_test(&koa_check_database, KOA_NO_SETTINGS);
    koa_check_contract_test(&koa_check_database, KOA_SETTINGS({"url", "sqlite:///nonexistent"}));
    koa_check_contract_test(&koa_check_database,
                            KOA_SETTINGS({"url", "postgresql://u@127.0.0.1:1/d"}));
}

static void types_are_found_by_name(void **state)
{
    (void) state;
    for (const struct koa_check_ops *const *row = koa_builtin_checks; *row != NULL; row++)
        KIT_EXPECT((*row)->name, koa_builtin_find_check((*row)->name) == *row);
    KIT_EXPECT("unknown", koa_builtin_find_check("nothing") == NULL);
}

/* ---- memory and disk */

static void memory_says_how_full_it_is(void **state)
{
    (void) state;
    look(
        &koa_check_memory, KOA_SETTINGS(SLOW, {"warning", "1"}, {"critical", "1"}),
        &(struct expectation){"ok", KOA_STATUS_HEALTHY, "Memory usage OK: ", "\"usage_percent\":"});
    look(&koa_check_memory, KOA_SETTINGS(SLOW, {"warning", "0"}, {"critical", "1"}),
         &(struct expectation){"high", KOA_STATUS_DEGRADED,
                               "High memory usage: ", "\"limit_bytes\":"});
    look(&koa_check_memory, KOA_SETTINGS(SLOW, {"warning", "0"}, {"critical", "0"}),
         &(struct expectation){"higher", KOA_STATUS_UNHEALTHY,
                               "High memory usage: ", "\"source\":"});
    expect_refused("limits", &koa_check_memory,
                   KOA_SETTINGS({"warning", "0.95"}, {"critical", "0.9"}), "must not be above");
}

static void disks_say_how_full_they_are(void **state)
{
    (void) state;
    look(&koa_check_disk_space, KOA_SETTINGS(SLOW, {"warning", "1"}, {"critical", "1"}),
         &(struct expectation){"ok", KOA_STATUS_HEALTHY,
                               "Disk usage OK (max: ", "\"max_usage_percent\":"});
    look(&koa_check_disk_space,
         KOA_SETTINGS(SLOW, {"warning", "0"}, {"critical", "0"}, {"paths", "[/, /tmp]"}),
         &(struct expectation){"high", KOA_STATUS_UNHEALTHY,
                               "High disk usage: /: ", "\"paths\":[{\"path\":\"/\","});
    look(&koa_check_disk_space,
         KOA_SETTINGS(SLOW, {"warning", "1"}, {"critical", "1"}, {"paths", "[/, /nonexistent]"}),
         &(struct expectation){"missing", KOA_STATUS_UNHEALTHY,
                               "cannot read the usage of /nonexistent: No such file",
                               "\"inodes_percent\":"});
    expect_refused("relative", &koa_check_disk_space, KOA_SETTINGS({"paths", "[tmp]"}),
                   "must be absolute");
}

/* ---- exec */

static const struct {
    struct expectation expected;
    const char *command;
} exec_cases[] = {
    {{"healthy", KOA_STATUS_HEALTHY, "DISK OK", "\"label\":\"a\",\"value\":1"},
     "echo 'DISK OK | a=1'"},
    {{"degraded", KOA_STATUS_DEGRADED, "WARN", "\"exit_code\":1"}, "echo WARN; exit 1"},
    {{"unhealthy", KOA_STATUS_UNHEALTHY, "CRIT", "\"exit_code\":2"}, "echo CRIT; exit 2"},
    {{"unknown", KOA_STATUS_UNKNOWN, "UNKN", "\"exit_code\":3"}, "echo UNKN; exit 3"},
    {{"others", KOA_STATUS_UNHEALTHY, "exit code 127 is none of a plugin (0 to 3): x", NULL},
     "echo x; exit 127"},
    {{"errors instead of words", KOA_STATUS_UNHEALTHY, "no luck", NULL},
     "echo no luck >&2; exit 2"},
    {{"no words at all", KOA_STATUS_HEALTHY, "/bin/sh printed nothing", NULL}, "exit 0"},
    {{"a signal", KOA_STATUS_UNHEALTHY, "/bin/sh was ended by signal 9", "\"signal\":9"},
     "kill -9 $$"},
    {{"bytes that are no text", KOA_STATUS_HEALTHY, "a? ?b", NULL},
     "printf 'a\\\\377\\\\001\\\\376b'"},
    {{"a flood", KOA_STATUS_HEALTHY, "xxx", "\"output_is_cut\":true"},
     "head -c 3000000 /dev/zero | tr '\\\\0' x"},
    {{"what it leaves behind does not matter", KOA_STATUS_HEALTHY, "OK", NULL},
     "sleep 100 & echo OK"},
};

static void plugins_are_taken_at_their_word(void **state)
{
    (void) state;
    KIT_EACH (c, exec_cases) {
        char command[256];

        (void) snprintf(command, sizeof(command), "[/bin/sh, -c, \"%s\"]", c->command);
        look(&koa_check_exec, KOA_SETTINGS(SLOW, {"command", command}), &c->expected);
    }
}

static void plugins_that_cannot_run_or_end(void **state)
{
    (void) state;
    look(&koa_check_exec, KOA_SETTINGS(SLOW, {"command", "[/nonexistent/plugin]"}),
         &(struct expectation){"missing", KOA_STATUS_UNKNOWN,
                               "Cannot run /nonexistent/plugin: ", NULL});
    look(&koa_check_exec,
         KOA_SETTINGS(SLOW, {"command", "[/bin/sh, -c, \"trap '' TERM; while :; do :; done\"]"},
                      {"timeout", "200ms"}),
         &(struct expectation){"endless", KOA_STATUS_UNHEALTHY, "Health check timed out after 0.2s",
                               NULL});
    look(&koa_check_exec, KOA_SETTINGS(SLOW, {"command", "[yes]"}, {"timeout", "200ms"}),
         &(struct expectation){"endless flood", KOA_STATUS_UNHEALTHY,
                               "Health check timed out after 0.2s", NULL});
    expect_refused("no command", &koa_check_exec, KOA_NO_SETTINGS, "command");
    expect_refused("empty command", &koa_check_exec, KOA_SETTINGS({"command", "[]"}),
                   "check.command: is missing");
    expect_refused("empty program", &koa_check_exec, KOA_SETTINGS({"command", "['']"}),
                   "no program");
}

/* ---- service */

#define OK_ANSWER "HTTP/1.1 200 OK\r\nContent-Length: 7\r\nConnection: close\r\n\r\nall fit"

static const struct {
    struct expectation expected;
    enum behaviour behaviour;
    const char *greeting;
    const char *scheme, *option, *value;
} service_cases[] = {
    {{"answers", KOA_STATUS_HEALTHY, "api is healthy", "\"status_code\":200"},
     GREETS,
     OK_ANSWER,
     "http",
     "expect_body",
     "all fit"},
    {{"other words", KOA_STATUS_UNHEALTHY,
      "api is unhealthy: the answer does not contain 'all well'", NULL},
     GREETS,
     OK_ANSWER,
     "http",
     "expect_body",
     "all well"},
    {{"other status", KOA_STATUS_UNHEALTHY, "api is unhealthy: HTTP 200, expected 201 or 204",
      NULL},
     GREETS,
     OK_ANSWER,
     "http",
     "expect_status",
     "[201, 204]"},
    {{"no HTTP", KOA_STATUS_UNHEALTHY, "api is unhealthy: ", NULL},
     GREETS,
     "SSH-2.0-x\r\n\r\n",
     "http",
     "timeout",
     "2s"},
    {{"says nothing", KOA_STATUS_UNHEALTHY, "Health check timed out after 0.3s", NULL},
     SILENT,
     "",
     "http",
     "timeout",
     "300ms"},
    {{"hangs up", KOA_STATUS_UNHEALTHY, "api is unhealthy: ", NULL},
     HANGS_UP,
     "",
     "http",
     "timeout",
     "5s"},
    {{"never ends its headers", KOA_STATUS_UNHEALTHY, "api is unhealthy: ", NULL},
     FLOODS,
     "HTTP/1.1 200 OK\r\nX: ",
     "http",
     "timeout",
     "5s"},
    {{"no TLS", KOA_STATUS_UNHEALTHY, "api is unhealthy: ", NULL},
     GREETS,
     OK_ANSWER,
     "https",
     "timeout",
     "5s"},
    {{"TCP is enough", KOA_STATUS_HEALTHY, "api is healthy", "\"url\":\"tcp://"},
     SILENT,
     "",
     "tcp",
     "timeout",
     "5s"},
};

static void services_are_asked(void **state)
{
    (void) state;
    KIT_EACH (c, service_cases) {
        struct kit_checks checks = {.is_started = false};
        struct server server = {.behaviour = c->behaviour, .greeting = c->greeting};
        char url[64];

        kit_checks_start(&checks, NULL);
        (void) snprintf(url, sizeof(url), "%s://127.0.0.1:%d", c->scheme,
                        server_start(&server, &checks));
        expect_board(&c->expected,
                     kit_checks_look(&checks, &koa_check_service,
                                     KOA_SETTINGS(SLOW, {"service", "api"}, {"url", url},
                                                  {c->option, c->value})));
        server_end(&server);
        kit_checks_end(&checks);
    }
}

static void services_that_are_not_there(void **state)
{
    (void) state;
    look(&koa_check_service, KOA_SETTINGS(SLOW, {"service", "api"}, {"url", "http://127.0.0.1:1/"}),
         &(struct expectation){"refused", KOA_STATUS_UNHEALTHY, "api is unhealthy: ", NULL});
    look(&koa_check_service, KOA_SETTINGS(SLOW, {"service", "api"}, {"url", "tcp://[::1]:1/"}),
         &(struct expectation){"refused", KOA_STATUS_UNHEALTHY, "api is unhealthy: ", NULL});
    look(&koa_check_service,
         KOA_SETTINGS(SLOW, {"service", "api"}, {"url", "http://me:hunter22@127.0.0.1:1/?key=abc"}),
         &(struct expectation){"secrets", KOA_STATUS_UNHEALTHY,
                               "api is unhealthy: ", "127.0.0.1:1/?key=***"});
    expect_refused("scheme", &koa_check_service,
                   KOA_SETTINGS({"service", "api"}, {"url", "ftp://h/"}), "http, https or tcp");
    expect_refused("no port", &koa_check_service,
                   KOA_SETTINGS({"service", "api"}, {"url", "tcp://host"}), "tcp://host:port");
    expect_refused("no status", &koa_check_service,
                   KOA_SETTINGS({"service", "a"}, {"url", "http://h/"}, {"expect_status", "[]"}),
                   "expect_status");
}

static void a_service_lends_its_name(void **state)
{
    struct koa_check_unit *unit = kit_check_load(
        &koa_check_service, NULL, KOA_SETTINGS({"service", "api"}, {"url", "tcp://h:1"}), NULL, 0);

    (void) state;
    KIT_EXPECT_TEXT("name", "service_api", unit->common.name);
    KIT_EXPECT_INT("timeout", 5000, unit->common.timeout_ms);
    koa_check_unit_unref(unit);
}

/* ---- database */

static void state_databases_are_written_and_read(void **state)
{
    struct kit_checks checks = {.is_started = false};
    char *directory = kit_temporary_directory();
    struct expectation durable = {"durable", KOA_STATUS_HEALTHY, "Database connection successful",
                                  "\"backend\":\"state\""};
    struct expectation memory = {"in memory", KOA_STATUS_DEGRADED,
                                 "Database connection successful, but not durable: ", NULL};

    (void) state;
    kit_checks_start(&checks, directory);
    expect_board(&durable, kit_checks_look(&checks, &koa_check_database, KOA_SETTINGS(SLOW)));
    kit_checks_end(&checks);
    kit_remove_directory(directory);
    kit_checks_start(&checks, "/proc/nonexistent");
    expect_board(&memory, kit_checks_look(&checks, &koa_check_database, KOA_SETTINGS(SLOW)));
    kit_checks_end(&checks);
    look(&koa_check_database, KOA_SETTINGS(SLOW),
         &(struct expectation){"none", KOA_STATUS_UNKNOWN, "set url", NULL});
}

/* A limit of the file's size stands for a full disk. */
static void a_full_disk_degrades_the_state_database(void **state)
{
    struct kit_checks checks = {.is_started = false};
    char *directory = kit_temporary_directory();
    struct expectation full = {
        "full", KOA_STATUS_DEGRADED,
        "Database connection successful, but not durable: ", "\"backend\":\"state\""};
    struct koa_board *board;
    struct rlimit limit;
    struct rlimit small;

    (void) state;
    kit_checks_start(&checks, directory);
    (void) signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    small = limit;
    small.rlim_cur = 1;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    board = kit_checks_look(&checks, &koa_check_database, KOA_SETTINGS(SLOW));
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    expect_board(&full, board);
    kit_checks_end(&checks);
    kit_remove_directory(directory);
}

static void sqlite_files_are_read_and_never_made(void **state)
{
    char *directory = kit_temporary_directory();
    char url[300];
    char path[256];
    FILE *file;

    (void) state;
    (void) snprintf(path, sizeof(path), "%s/x.db", directory);
    (void) snprintf(url, sizeof(url), "sqlite://%s", path);
    look(&koa_check_database, KOA_SETTINGS(SLOW, {"url", url}),
         &(struct expectation){"missing", KOA_STATUS_UNHEALTHY,
                               "Database connection failed: ", "\"backend\":\"sqlite\""});
    KIT_EXPECT_INT("not made", -1, access(path, F_OK));
    file = fopen(path, "we");
    assert_non_null(file);
    assert_int_equal(0, fclose(file));
    look(
        &koa_check_database, KOA_SETTINGS(SLOW, {"url", url}),
        &(struct expectation){"empty", KOA_STATUS_HEALTHY, "Database connection successful", NULL});
    file = fopen(path, "we");
    assert_non_null(file);
    (void) fputs("this is no database, whatever its name says; it is long enough to be one", file);
    assert_int_equal(0, fclose(file));
    look(&koa_check_database, KOA_SETTINGS(SLOW, {"url", url}),
         &(struct expectation){"damaged", KOA_STATUS_UNHEALTHY,
                               "Database connection failed: ", NULL});
    kit_remove_directory(directory);
}

static const struct {
    struct expectation expected;
    enum behaviour behaviour;
    const char *greeting;
} postgres_cases[] = {
    {{"silent", KOA_STATUS_UNHEALTHY, "Health check timed out after 0.3s", NULL}, SILENT, ""},
    {{"hangs up", KOA_STATUS_UNHEALTHY, "Database connection failed: ", NULL}, HANGS_UP, ""},
    {{"no PostgreSQL", KOA_STATUS_UNHEALTHY, "", NULL}, GREETS, "HTTP/1.1 400 Bad Request\r\n\r\n"},
    {{"floods", KOA_STATUS_UNHEALTHY, "", NULL}, FLOODS, "N"},
};

static void postgres_that_does_not_answer(void **state)
{
    (void) state;
    KIT_EACH (c, postgres_cases) {
        struct kit_checks checks = {.is_started = false};
        struct server server = {.behaviour = c->behaviour, .greeting = c->greeting};
        char url[128];

        kit_checks_start(&checks, NULL);
        (void) snprintf(url, sizeof(url), "postgresql://u:hunter22@localhost:%d/d",
                        server_start(&server, &checks));
        expect_board(&c->expected,
                     kit_checks_look(&checks, &koa_check_database,
                                     KOA_SETTINGS(SLOW, {"url", url}, {"timeout", "300ms"})));
        server_end(&server);
        kit_checks_end(&checks);
    }
    look(&koa_check_database, KOA_SETTINGS(SLOW, {"url", "postgresql://u:hunter22@127.0.0.1:1/d"}),
         &(struct expectation){"refused", KOA_STATUS_UNHEALTHY, "port 1 failed: Connection refused",
                               "\"backend\":\"postgresql\""});
    look(&koa_check_database,
         KOA_SETTINGS(SLOW, {"url", "postgresql://u@nobody.invalid,127.0.0.1:1/d"}),
         &(struct expectation){"one name of two", KOA_STATUS_UNHEALTHY, "127.0.0.1", NULL});
    look(&koa_check_database, KOA_SETTINGS(SLOW, {"url", "postgresql:///d?host=/nonexistent"}),
         &(struct expectation){"socket", KOA_STATUS_UNHEALTHY, "/nonexistent", NULL});
}

static void wrong_database_urls_are_refused(void **state)
{
    (void) state;
    expect_refused("scheme", &koa_check_database, KOA_SETTINGS({"url", "mysql://h/d"}),
                   "postgresql://");
    expect_refused("relative", &koa_check_database, KOA_SETTINGS({"url", "sqlite://x.db"}),
                   "absolute");
    expect_refused("broken", &koa_check_database,
                   KOA_SETTINGS({"url", "postgresql://u:hunter22@h:5432/d?nothing=1"}),
                   "no PostgreSQL URL");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_hold_to_the_contract),
        cmocka_unit_test(types_are_found_by_name),
        cmocka_unit_test(memory_says_how_full_it_is),
        cmocka_unit_test(disks_say_how_full_they_are),
        cmocka_unit_test(plugins_are_taken_at_their_word),
        cmocka_unit_test(plugins_that_cannot_run_or_end),
        cmocka_unit_test(services_are_asked),
        cmocka_unit_test(services_that_are_not_there),
        cmocka_unit_test(a_service_lends_its_name),
        cmocka_unit_test(state_databases_are_written_and_read),
        cmocka_unit_test(a_full_disk_degrades_the_state_database),
        cmocka_unit_test(sqlite_files_are_read_and_never_made),
        cmocka_unit_test(postgres_that_does_not_answer),
        cmocka_unit_test(wrong_database_urls_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
