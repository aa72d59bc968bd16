#include "base/redact.h"

#include <stdio.h>
#include <string.h>

#include "kit/kit.h"

static void registered_secrets_are_masked_everywhere(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"s3cr3t", "***"},
        {"a s3cr3t b s3cr3t", "a *** b ***"},
        {"s3cr3ts3cr3t", "******"},
        {"pass%20w%C3%B6rd%2F1 and pass w\xc3\xb6rd/1", "*** and ***"},
        {"pass%20w%c3%b6rd%2f1", "***"},
        {"pass+w%C3%B6rd/1", "***"},
        {"s3cr3t-longer", "***"}, /* the longer one whole, not its start alone */
        {"nothing here", "nothing here"},
        {"S3CR3T", "S3CR3T"},
        {"", ""},
    };

    (void) state;
    KIT_EXPECT("one", koa_redact_register("s3cr3t"));
    KIT_EXPECT("longer", koa_redact_register("s3cr3t-longer"));
    KIT_EXPECT("special", koa_redact_register("pass w\xc3\xb6rd/1"));
    KIT_EXPECT("again", koa_redact_register("s3cr3t"));
    KIT_EXPECT("short", koa_redact_register("abc"));
    KIT_EXPECT("nothing", koa_redact_register("") && koa_redact_register(NULL));
    KIT_EACH (c, cases) {
        char text[128];

        (void) snprintf(text, sizeof(text), "%s", c->text);
        koa_redact(text);
        KIT_EXPECT_TEXT(c->text, c->expected, text);
    }
}

static void urls_lose_their_passwords_and_telling_parameters(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"postgresql://app:hunter2@db:5432/x", "postgresql://app:***@db:5432/x"},
        {"http://u:p@h", "http://u:*@h"},
        {"http://u:p@ss:word@h/", "http://u:***@h/"},
        {"http://user@h/", "http://user@h/"},
        {"http://h:80/a@b", "http://h:80/a@b"},
        {"at http://a:bbbb@h and https://c:dddd@i/", "at http://a:***@h and https://c:***@i/"},
        {"https://h/x?token=abcd&name=n&KEY=xyz#top", "https://h/x?token=***&name=n&KEY=***#top"},
        {"https://h/?access_token=aaaa", "https://h/?access_token=***"},
        {"https://h/?monkey=1&tokens=2", "https://h/?monkey=1&tokens=2"},
        {"https://h/?password=", "https://h/?password="},
        {"token=abcd is no URL", "token=abcd is no URL"},
        {"cannot reach 'http://u:pass@h'", "cannot reach 'http://u:***@h'"},
        {"://", "://"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        char text[256];

        (void) snprintf(text, sizeof(text), "%s", c->text);
        koa_redact(text);
        KIT_EXPECT_TEXT(c->text, c->expected, text);
    }
}

static void a_url_for_messages_has_no_query_values(void **state)
{
    static const struct {
        const char *url, *expected;
        size_t size;
    } cases[] = {
        {"http://u:pass@h/x?a=1&b=2", "http://u:***@h/x?a=*&b=*", 100},
        {"http://h/x", "http://h/x", 100},
        {"http://h/x?session=abcdef", "http://h/x?session=***", 100},
        {"http://h/x?plain", "http://h/x?plain", 100},
        {"http://h/long", "http://h", 9},
    };

    (void) state;
    KIT_EACH (c, cases) {
        char target[100];

        koa_redact_url(c->url, target, c->size);
        KIT_EXPECT_TEXT(c->url, c->expected, target);
    }
}

/* Last: it fills the table for the rest of the process. */
static void there_is_room_for_1024_secrets(void **state)
{
    int taken = 0;

    (void) state;
    for (int i = 0; i < 2000; i++) {
        char secret[32];

        (void) snprintf(secret, sizeof(secret), "number-%d", i);
        taken += koa_redact_register(secret) ? 1 : 0;
    }
    KIT_EXPECT("bounded", taken > 1000 && taken <= 1024);
    KIT_EXPECT("a known one is still fine", koa_redact_register("number-1"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(registered_secrets_are_masked_everywhere),
        cmocka_unit_test(urls_lose_their_passwords_and_telling_parameters),
        cmocka_unit_test(a_url_for_messages_has_no_query_values),
        cmocka_unit_test(there_is_room_for_1024_secrets),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
