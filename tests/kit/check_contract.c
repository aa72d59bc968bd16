/* What every check must hold to, whoever wrote it. */
#include <stdio.h>
#include <string.h>

#include "base/json_read.h"
#include "kit/check_kit.h"
#include "kit/kit.h"

static void expect_words(const struct koa_check_ops *ops)
{
    KIT_EXPECT("struct_size is set", ops->struct_size == sizeof(*ops));
    KIT_EXPECT("it has a name", ops->name != NULL && ops->name[0] != '\0');
    for (const char *at = ops->name; *at != '\0'; at++) {
        KIT_EXPECT("the name is lower_case",
                   (*at >= 'a' && *at <= 'z') || (*at >= '0' && *at <= '9') || *at == '_');
    }
    KIT_EXPECT("it has help", ops->help != NULL && ops->help[0] != '\0');
    KIT_EXPECT_INT("exactly one function", 1,
                   (ops->run != NULL) + (ops->start != NULL) + (ops->evaluate != NULL));
    KIT_EXPECT("release comes with prepare", ops->release == NULL || ops->prepare != NULL);
    for (const struct koa_option *row = ops->options; row != NULL && row->type != KOA_OPTION_NONE;
         row++) {
        KIT_EXPECT("an option has a key", row->key != NULL && row->key[0] != '\0');
        KIT_EXPECT("an option has help", row->help != NULL && row->help[0] != '\0');
        KIT_EXPECT("an option lies in the config", row->offset < ops->config_size);
    }
}

static void expect_options(const struct koa_check_ops *ops, const struct koa_settings *settings)
{
    size_t count = settings != NULL ? settings->count : 0;
    struct koa_setting rows[32];
    struct koa_settings more = {.rows = rows, .count = count + 1};
    struct koa_check_unit *unit;
    char errors[2048];

    unit = kit_check_load(ops, NULL, settings, errors, sizeof(errors));
    KIT_EXPECT_TEXT("its settings load", "", errors);
    KIT_EXPECT("a check has a name", unit->common.name[0] != '\0');
    KIT_EXPECT("it has a timeout", unit->common.timeout_ms > 0);
    koa_check_unit_unref(unit);

    assert_true(count < KOA_ARRAY_COUNT(rows));
    if (count > 0)
        memcpy(rows, settings->rows, count * sizeof(rows[0]));
    rows[count] = (struct koa_setting){.key = "no_such_option", .value = "1"};
    unit = kit_check_load(ops, NULL, &more, errors, sizeof(errors));
    KIT_EXPECT("an unknown option is refused", unit == NULL);
    KIT_EXPECT_CONTAINS("and named", "no_such_option", errors);
}

static void expect_verdict(const struct koa_check_ops *ops, const struct koa_settings *settings)
{
    struct kit_checks checks = {.is_started = false};
    KOA_AUTO(koa_json_value) *details = NULL;
    const struct koa_result *result;
    struct koa_board *board;

    kit_checks_start(&checks, NULL);
    board = kit_checks_look(&checks, ops, settings);
    result = koa_board_find(board, "check");
    KIT_EXPECT("it has run", result->has_run);
    KIT_EXPECT("it decides, with a text", result->message[0] != '\0');
    KIT_EXPECT("it decides", strcmp(result->message, "the check did not decide") != 0);
    KIT_EXPECT("details are an object",
               koa_json_parse((struct koa_str){result->details, strlen(result->details)}, &details,
                              NULL) == KOA_OK &&
                   koa_json_value_type(details) == KOA_JSON_OBJECT);
    koa_board_unref(board);
    kit_checks_end(&checks);
}

/* Ended in its first run, and with what it keeps: the sanitizers find what is left. */
static void expect_cancel(const struct koa_check_ops *ops, const struct koa_settings *settings)
{
    struct kit_checks checks = {.is_started = false};
    struct koa_board *board;

    kit_checks_start(&checks, NULL);
    kit_checks_add(&checks, ops, "check", settings);
    kit_checks_end(&checks);

    kit_checks_start(&checks, NULL);
    board = kit_checks_look(&checks, ops, settings);
    koa_board_unref(board);
    kit_checks_end(&checks);
}

void koa_check_contract_test(const struct koa_check_ops *ops, const struct koa_settings *settings)
{
    expect_words(ops);
    expect_options(ops, settings);
    expect_verdict(ops, settings);
    expect_cancel(ops, settings);
}
