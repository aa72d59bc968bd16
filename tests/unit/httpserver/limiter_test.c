#include "httpserver/limiter.h"

#include <string.h>

#include "kit/kit.h"

static const unsigned char *address(unsigned number)
{
    static unsigned char bytes[KOA_HTTP_ADDRESS_SIZE];

    memset(bytes, 0, sizeof(bytes));
    bytes[10] = bytes[11] = 0xff;
    bytes[12] = (unsigned char) (number >> 24);
    bytes[13] = (unsigned char) (number >> 16);
    bytes[14] = (unsigned char) (number >> 8);
    bytes[15] = (unsigned char) number;
    return bytes;
}

static void test_script(void **state)
{
    /* F: a failure; ?: ask; digits and s: seconds pass. */
    static const struct {
        const char *name;
        const char *script;
        int64_t per_minute;
        int64_t wait_s; /* at the end */
    } cases[] = {
        {"unknown", "", 3, 0},
        {"two of three", "FF", 3, 0},
        {"three of three", "FFF", 3, 20},
        {"half a wait", "FFF10s", 3, 10},
        {"the wait", "FFF20s", 3, 0},
        {"one more is one too many", "FFF20sF", 3, 20},
        {"parallel ones do not add up", "FFFFFFFFFFFFFFFF", 3, 20},
        {"a minute forgets all", "FFF60sFF", 3, 0},
        {"thirty", "FFFFFFFFFFFFFFFFFFFFFFFFFFFFFF", 30, 2},
        {"one", "F", 1, 60},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_http_limiter *limiter = koa_http_limiter_create();
        struct koa_mono now = {.ms = 5000};
        int64_t number = 0;

        for (const char *at = c->script; *at != '\0'; at++) {
            if (*at == 'F') {
                koa_http_limiter_fail(limiter, address(1), c->per_minute, now);
            } else if (*at == 's') {
                now = koa_mono_add_ms(now, number * 1000);
                number = 0;
            } else {
                number = number * 10 + (*at - '0');
            }
        }
        KIT_EXPECT_INT(c->name, c->wait_s,
                       koa_http_limiter_wait_s(limiter, address(1), c->per_minute, now));
        KIT_EXPECT_INT("another address", 0,
                       koa_http_limiter_wait_s(limiter, address(2), c->per_minute, now));
        koa_http_limiter_destroy(limiter);
    }
}

static void test_flood_of_addresses(void **state)
{
    struct koa_http_limiter *limiter = koa_http_limiter_create();
    struct koa_mono now = {0};

    (void) state;
    for (int i = 0; i < 3; i++)
        koa_http_limiter_fail(limiter, address(7), 3, now);
    /* A hundred thousand others with one failure each do not wash the guilty one out. */
    for (unsigned i = 1000; i < 101000; i++)
        koa_http_limiter_fail(limiter, address(i), 3, now);
    KIT_EXPECT_INT("still blocked", 20, koa_http_limiter_wait_s(limiter, address(7), 3, now));
    koa_http_limiter_destroy(limiter);
}

static void test_v6_network(void **state)
{
    struct koa_http_limiter *limiter = koa_http_limiter_create();
    unsigned char v6[KOA_HTTP_ADDRESS_SIZE] = {0x20, 0x01, 0x0d, 0xb8, 1, 2, 3, 4, 5, 6, 7, 8};
    struct koa_mono now = {0};

    (void) state;
    koa_http_limiter_fail(limiter, v6, 1, now);
    v6[15] = 99;
    KIT_EXPECT_INT("same network", 60, koa_http_limiter_wait_s(limiter, v6, 1, now));
    v6[7] = 99;
    KIT_EXPECT_INT("another network", 0, koa_http_limiter_wait_s(limiter, v6, 1, now));
    koa_http_limiter_destroy(limiter);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_script),
        cmocka_unit_test(test_flood_of_addresses),
        cmocka_unit_test(test_v6_network),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
