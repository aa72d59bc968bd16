#include <koa/error.h>

#include <errno.h>
#include <string.h>

#include <koa/version.h>

#include "base/str.h"
#include "kit/kit.h"

static void every_code_has_a_name(void **state)
{
    (void) state;
    for (int code = 0; code < KOA_ERR_COUNT; code++)
        KIT_EXPECT("a code", strlen(koa_err_name((enum koa_err) code)) > 1);
    KIT_EXPECT_TEXT("ok", "ok", koa_err_name(KOA_OK));
    KIT_EXPECT_TEXT("store", "store", koa_err_name(KOA_ERR_STORE));
    KIT_EXPECT_TEXT("beyond", "unknown", koa_err_name(KOA_ERR_COUNT));
    KIT_EXPECT_TEXT("negative", "unknown", koa_err_name((enum koa_err) - 1));
}

static void a_failure_fills_every_member(void **state)
{
    struct koa_error error = {.foreign = 7, .retriable = false};

    (void) state;
    KIT_EXPECT_INT("code", KOA_ERR_TIMEOUT,
                   koa_fail(&error, KOA_ERR_TIMEOUT, "no answer in %d s", 5));
    KIT_EXPECT_INT("member", KOA_ERR_TIMEOUT, error.code);
    KIT_EXPECT_INT("foreign", 0, error.foreign);
    KIT_EXPECT("retriable", error.retriable);
    KIT_EXPECT_TEXT("text", "no answer in 5 s", error.text);
    KIT_EXPECT_INT("without an error", KOA_ERR_IO, koa_fail(NULL, KOA_ERR_IO, "x"));
}

static void the_text_is_one_line_and_never_empty(void **state)
{
    struct koa_error error = {0};

    (void) state;
    (void) koa_fail(&error, KOA_ERR_PARSE, "%s", "first\r\nsecond\x7f");
    KIT_EXPECT_TEXT("line", "first  second ", error.text);
    (void) koa_fail(&error, KOA_ERR_PARSE, "%s", "");
    KIT_EXPECT_TEXT("empty", "parse", error.text);
}

static void words_can_be_put_around_an_error(void **state)
{
    struct koa_error error = {0};

    (void) state;
    (void) koa_fail(&error, KOA_ERR_TLS, "no certificate");
    (void) koa_fail(&error, error.code, "broker 3: %s", error.text);
    KIT_EXPECT_TEXT("text", "broker 3: no certificate", error.text);
}

static void long_text_is_cut_at_a_character(void **state)
{
    char text[2 * KOA_ERROR_TEXT_SIZE + 1];
    struct koa_error error = {0};

    (void) state;
    for (size_t i = 0; i < sizeof(text) - 1; i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    text[sizeof(text) - 1] = '\0';
    (void) koa_fail(&error, KOA_ERR_PARSE, "%s", text);
    KIT_EXPECT_INT("length", KOA_ERROR_TEXT_SIZE - 2, strlen(error.text));
    KIT_EXPECT("whole characters", koa_utf8_valid(koa_str_from(error.text)));
    (void) koa_fail_errno(&error, KOA_ERR_IO, ENOENT, "%s", text);
    KIT_EXPECT_CONTAINS("the reason stays", "\xc3\xa4: No such file or directory", error.text);
    KIT_EXPECT("whole characters", koa_utf8_valid(koa_str_from(error.text)));
}

static void the_systems_reason_is_named(void **state)
{
    struct koa_error error = {0};

    (void) state;
    KIT_EXPECT_INT("code", KOA_ERR_IO,
                   koa_fail_errno(&error, KOA_ERR_IO, EACCES, "cannot open '%s'", "/x"));
    KIT_EXPECT_TEXT("text", "cannot open '/x': Permission denied", error.text);
    KIT_EXPECT_INT("foreign", EACCES, error.foreign);
    KIT_EXPECT_INT("without an error", KOA_ERR_IO, koa_fail_errno(NULL, KOA_ERR_IO, 1, "x"));
}

static void the_version_is_that_of_the_header(void **state)
{
    (void) state;
    KIT_EXPECT_TEXT("version", "0.1.0", koa_version());
    KIT_EXPECT("revision", koa_revision()[0] != '\0');
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_name),
        cmocka_unit_test(a_failure_fills_every_member),
        cmocka_unit_test(the_text_is_one_line_and_never_empty),
        cmocka_unit_test(words_can_be_put_around_an_error),
        cmocka_unit_test(long_text_is_cut_at_a_character),
        cmocka_unit_test(the_systems_reason_is_named),
        cmocka_unit_test(the_version_is_that_of_the_header),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
