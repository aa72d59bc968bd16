#include "base/num.h"

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/str.h"
#include "kit/kit.h"

static void whole_numbers_are_read_whole_or_not_at_all(void **state)
{
    static const struct {
        const char *text;
        enum koa_err err;
        int64_t number;
    } cases[] = {
        {"0", KOA_OK, 0},
        {"-0", KOA_OK, 0},
        {"42", KOA_OK, 42},
        {"-42", KOA_OK, -42},
        {"9223372036854775807", KOA_OK, INT64_MAX},
        {"-9223372036854775808", KOA_OK, INT64_MIN},
        {"9223372036854775808", KOA_ERR_RANGE, 0},
        {"-9223372036854775809", KOA_ERR_RANGE, 0},
        {"99999999999999999999999999", KOA_ERR_RANGE, 0},
        {"", KOA_ERR_PARSE, 0},
        {"-", KOA_ERR_PARSE, 0},
        {"+1", KOA_ERR_PARSE, 0},
        {" 1", KOA_ERR_PARSE, 0},
        {"1 ", KOA_ERR_PARSE, 0},
        {"1e3", KOA_ERR_PARSE, 0},
        {"0x10", KOA_ERR_PARSE, 0},
        {"1.0", KOA_ERR_PARSE, 0},
        {"2s", KOA_ERR_PARSE, 0},
        {"99999999999999999999x", KOA_ERR_PARSE, 0},
    };
    int64_t number = 0;

    (void) state;
    KIT_EACH (c, cases) {
        number = 0;
        KIT_EXPECT_INT(c->text, c->err,
                       koa_parse_int(koa_str_from(c->text), INT64_MIN, INT64_MAX, &number));
        KIT_EXPECT_INT(c->text, c->number, number);
    }
    KIT_EXPECT_INT("below", KOA_ERR_RANGE, koa_parse_int(KOA_STR("0"), 1, 65535, &number));
    KIT_EXPECT_INT("above", KOA_ERR_RANGE, koa_parse_int(KOA_STR("65536"), 1, 65535, &number));
    KIT_EXPECT_INT("at the end", KOA_OK, koa_parse_int(KOA_STR("65535"), 1, 65535, &number));
    KIT_EXPECT_INT("empty view", KOA_ERR_PARSE,
                   koa_parse_int((struct koa_str){0}, 1, 65535, &number));
}

static void doubles_are_finite_decimals(void **state)
{
    static const struct {
        const char *text;
        enum koa_err err;
        double number;
    } cases[] = {
        {"0.8", KOA_OK, 0.8},        {"-1.5e3", KOA_OK, -1500},  {".5", KOA_OK, 0.5},
        {"5.", KOA_OK, 5},           {"1E-2", KOA_OK, 0.01},     {"1e400", KOA_ERR_RANGE, 0},
        {"nan", KOA_ERR_PARSE, 0},   {"inf", KOA_ERR_PARSE, 0},  {"0x1p3", KOA_ERR_PARSE, 0},
        {"1,5", KOA_ERR_PARSE, 0},   {"1e", KOA_ERR_PARSE, 0},   {".", KOA_ERR_PARSE, 0},
        {"", KOA_ERR_PARSE, 0},      {"1.5 ", KOA_ERR_PARSE, 0}, {"--1", KOA_ERR_PARSE, 0},
        {"1.2.3", KOA_ERR_PARSE, 0},
    };

    (void) state;
    KIT_EACH (c, cases) {
        double number = 0;

        KIT_EXPECT_INT(c->text, c->err, koa_parse_double(koa_str_from(c->text), &number));
        KIT_EXPECT_DOUBLE(c->text, c->number, number);
    }
}

static void durations_name_their_units_in_order(void **state)
{
    static const struct {
        const char *text;
        enum koa_err err;
        int64_t ms;
    } cases[] = {
        {"500ms", KOA_OK, 500},
        {"30s", KOA_OK, 30000},
        {"30", KOA_OK, 30000},
        {"1.5", KOA_OK, 1500},
        {"1m30s", KOA_OK, 90000},
        {"24h", KOA_OK, 86400000},
        {"7d", KOA_OK, 604800000},
        {"1.5s", KOA_OK, 1500},
        {"1h0.5m", KOA_OK, 3630000},
        {"1s500ms", KOA_OK, 1500},
        {"0", KOA_OK, 0},
        {"36525d", KOA_OK, INT64_C(3155760000000)},
        {"36525d1ms", KOA_ERR_RANGE, 0},
        {"36526d", KOA_ERR_RANGE, 0},
        {"99999999999999999999s", KOA_ERR_RANGE, 0},
        {"", KOA_ERR_PARSE, 0},
        {"s", KOA_ERR_PARSE, 0},
        {"-1s", KOA_ERR_PARSE, 0},
        {"30 s", KOA_ERR_PARSE, 0},
        {"30S", KOA_ERR_PARSE, 0},
        {"30s1m", KOA_ERR_PARSE, 0},
        {"1m1m", KOA_ERR_PARSE, 0},
        {"1m30", KOA_ERR_PARSE, 0},
        {"1.5m30s", KOA_ERR_PARSE, 0},
        {"0.5ms", KOA_ERR_PARSE, 0},
        {"1.s", KOA_ERR_PARSE, 0},
        {"1min", KOA_ERR_PARSE, 0},
        {"1e3s", KOA_ERR_PARSE, 0},
        {"0.1234567891s", KOA_ERR_PARSE, 0},
    };
    int64_t ms = 0;

    (void) state;
    KIT_EACH (c, cases) {
        ms = 0;
        KIT_EXPECT_INT(c->text, c->err, koa_parse_duration(koa_str_from(c->text), 1000, &ms));
        KIT_EXPECT_INT(c->text, c->ms, ms);
    }
    KIT_EXPECT_INT("hours", KOA_OK, koa_parse_duration(KOA_STR("24"), 3600000, &ms));
    KIT_EXPECT_INT("hours", 86400000, ms);
}

static void sizes_have_binary_and_decimal_units(void **state)
{
    static const struct {
        const char *text;
        enum koa_err err;
        int64_t bytes;
    } cases[] = {
        {"65536", KOA_OK, 65536},
        {"64KiB", KOA_OK, 65536},
        {"10MiB", KOA_OK, 10485760},
        {"1GiB", KOA_OK, 1073741824},
        {"1TiB", KOA_OK, INT64_C(1099511627776)},
        {"1kB", KOA_OK, 1000},
        {"1GB", KOA_OK, 1000000000},
        {"7B", KOA_OK, 7},
        {"9223372036854775807", KOA_OK, INT64_MAX},
        {"9007199254740992KiB", KOA_ERR_RANGE, 0},
        {"10K", KOA_ERR_PARSE, 0},
        {"10kib", KOA_ERR_PARSE, 0},
        {"1.5MiB", KOA_ERR_PARSE, 0},
        {"-1", KOA_ERR_PARSE, 0},
        {"", KOA_ERR_PARSE, 0},
        {"KiB", KOA_ERR_PARSE, 0},
        {"1 KiB", KOA_ERR_PARSE, 0},
    };

    (void) state;
    KIT_EACH (c, cases) {
        int64_t bytes = 0;

        KIT_EXPECT_INT(c->text, c->err, koa_parse_size(koa_str_from(c->text), &bytes));
        KIT_EXPECT_INT(c->text, c->bytes, bytes);
    }
}

static void booleans_are_six_words(void **state)
{
    bool value = false;

    (void) state;
    KIT_EXPECT("true", koa_parse_bool(KOA_STR("true"), &value) == KOA_OK && value);
    KIT_EXPECT("no", koa_parse_bool(KOA_STR("no"), &value) == KOA_OK && !value);
    KIT_EXPECT("on", koa_parse_bool(KOA_STR("on"), &value) == KOA_OK && value);
    KIT_EXPECT("off", koa_parse_bool(KOA_STR("off"), &value) == KOA_OK && !value);
    KIT_EXPECT("yes", koa_parse_bool(KOA_STR("yes"), &value) == KOA_OK && value);
    KIT_EXPECT("false", koa_parse_bool(KOA_STR("false"), &value) == KOA_OK && !value);
    KIT_EXPECT_INT("case", KOA_ERR_PARSE, koa_parse_bool(KOA_STR("True"), &value));
    KIT_EXPECT_INT("number", KOA_ERR_PARSE, koa_parse_bool(KOA_STR("1"), &value));
    KIT_EXPECT_INT("empty", KOA_ERR_PARSE, koa_parse_bool(KOA_STR(""), &value));
}

/* What printf finds: the fewest digits, from 15 on, that read back as the number. */
static void print_slowly(double number, char *text, size_t size)
{
    for (int digits = 15; digits <= 17; digits++) {
        (void) snprintf(text, size, "%.*g", digits, number);
        if (fabs(strtod(text, NULL) - number) <= 0)
            return;
    }
}

static void doubles_are_written_as_printf_does(void **state)
{
    static const double scales[] = {1, 10, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e9, 1e12};
    char expected[64];
    char text[KOA_NUM_TEXT_SIZE];
    uint64_t random = 88172645463325252U;

    (void) state;
    for (int i = 0; i < 20000; i++) {
        double number;

        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        number = (double) (int64_t) (random >> (random % 50)) / scales[i % 10];
        if (i % 4 == 0)
            number = -number;
        if (i % 7 == 0)
            number = nextafter(number, INFINITY);
        if (fabs(number - trunc(number)) <= 0) /* whole numbers are never written with an e */
            continue;
        print_slowly(number, expected, sizeof(expected));
        KIT_EXPECT_INT(expected, strlen(expected), koa_format_double(number, text));
        KIT_EXPECT_TEXT(expected, expected, text);
    }
}

static void integers_of_every_length_are_written_as_printf_does(void **state)
{
    uint64_t random = 88172645463325252U;
    char expected[KOA_NUM_TEXT_SIZE];
    char text[KOA_NUM_TEXT_SIZE];

    (void) state;
    for (int i = 0; i < 50000; i++) {
        uint64_t number;

        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        /* Small ones, those around powers of two, and any. */
        number = i < 11000 ? (uint64_t) i : random >> random % 64;
        (void) snprintf(expected, sizeof(expected), "%llu", (unsigned long long) number);
        KIT_EXPECT_INT(expected, strlen(expected), koa_format_uint(number, text));
        KIT_EXPECT_TEXT(expected, expected, text);
        (void) snprintf(expected, sizeof(expected), "%lld", (long long) (int64_t) ~number);
        KIT_EXPECT_INT(expected, strlen(expected), koa_format_int((int64_t) ~number, text));
        KIT_EXPECT_TEXT(expected, expected, text);
    }
}

static void doubles_are_written_as_short_as_they_read_back(void **state)
{
    static const struct {
        double number;
        const char *text;
    } cases[] = {
        {0, "0"},
        {42, "42"},
        {-1, "-1"},
        {0.1, "0.1"},
        {0.1 + 0.2, "0.30000000000000004"},
        {1e21, "1e+21"},
        {9007199254740991.0, "9007199254740991"},
        {1.0 / 3, "0.3333333333333333"},
        {5e-324, "4.94065645841247e-324"},
        {1.7976931348623157e308, "1.7976931348623157e+308"},
        {(double) NAN, "NaN"},
        {(double) INFINITY, "+Inf"},
        {-(double) INFINITY, "-Inf"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        char text[KOA_NUM_TEXT_SIZE];
        double back;

        KIT_EXPECT_INT(c->text, strlen(c->text), koa_format_double(c->number, text));
        KIT_EXPECT_TEXT(c->text, c->text, text);
        if (isfinite(c->number)) {
            KIT_EXPECT_INT(c->text, KOA_OK, koa_parse_double(koa_str_from(text), &back));
            KIT_EXPECT(c->text, back <= c->number && back >= c->number);
        }
    }
}

static void the_hosts_locale_does_not_matter(void **state)
{
    char text[KOA_NUM_TEXT_SIZE];
    double number = 0;

    (void) state;
    /* Not installed everywhere; then this shows nothing and hides nothing. */
    (void) setlocale(LC_ALL, "de_DE.UTF-8"); /* NOLINT(concurrency-mt-unsafe): one thread */
    (void) koa_format_double(1.5, text);
    KIT_EXPECT_TEXT("written", "1.5", text);
    KIT_EXPECT_INT("read", KOA_OK, koa_parse_double(KOA_STR("1.5"), &number));
    KIT_EXPECT_DOUBLE("read", 1.5, number);
    (void) setlocale(LC_ALL, "C"); /* NOLINT(concurrency-mt-unsafe): one thread */
}

static void integers_durations_and_sizes_are_written_as_they_are_read(void **state)
{
    static const struct {
        int64_t number;
        const char *plain, *duration, *size;
    } cases[] = {
        {0, "0", "0s", "0"},
        {500, "500", "500ms", "500"},
        {90000, "90000", "1m30s", "90000"},
        {86400000, "86400000", "24h", "84375KiB"},
        {65536, "65536", "1m5s536ms", "64KiB"},
        {INT64_C(1) << 40, "1099511627776", "305419h53m47s776ms", "1TiB"},
        {-1500, "-1500", "-1s500ms", "-1500"},
        {INT64_MAX, "9223372036854775807", "2562047788015h12m55s807ms", "9223372036854775807"},
        {INT64_MIN, "-9223372036854775808", "-2562047788015h12m55s808ms", "-8388608TiB"},
    };
    char text[KOA_NUM_TEXT_SIZE];

    (void) state;
    KIT_EACH (c, cases) {
        KIT_EXPECT_INT(c->plain, strlen(c->plain), koa_format_int(c->number, text));
        KIT_EXPECT_TEXT("integer", c->plain, text);
        KIT_EXPECT_INT(c->plain, strlen(c->duration), koa_format_duration(c->number, text));
        KIT_EXPECT_TEXT("duration", c->duration, text);
        KIT_EXPECT_INT(c->plain, strlen(c->size), koa_format_size(c->number, text));
        KIT_EXPECT_TEXT("size", c->size, text);
    }
    (void) koa_format_uint(UINT64_MAX, text);
    KIT_EXPECT_TEXT("unsigned", "18446744073709551615", text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_numbers_are_read_whole_or_not_at_all),
        cmocka_unit_test(doubles_are_finite_decimals),
        cmocka_unit_test(durations_name_their_units_in_order),
        cmocka_unit_test(sizes_have_binary_and_decimal_units),
        cmocka_unit_test(booleans_are_six_words),
        cmocka_unit_test(doubles_are_written_as_short_as_they_read_back),
        cmocka_unit_test(doubles_are_written_as_printf_does),
        cmocka_unit_test(integers_of_every_length_are_written_as_printf_does),
        cmocka_unit_test(the_hosts_locale_does_not_matter),
        cmocka_unit_test(integers_durations_and_sizes_are_written_as_they_are_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
