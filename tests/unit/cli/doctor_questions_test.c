/* doctor's questions in every version, and its words for a shell. */
#include "cli/doctor_features.h"

#include "base/str.h"
#include "kit/kit.h"

enum { TIMEOUT_MS = 5000, EMPTY_BODY_SIZE = 512 };

static void every_question_can_be_asked_in_every_version(void **state)
{
    const struct cli_subject subject = {.topic = KOA_STR("topic"),
                                        .group = KOA_STR("group"),
                                        .probe_topic = KOA_STR("probe"),
                                        .timeout_ms = TIMEOUT_MS};

    (void) state;
    for (size_t i = 0; i < cli_feature_count; i++) {
        const struct cli_feature *feature = &cli_features[i];
        const struct koa_kafka_api *api;
        struct koa_kafka_request_header header = {0};
        struct koa_arena *arena = koa_arena_create(4096);
        int highest;

        KIT_EXPECT(feature->name, feature->needs[0].since != NULL);
        KIT_EXPECT(feature->name, (feature->question == NULL) ==
                                      (feature->rights[0].resource == CLI_RESOURCE_NONE));
        if (feature->question == NULL) {
            koa_arena_destroy(arena);
            continue;
        }
        header.api_key = feature->question->api_key;
        api = koa_kafka_api_find(header.api_key);
        highest = api->highest_asked > 0 ? api->highest_asked : api->request->maximum;
        for (int version = api->request->minimum; version <= highest; version++) {
            struct koa_buf buf = {.limit = 4096};
            struct koa_error error = {.text = ""};
            const void *body = feature->question->ask(&subject, arena);

            header.api_version = (int16_t) version;
            assert_non_null(body);
            if (koa_kafka_frame_request(&header, body, &buf, &error) != KOA_OK)
                fail_msg("%s %d: %s", feature->name, header.api_version, error.text);
            koa_buf_deinit(&buf);
        }
        koa_arena_destroy(arena);
    }
}

static void an_empty_answer_tells_nothing_and_no_memory_asks_nothing(void **state)
{
    (void) state;
    for (size_t i = 0; i < cli_feature_count; i++) {
        const struct cli_feature *feature = &cli_features[i];
        max_align_t empty[EMPTY_BODY_SIZE / sizeof(max_align_t)] = {0};
        struct cli_reply reply = {.codes = {CLI_CODE_NONE, CLI_CODE_NONE}};
        const struct cli_subject subject = {.timeout_ms = TIMEOUT_MS};

        if (feature->question != NULL) {
            struct koa_arena *none = koa_arena_create(1);
            const void *body = feature->question->ask(&subject, none);

            feature->question->judge(empty, &reply);
            KIT_EXPECT(feature->name, reply.codes[1] == CLI_CODE_NONE);
            /* A body that needs no memory is a constant, the same each time. */
            KIT_EXPECT(feature->name, body == feature->question->ask(&subject, none));
            koa_arena_destroy(none);
        }
    }
}

static const struct {
    int16_t code;
    enum cli_grant grant;
} codes[] = {
    {29, CLI_GRANT_REFUSED}, {30, CLI_GRANT_REFUSED}, {31, CLI_GRANT_REFUSED},
    {0, CLI_GRANT_GIVEN},    {3, CLI_GRANT_GIVEN},    {16, CLI_GRANT_GIVEN},
    {69, CLI_GRANT_GIVEN},   {35, CLI_GRANT_OFF},     {-1, CLI_GRANT_UNTOLD},
    {7, CLI_GRANT_UNTOLD},   {41, CLI_GRANT_UNTOLD},  {42, CLI_GRANT_UNTOLD},
};

static void an_error_that_comes_before_the_rights_tells_nothing_of_them(void **state)
{
    (void) state;
    KIT_EACH (c, codes)
        KIT_EXPECT_INT("grant", c->grant, cli_grant_of(c->code));
}

static const struct {
    const char *text, *word;
} words[] = {
    {"orders", "orders"}, {"*", "'*'"},           {"", "''"},
    {"a b", "'a b'"},     {"it's", "'it'\\''s'"}, {"$(x)", "'$(x)'"},
};

static void names_are_one_word_of_a_shell(void **state)
{
    (void) state;
    KIT_EACH (c, words) {
        struct koa_buf buf = {.limit = 64};

        cli_shell_word(koa_str_from(c->text), &buf);
        KIT_EXPECT_TEXT(c->text, c->word, koa_buf_text(&buf));
        koa_buf_deinit(&buf);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_question_can_be_asked_in_every_version),
        cmocka_unit_test(an_empty_answer_tells_nothing_and_no_memory_asks_nothing),
        cmocka_unit_test(an_error_that_comes_before_the_rights_tells_nothing_of_them),
        cmocka_unit_test(names_are_one_word_of_a_shell),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
