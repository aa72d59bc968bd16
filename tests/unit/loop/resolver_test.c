#include "kit/kit.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#include "kit/loop_kit.h"

/* The system's resolver as the test wants it: getaddrinfo() of the program is this one. Names:
 * "good" has two addresses, "metadata" one that is link-local, "mixed" both kinds, "bad" none,
 * "hang" waits for the test; numbers go to the real parser's rules (AI_NUMERICHOST is only asked
 * for IPv6 here and refused). */
static struct {
    pthread_mutex_t mutex;
    int calls;
} fake = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static struct kit_gate hang_begun = KIT_GATE_INIT;
static struct kit_gate hang_ends = KIT_GATE_INIT;

struct fake_answer {
    struct addrinfo info[2];
    struct sockaddr_in address[2];
};

static int answer_numeric(const char *name, struct addrinfo **result)
{
    struct fake_answer *answer = calloc(1, sizeof(*answer));

    assert_non_null(answer);
    for (int i = 0; i < 2; i++) {
        answer->address[i].sin_family = AF_INET;
        answer->info[i].ai_family = AF_INET;
        answer->info[i].ai_addr = (struct sockaddr *) &answer->address[i];
        answer->info[i].ai_addrlen = sizeof(answer->address[i]);
    }
    (void) inet_pton(AF_INET, name, &answer->address[0].sin_addr);
    *result = &answer->info[0];
    return 0;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the C library's names */
int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **result)
{
    struct in_addr ignored;

    (void) service;
    if (inet_pton(AF_INET, name, &ignored) == 1)
        return answer_numeric(name, result);
    if (hints->ai_flags & AI_NUMERICHOST)
        return EAI_NONAME;
    (void) pthread_mutex_lock(&fake.mutex);
    fake.calls++;
    (void) pthread_mutex_unlock(&fake.mutex);
    if (strncmp(name, "hang", 4) == 0) {
        kit_gate_pass(&hang_begun);
        kit_gate_wait(&hang_ends, 1);
        return EAI_AGAIN;
    }
    if (strcmp(name, "metadata") == 0)
        return answer_numeric("169.254.169.254", result);
    if (strncmp(name, "good", 4) != 0 && strcmp(name, "mixed") != 0)
        return EAI_NONAME;
    (void) answer_numeric(name[0] == 'm' ? "169.254.1.1" : "10.0.0.1", result);
    (*result)->ai_next = *result + 1;
    (void) inet_pton(AF_INET, "10.0.0.2",
                     &((struct sockaddr_in *) (void *) (*result)->ai_next->ai_addr)->sin_addr);
    return 0;
}

/* NOLINTNEXTLINE(readability-inconsistent-declaration-parameter-name): the C library's names */
void freeaddrinfo(struct addrinfo *info)
{
    free(KOA_CONTAINER_OF(info, struct fake_answer, info[0]));
}

static int calls(void)
{
    int result;

    (void) pthread_mutex_lock(&fake.mutex);
    result = fake.calls;
    (void) pthread_mutex_unlock(&fake.mutex);
    return result;
}

struct query {
    struct kit_loop *kit;
    const char *host;
    int64_t deadline_ms;
    struct koa_resolution *resolution;
    enum koa_err err;
    struct koa_error error;
    struct kit_gate answered;
    size_t count;
    char addresses[2][KOA_ADDRESS_TEXT_SIZE];
    bool refuses_link_local;
    bool came_at_once;
    bool is_starting;
};

static void on_resolved(void *context, const struct koa_address *addresses, size_t count,
                        const struct koa_error *error)
{
    struct query *query = context;

    query->came_at_once = query->is_starting;
    query->count = count;
    for (size_t i = 0; i < count && i < 2; i++)
        koa_address_format(&addresses[i], query->addresses[i], sizeof(query->addresses[i]));
    if (addresses == NULL)
        query->error = *error;
    kit_gate_pass(&query->answered);
}

static void start(void *message)
{
    struct query *query = message;
    struct koa_resolver_query opts = {.host = query->host,
                                      .port = 9092,
                                      .deadline_ms = query->deadline_ms,
                                      .refuses_link_local = query->refuses_link_local,
                                      .done = on_resolved,
                                      .context = query};

    query->is_starting = true;
    query->err = koa_resolver_start(query->kit->resolver, &opts, &query->resolution, &query->error);
    query->is_starting = false;
}

static void cancel(void *message)
{
    koa_resolution_cancel(((struct query *) message)->resolution);
}

static void ask(struct kit_loop *kit, struct query *query, const char *host, int64_t deadline_ms)
{
    *query = (struct query){.kit = kit,
                            .host = host,
                            .deadline_ms = deadline_ms,
                            .refuses_link_local = query->refuses_link_local,
                            .answered = KIT_GATE_INIT};
    kit_loop_call(kit, start, query);
}

static void a_name_has_its_addresses_and_one_look_up_serves_all(void **state)
{
    struct kit_loop kit;
    struct query first = {0};
    struct query second = {0};
    struct query third = {0};
    int before = calls();

    (void) state;
    kit_loop_start(&kit, 0);
    ask(&kit, &first, "good", 20000);
    ask(&kit, &second, "good", 20000);
    kit_gate_wait(&first.answered, 1);
    kit_gate_wait(&second.answered, 1);
    KIT_EXPECT_INT("two addresses", 2, first.count);
    KIT_EXPECT_TEXT("first", "10.0.0.1:9092", first.addresses[0]);
    KIT_EXPECT_TEXT("second", "10.0.0.2:9092", first.addresses[1]);
    ask(&kit, &third, "good", 20000);
    kit_gate_wait(&third.answered, 1);
    KIT_EXPECT_INT("kept", 2, third.count);
    KIT_EXPECT("but later", !third.came_at_once);
    KIT_EXPECT_INT("one look-up", before + 1, calls());
    kit_loop_end(&kit);
}

static void a_number_needs_no_look_up(void **state)
{
    struct kit_loop kit;
    struct query query = {0};
    int before = calls();

    (void) state;
    kit_loop_start(&kit, 0);
    ask(&kit, &query, "192.0.2.7", 20000);
    kit_gate_wait(&query.answered, 1);
    KIT_EXPECT_TEXT("address", "192.0.2.7:9092", query.addresses[0]);
    KIT_EXPECT("later", !query.came_at_once);
    KIT_EXPECT_INT("no look-up", before, calls());
    kit_loop_end(&kit);
}

static void link_local_addresses_are_left_out_when_asked(void **state)
{
    static const struct {
        const char *host;
        bool refuses;
        const char *address; /* NULL: refused */
    } cases[] = {
        {"metadata", false, "169.254.169.254:9092"},
        {"metadata", true, NULL},
        {"mixed", false, "169.254.1.1:9092"},
        {"mixed", true, "10.0.0.2:9092"},
        {"169.254.169.254", false, "169.254.169.254:9092"},
        {"169.254.169.254", true, NULL},
        {"127.0.0.1", true, "127.0.0.1:9092"},
        {"192.168.1.1", true, "192.168.1.1:9092"},
    };
    struct kit_loop kit;

    (void) state;
    kit_loop_start(&kit, 0);
    KIT_EACH (c, cases) {
        struct query query = {.refuses_link_local = c->refuses};

        ask(&kit, &query, c->host, 10000);
        kit_gate_wait(&query.answered, 1);
        KIT_EXPECT_INT(c->host, c->address != NULL, query.count > 0);
        if (c->address != NULL) {
            KIT_EXPECT_TEXT(c->host, c->address, query.addresses[0]);
        } else {
            KIT_EXPECT_CONTAINS(c->host, "allow_link_local", query.error.text);
            KIT_EXPECT("not to be tried again", !query.error.retriable);
        }
    }
    kit_loop_end(&kit);
}

static void a_name_that_is_none_says_why(void **state)
{
    struct kit_loop kit;
    struct query query = {0};

    (void) state;
    kit_loop_start(&kit, 0);
    ask(&kit, &query, "bad", 20000);
    kit_gate_wait(&query.answered, 1);
    KIT_EXPECT_INT("none", 0, query.count);
    KIT_EXPECT_TEXT("text", "cannot resolve 'bad': Name or service not known", query.error.text);
    ask(&kit, &query, "", 20000);
    KIT_EXPECT_INT("an empty name", KOA_ERR_INVALID, query.err);
    kit_loop_end(&kit);
}

static void localhost_is_loopback_where_the_system_does_not_know_it(void **state)
{
    static const struct {
        const char *name;
        const char *address;
    } cases[] = {{"bad.localhost", "127.0.0.1:9092"},
                 {"BAD.LocalHost", "127.0.0.1:9092"},
                 {"badlocalhost", ""}};
    struct kit_loop kit;

    (void) state;
    kit_loop_start(&kit, 0);
    KIT_EACH (c, cases) {
        struct query query = {0};

        ask(&kit, &query, c->name, 20000);
        kit_gate_wait(&query.answered, 1);
        KIT_EXPECT_TEXT(c->name, c->address, query.count > 0 ? query.addresses[0] : "");
    }
    kit_loop_end(&kit);
}

static void names_that_hang_end_at_their_deadline_and_others_go_on(void **state)
{
    enum { HUNG = 8 };
    static char names[HUNG + 1][16];
    static struct query hung[HUNG + 1];
    struct kit_loop kit;
    struct query good;
    struct query cancelled;

    (void) state;
    kit_loop_start(&kit, 0);
    for (int i = 0; i < HUNG; i++) {
        (void) snprintf(names[i], sizeof(names[i]), "hang-%d", i);
        ask(&kit, &hung[i], names[i], 20);
    }
    for (int i = 0; i < HUNG; i++) {
        kit_gate_wait(&hung[i].answered, 1);
        KIT_EXPECT_INT("late", KOA_ERR_TIMEOUT, hung[i].error.code);
    }
    kit_gate_wait(&hang_begun, HUNG);
    /* All look-ups hang: the next name waits its time, and no further worker is taken. */
    ask(&kit, &good, "good-later", 20);
    kit_gate_wait(&good.answered, 1);
    KIT_EXPECT_TEXT("text", "cannot resolve 'good-later': no answer in time", good.error.text);
    KIT_EXPECT_INT("threads", HUNG, koa_workers_stats(kit.workers)->used);
    ask(&kit, &cancelled, "good-later", 20000);
    kit_loop_call(&kit, cancel, &cancelled);
    ask(&kit, &good, "good-later", 20000);
    kit_gate_pass(&hang_ends);
    kit_gate_wait(&good.answered, 1);
    KIT_EXPECT_INT("answered at last", 2, good.count);
    KIT_EXPECT_INT("cancelled: silent", 0, kit_gate_count(&cancelled.answered));
    kit_loop_end(&kit);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_has_its_addresses_and_one_look_up_serves_all),
        cmocka_unit_test(a_number_needs_no_look_up),
        cmocka_unit_test(link_local_addresses_are_left_out_when_asked),
        cmocka_unit_test(a_name_that_is_none_says_why),
        cmocka_unit_test(localhost_is_loopback_where_the_system_does_not_know_it),
        cmocka_unit_test(names_that_hang_end_at_their_deadline_and_others_go_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
