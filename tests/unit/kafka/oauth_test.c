/* What is said at a token endpoint, good and bad. */
#include "kafka/oauth.h"

#include <string.h>

#include "kit/kit.h"

#include "base/str.h"

static void requests_are_form_encoded(void **state)
{
    struct koa_buf buf = {.limit = 1 << 16};

    (void) state;
    koa_oauth_write_form("", &buf);
    KIT_EXPECT_TEXT("no scope", "grant_type=client_credentials", koa_buf_text(&buf));
    koa_buf_clear(&buf);
    koa_oauth_write_form("kafka:read a&b", &buf);
    KIT_EXPECT_TEXT("scope", "grant_type=client_credentials&scope=kafka%3Aread%20a%26b",
                    koa_buf_text(&buf));
    koa_buf_clear(&buf);
    /* "a%3Ab:s%2F1" */
    koa_oauth_write_authorization("a:b", "s/1", &buf);
    KIT_EXPECT_TEXT("credentials", "Authorization: Basic YSUzQWI6cyUyRjE=", koa_buf_text(&buf));
    koa_buf_deinit(&buf);
}

static const struct {
    const char *name;
    int status;
    const char *body;
    const char *token; /* NULL: fails */
    int64_t lifetime_ms;
    const char *part;
} answers[] = {
    {"whole", 200, "{\"access_token\":\"t1\",\"token_type\":\"Bearer\",\"expires_in\":3600}", "t1",
     3600000, NULL},
    {"type in small letters, no lifetime", 200,
     "{\"access_token\":\"t1\",\"token_type\":\"bearer\"}", "t1", -1, NULL},
    {"nearly for ever", 200, "{\"access_token\":\"t1\",\"expires_in\":1e300}", "t1",
     INT64_C(1000000000000), NULL},
    {"negative lifetime", 200, "{\"access_token\":\"t1\",\"expires_in\":-5}", "t1", -1, NULL},
    {"no token", 200, "{\"token_type\":\"Bearer\"}", NULL, 0, "has no access_token"},
    {"token of another type", 200, "{\"access_token\":\"t1\",\"token_type\":\"mac\"}", NULL, 0,
     "of type 'mac'; 'Bearer' is needed"},
    {"no JSON", 200, "<html>", NULL, 0, "is no JSON"},
    {"refused", 401, "{\"error\":\"invalid_client\",\"error_description\":\"who?\\n\"}", NULL, 0,
     "the token endpoint answers 401: invalid_client: who??"},
    {"broken", 502, "Bad Gateway", NULL, 0, "the token endpoint answers 502"},
};

static void answers_are_read_and_refusals_named(void **state)
{
    (void) state;
    KIT_EACH (c, answers) {
        struct koa_oauth_answer answer = {.status = c->status, .body = koa_str_from(c->body)};
        struct koa_error error = {.text = ""};
        char *token = NULL;
        int64_t lifetime_ms = 0;
        enum koa_err err = koa_oauth_read(&answer, &token, &lifetime_ms, &error);

        KIT_EXPECT(c->name, (err == KOA_OK) == (c->token != NULL));
        KIT_EXPECT_TEXT(c->name, c->token, token);
        if (c->token != NULL) {
            KIT_EXPECT_INT(c->name, c->lifetime_ms, lifetime_ms);
        } else {
            KIT_EXPECT_CONTAINS(c->name, c->part, error.text);
        }
        koa_free_secret(token);
    }
}

static void a_token_tells_its_own_end(void **state)
{
    static const struct {
        const char *name, *token;
        int64_t expiry_ms; /* -1: none */
    } cases[] = {
        /* {"exp":1300819380}: RFC 7519, section 3.1, shortened. */
        {"signed", "eyJhbGciOiJIUzI1NiJ9.eyJleHAiOjEzMDA4MTkzODB9.c2ln", INT64_C(1300819380000)},
        {"unsigned", "eyJhbGciOiJub25lIn0.eyJleHAiOjEzMDA4MTkzODB9.", INT64_C(1300819380000)},
        {"without an end", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.", -1},
        {"no JWT", "abc", -1},
        {"empty parts", "..", -1},
        {"no base64", "a.***.c", -1},
        {"no JSON", "a.YWJj.c", -1},
        {"empty", "", -1},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_wall expiry = {.ms = -1};

        KIT_EXPECT(c->name, koa_oauth_expiry(c->token, &expiry) == (c->expiry_ms >= 0));
        KIT_EXPECT_INT(c->name, c->expiry_ms, expiry.ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_form_encoded),
        cmocka_unit_test(answers_are_read_and_refusals_named),
        cmocka_unit_test(a_token_tells_its_own_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
