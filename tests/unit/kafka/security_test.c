#include "kafka/security.h"

#include <string.h>

#include "kit/kit.h"

#include "base/str.h"

static const struct {
    const char *name;
    struct koa_kafka_security security;
    const char *part; /* NULL: accepted */
} cases[] = {
    {"nothing", {.mechanism = ""}, NULL},
    {"TLS", {.use_tls = true}, NULL},
    {"PLAIN", {.mechanism = "PLAIN", .username = "u", .password = {.value = "p"}}, NULL},
    {"SCRAM with a file",
     {.mechanism = "SCRAM-SHA-512", .username = "u", .password = {.file = "/p"}},
     NULL},
    {"token", {.mechanism = "OAUTHBEARER", .token = {.value = "t"}}, NULL},
    {"endpoint",
     {.mechanism = "OAUTHBEARER",
      .token_url = "https://idp",
      .client_id = "c",
      .client_secret = {.value = "s"}},
     NULL},
    {"unknown mechanism", {.mechanism = "plain"}, "'plain' must be one of PLAIN, SCRAM-SHA-256"},
    {"no user", {.mechanism = "PLAIN", .password = {.value = "p"}}, "needs sasl.username"},
    {"no password", {.mechanism = "SCRAM-SHA-256", .username = "u"}, "and sasl.password"},
    {"no token", {.mechanism = "OAUTHBEARER"}, "needs one of sasl.token"},
    {"token and endpoint",
     {.mechanism = "OAUTHBEARER", .token = {.value = "t"}, .token_url = "https://idp"},
     "needs one of sasl.token"},
    {"endpoint without client",
     {.mechanism = "OAUTHBEARER", .token_url = "https://idp"},
     "needs sasl.client_id and sasl.client_secret"},
    {"certificate without key", {.use_tls = true, .cert_file = "/c"}, "must be set together"},
};

static void settings_that_do_not_fit_together_are_named(void **state)
{
    (void) state;
    KIT_EACH (c, cases) {
        struct koa_error error = {.text = ""};
        enum koa_err err = koa_kafka_security_check(&c->security, &error);

        KIT_EXPECT_INT(c->name, c->part != NULL ? KOA_ERR_INVALID : KOA_OK, err);
        if (c->part != NULL)
            KIT_EXPECT_CONTAINS(c->name, c->part, error.text);
    }
}

static void a_copy_is_whole_and_its_own(void **state)
{
    char password[] = "secret";
    struct koa_kafka_security security = {
        .use_tls = true, .ca_file = "/ca", .password = {.value = password}, .token_url = "u"};
    struct koa_kafka_security_copy *copy = koa_kafka_security_copy(&security);
    const struct koa_kafka_security *own = koa_kafka_security_get(copy);
    bool ok = false;

    (void) state;
    (void) koa_kafka_security_ref(copy);
    koa_kafka_security_unref(copy);
    memset(password, 'x', sizeof(password) - 1);
    KIT_EXPECT("tls", own->use_tls);
    KIT_EXPECT_TEXT("file", "/ca", own->ca_file);
    KIT_EXPECT_TEXT("password", "secret", own->password.value);
    KIT_EXPECT_TEXT("absent", NULL, own->scope);
    koa_kafka_security_unref(copy);
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        copy = koa_kafka_security_copy(&security);
        ok = copy != NULL;
        koa_kafka_security_unref(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_that_do_not_fit_together_are_named),
        cmocka_unit_test(a_copy_is_whole_and_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
