#include "httpserver/policy.h"

#include <string.h>

#include "base/str.h"
#include "kit/kit.h"
#include "loop/worker.h"

/* bcrypt of "sesame" and "door:two" at the lowest cost. */
#define HASH_SESAME "$2b$04$abcdefghijklmnopqrstuuinwY/tkBVrn3xrxQI/TgnMHhkvl85RW"
#define HASH_DOOR "$2b$04$abcdefghijklmnopqrstuu3eJFmD0GNPTC95xIAhxfqUaJ6YALILi"

static const struct koa_http_user users[] = {
    {"prometheus", HASH_SESAME, KOA_SCOPE_METRICS},
    {"root", HASH_DOOR, KOA_SCOPE_ADMIN},
};
static const struct koa_http_bearer bearers[] = {
    {"grafana", "tok-grafana", KOA_SCOPE_READ},
    {"deploy", "tok-deploy", KOA_SCOPE_ADMIN},
};
static const struct koa_http_route routes[] = {
    {.pattern = "/health", .methods = KOA_HTTP_GET},
    {.pattern = "/-/reload", .methods = KOA_HTTP_POST, .changes = true},
};
static const char *const open_patterns[] = {"/health", "/-/reload", "/later"};

/* Only passed through: nothing is verified here. */
static char place;

static struct koa_http_server_opts server_opts(void)
{
    return (struct koa_http_server_opts){
        .routes = routes,
        .route_count = KOA_ARRAY_COUNT(routes),
        .loop = (struct koa_loop *) (void *) &place,
        .workers = (struct koa_workers *) (void *) &place,
    };
}

static struct koa_http_settings full_settings(void)
{
    return (struct koa_http_settings){
        .users = users,
        .user_count = KOA_ARRAY_COUNT(users),
        .bearers = bearers,
        .bearer_count = KOA_ARRAY_COUNT(bearers),
        .open = open_patterns,
        .open_count = KOA_ARRAY_COUNT(open_patterns),
    };
}

static struct koa_http_policy *make(const struct koa_http_server_opts *opts,
                                    const struct koa_http_settings *settings)
{
    struct koa_http_policy *policy = NULL;
    struct koa_error error = {.text = ""};

    if (koa_http_policy_create(opts, settings, &policy, &error) != KOA_OK)
        fail_msg("%s", error.text);
    return policy;
}

static void basic(char *target, size_t size, const char *plain)
{
    assert_true(koa_str_copy(target, size, KOA_STR("Basic ")));
    koa_base64_encode((struct koa_str){.data = plain, .size = strlen(plain)}, target + 6, size - 6);
}

static void judge(struct koa_http_policy *policy, const char *authorization,
                  struct koa_http_judged *judged)
{
    struct koa_credentials credentials = {
        .authorization = authorization, .peer = "127.0.0.1", .method = "GET", .path = "/"};

    koa_http_policy_judge(policy, &credentials, judged);
}

static void test_judgements(void **state)
{
    static const struct {
        const char *name;
        const char *plain;         /* of Basic, or */
        const char *authorization; /* the whole header */
        enum koa_http_judgement judgement;
        unsigned scopes;
        bool is_known;
    } cases[] = {
        {"nothing", NULL, NULL, KOA_HTTP_JUDGED_NONE, 0, false},
        {"empty", NULL, "", KOA_HTTP_JUDGED_NONE, 0, false},
        {"another scheme", NULL, "Digest x=y", KOA_HTTP_JUDGED_NONE, 0, false},
        {"a scheme alone", NULL, "Bearer", KOA_HTTP_JUDGED_NONE, 0, false},
        {"token", NULL, "Bearer tok-grafana", KOA_HTTP_JUDGED_ACCEPTED,
         KOA_SCOPE_READ | KOA_SCOPE_METRICS, false},
        {"scheme in other case", NULL, "bEARER  tok-grafana ", KOA_HTTP_JUDGED_ACCEPTED,
         KOA_SCOPE_READ | KOA_SCOPE_METRICS, false},
        {"admin", NULL, "Bearer tok-deploy", KOA_HTTP_JUDGED_ACCEPTED,
         KOA_SCOPE_ADMIN | KOA_SCOPE_READ | KOA_SCOPE_METRICS, false},
        {"a part of a token", NULL, "Bearer tok-grafan", KOA_HTTP_JUDGED_DENIED, 0, false},
        {"more than a token", NULL, "Bearer tok-grafanaa", KOA_HTTP_JUDGED_DENIED, 0, false},
        {"empty token", NULL, "Bearer ", KOA_HTTP_JUDGED_DENIED, 0, false},
        {"a token's name", NULL, "Bearer grafana", KOA_HTTP_JUDGED_DENIED, 0, false},
        {"user", "prometheus:sesame", NULL, KOA_HTTP_JUDGED_HASH, 0, true},
        {"wrong password looks the same", "prometheus:x", NULL, KOA_HTTP_JUDGED_HASH, 0, true},
        {"unknown user looks the same", "nobody:sesame", NULL, KOA_HTTP_JUDGED_HASH, 0, false},
        {"colon in the password", "root:door:two", NULL, KOA_HTTP_JUDGED_HASH, 0, true},
        {"no colon", "root", NULL, KOA_HTTP_JUDGED_DENIED, 0, false},
        {"no base64", NULL, "Basic ???", KOA_HTTP_JUDGED_DENIED, 0, false},
        {"NUL inside", NULL, "Basic cm9vdAA6ZG9vcg==", KOA_HTTP_JUDGED_DENIED, 0, false},
    };
    struct koa_http_server_opts opts = server_opts();
    struct koa_http_settings settings = full_settings();
    struct koa_http_policy *policy = make(&opts, &settings);

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_http_judged judged;
        char text[1024];

        if (c->plain != NULL)
            basic(text, sizeof(text), c->plain);
        judge(policy, c->plain != NULL ? text : c->authorization, &judged);
        KIT_EXPECT_INT(c->name, c->judgement, judged.judgement);
        KIT_EXPECT_INT(c->name, c->scopes, judged.scopes);
        KIT_EXPECT(c->name, judged.is_known == c->is_known);
        if (c->judgement == KOA_HTTP_JUDGED_HASH) {
            KIT_EXPECT(c->name, judged.hash != NULL);
            KIT_EXPECT_TEXT(c->name, strchr(c->plain, ':') + 1, judged.password);
        }
        koa_http_judged_wipe(&judged);
        KIT_EXPECT_TEXT("wiped", "", judged.password);
    }
    koa_object_unref(&policy->object);
}

static void test_long_credentials(void **state)
{
    struct koa_http_server_opts opts = server_opts();
    struct koa_http_settings settings = full_settings();
    struct koa_http_policy *policy = make(&opts, &settings);
    struct koa_http_judged judged;
    char plain[KOA_HTTP_CREDENTIALS_SIZE + 200] = "root:";
    char text[1200];

    (void) state;
    memset(plain + 5, 'x', KOA_HTTP_CREDENTIALS_SIZE - 1 - 5);
    basic(text, sizeof(text), plain);
    judge(policy, text, &judged);
    KIT_EXPECT_INT("511 bytes", KOA_HTTP_JUDGED_HASH, judged.judgement);
    plain[KOA_HTTP_CREDENTIALS_SIZE - 1] = 'x';
    basic(text, sizeof(text), plain);
    judge(policy, text, &judged);
    KIT_EXPECT_INT("512 bytes", KOA_HTTP_JUDGED_DENIED, judged.judgement);
    koa_object_unref(&policy->object);
}

static void test_accepted_password_is_remembered(void **state)
{
    struct koa_http_server_opts opts = server_opts();
    struct koa_http_settings settings = full_settings();
    struct koa_http_policy *policy = make(&opts, &settings);
    struct koa_http_judged judged;
    char right[64];
    char wrong[64];

    (void) state;
    basic(right, sizeof(right), "prometheus:sesame");
    basic(wrong, sizeof(wrong), "prometheus:sesame2");
    judge(policy, right, &judged);
    KIT_EXPECT_INT("first", KOA_HTTP_JUDGED_HASH, judged.judgement);
    koa_http_policy_accept(policy, judged.user, judged.digest);
    judge(policy, right, &judged);
    KIT_EXPECT_INT("then", KOA_HTTP_JUDGED_ACCEPTED, judged.judgement);
    KIT_EXPECT_INT("scopes", KOA_SCOPE_METRICS, judged.scopes);
    judge(policy, wrong, &judged);
    KIT_EXPECT_INT("another password is not", KOA_HTTP_JUDGED_HASH, judged.judgement);
    basic(wrong, sizeof(wrong), "root:sesame");
    judge(policy, wrong, &judged);
    KIT_EXPECT_INT("nor another user", KOA_HTTP_JUDGED_HASH, judged.judgement);
    koa_object_unref(&policy->object);
}

static enum koa_auth_result ask_host(void *context, const struct koa_credentials *credentials,
                                     unsigned *ret_scopes)
{
    const char *text = credentials->authorization;

    (void) context;
    if (text == NULL)
        return KOA_AUTH_NONE;
    if (strcmp(text, "Bearer host-token") == 0 || strcmp(text, "Host right") == 0) {
        *ret_scopes = KOA_SCOPE_READ;
        return KOA_AUTH_ACCEPTED;
    }
    return strncmp(text, "Host ", 5) == 0 ? KOA_AUTH_DENIED : KOA_AUTH_NONE;
}

static void test_host(void **state)
{
    static const struct koa_authenticator host = {KOA_OPS_INIT(koa_authenticator), .name = "host",
                                                  .authenticate = ask_host};
    static const struct koa_authenticator *const hosts[] = {&host};
    static const struct {
        const char *name;
        const char *authorization;
        enum koa_http_judgement judgement;
    } cases[] = {
        {"its own scheme", "Host right", KOA_HTTP_JUDGED_ACCEPTED},
        {"its own scheme, wrong", "Host wrong", KOA_HTTP_JUDGED_DENIED},
        {"its token", "Bearer host-token", KOA_HTTP_JUDGED_ACCEPTED},
        {"our token", "Bearer tok-grafana", KOA_HTTP_JUDGED_ACCEPTED},
        {"nobody's token", "Bearer x", KOA_HTTP_JUDGED_DENIED},
        {"nobody's scheme", "Digest x", KOA_HTTP_JUDGED_NONE},
        {"none", NULL, KOA_HTTP_JUDGED_NONE},
    };
    struct koa_http_server_opts opts = server_opts();
    struct koa_http_settings settings = full_settings();
    struct koa_http_policy *policy;

    (void) state;
    opts.authenticators = hosts;
    opts.authenticator_count = 1;
    policy = make(&opts, &settings);
    KIT_EACH (c, cases) {
        struct koa_http_judged judged;

        judge(policy, c->authorization, &judged);
        KIT_EXPECT_INT(c->name, c->judgement, judged.judgement);
    }
    koa_object_unref(&policy->object);
}

static void test_settings(void **state)
{
    struct koa_http_server_opts opts = server_opts();
    struct koa_http_settings settings = full_settings();
    struct koa_http_policy *policy = make(&opts, &settings);

    (void) state;
    KIT_EXPECT_INT("default", 512, policy->settings.connections);
    KIT_EXPECT_INT("default", 16384, policy->settings.header_bytes);
    KIT_EXPECT("open", policy->open[0]);
    KIT_EXPECT("what changes things is never open", !policy->open[1]);
    KIT_EXPECT("copied", policy->settings.users[0].name != users[0].name);
    KIT_EXPECT("asks for credentials", koa_http_policy_has_logins(policy));
    koa_object_unref(&policy->object);
    settings = (struct koa_http_settings){0};
    policy = make(&opts, &settings);
    KIT_EXPECT("asks for none", !koa_http_policy_has_logins(policy));
    koa_object_unref(&policy->object);
}

static void test_bad_settings(void **state)
{
    static const struct koa_http_user twice[] = {{"a", HASH_SESAME, 1}, {"a", HASH_SESAME, 1}};
    static const struct koa_http_user no_hash[] = {{"a", "plain", 1}};
    static const struct koa_http_user colon[] = {{"a:b", HASH_SESAME, 1}};
    static const struct koa_http_user nameless[] = {{"", HASH_SESAME, 1}};
    static const struct koa_http_bearer empty[] = {{"t", "", 1}};
    static const struct koa_http_bearer line[] = {{"t", "abc\n", 1}};
    static const struct {
        const char *name;
        struct koa_http_settings settings;
        enum koa_err err;
        const char *text;
    } cases[] = {
        {"user twice", {.users = twice, .user_count = 2}, KOA_ERR_INVALID, "'a' twice"},
        {"no hash", {.users = no_hash, .user_count = 1}, KOA_ERR_INVALID, "web user 'a'"},
        {"colon", {.users = colon, .user_count = 1}, KOA_ERR_INVALID, "without a colon"},
        {"no name", {.users = nameless, .user_count = 1}, KOA_ERR_INVALID, "web.users[0]"},
        {"empty token", {.bearers = empty, .bearer_count = 1}, KOA_ERR_INVALID, "'t' is empty"},
        {"line end", {.bearers = line, .bearer_count = 1}, KOA_ERR_INVALID, "line end"},
        {"negative", {.connections = -1}, KOA_ERR_RANGE, "web.limits.connections is -1"},
        {"huge", {.header_bytes = 1 << 30}, KOA_ERR_RANGE, "between 1024 and 524288"},
    };
    struct koa_http_server_opts opts = server_opts();

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_http_policy *policy = NULL;
        struct koa_error error = {.text = ""};

        KIT_EXPECT_INT(c->name, c->err,
                       koa_http_policy_create(&opts, &c->settings, &policy, &error));
        KIT_EXPECT_CONTAINS(c->name, c->text, error.text);
        KIT_EXPECT("no secret in the text", strstr(error.text, "plain") == NULL);
    }
}

static void test_no_memory(void **state)
{
    struct koa_http_server_opts opts = server_opts();
    struct koa_http_settings settings = full_settings();
    bool ok = false;

    (void) state;
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        struct koa_http_policy *policy = NULL;
        enum koa_err err = koa_http_policy_create(&opts, &settings, &policy, NULL);

        ok = err == KOA_OK;
        if (ok) {
            koa_object_unref(&policy->object);
        } else {
            KIT_EXPECT_INT("error", KOA_ERR_NOMEM, err);
        }
    }
    KIT_EXPECT("succeeds at last", ok);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_judgements),
        cmocka_unit_test(test_long_credentials),
        cmocka_unit_test(test_accepted_password_is_remembered),
        cmocka_unit_test(test_host),
        cmocka_unit_test(test_settings),
        cmocka_unit_test(test_bad_settings),
        cmocka_unit_test(test_no_memory),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
