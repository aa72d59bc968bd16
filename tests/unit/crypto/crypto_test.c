#include "kit/kit.h"

#include <string.h>

#include "base/str.h"
#include "crypto/crypto.h"

static void digests_match_published_vectors(void **state)
{
    unsigned char digest[KOA_SHA256_SIZE];
    char hex[KOA_SHA256_HEX_SIZE];

    (void) state;
    /* FIPS 180-2, appendix B.1, and the digest of nothing. */
    assert_true(koa_sha256(KOA_STR("abc"), digest));
    koa_hex(digest, sizeof(digest), hex);
    KIT_EXPECT_TEXT("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad", hex);
    assert_true(koa_sha256((struct koa_str){0}, digest));
    koa_hex(digest, sizeof(digest), hex);
    KIT_EXPECT_TEXT("empty", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
                    hex);
    /* RFC 4231, test case 2. */
    assert_true(koa_hmac_sha256(KOA_STR("Jefe"), KOA_STR("what do ya want for nothing?"), digest));
    koa_hex(digest, sizeof(digest), hex);
    KIT_EXPECT_TEXT("hmac", "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
                    hex);
}

static void base64_is_strict_both_ways(void **state)
{
    static const struct {
        const char *text;
        const char *plain; /* NULL: refused */
    } cases[] = {
        {"", ""},
        {"Zg==", "f"},
        {"Zm8=", "fo"},
        {"Zm9v", "foo"},
        {"Zm9vYg==", "foob"},
        {"Zm9vYmE=", "fooba"},
        {"Zm9vYmFy", "foobar"},
        {"Zg", NULL},
        {"Zg=", NULL},
        {"Zh==", NULL},
        {"Zm9=", NULL},
        {"Z===", NULL},
        {"====", NULL},
        {"Zg==Zg==", NULL},
        {"Zm 9", NULL},
        {"Zm9-", NULL},
        {"\xc3\xa4\xc3\xa4", NULL},
    };

    (void) state;
    KIT_EACH (c, cases) {
        unsigned char plain[16] = {0};
        char text[16];
        size_t size = 0;
        bool ok = koa_base64_decode(koa_str_from(c->text), plain, sizeof(plain) - 1, &size);

        KIT_EXPECT_INT(c->text, c->plain != NULL, ok);
        if (c->plain == NULL)
            continue;
        KIT_EXPECT_INT(c->text, strlen(c->plain), size);
        KIT_EXPECT_TEXT(c->text, c->plain, (const char *) plain);
        koa_base64_encode(koa_str_from(c->plain), text, sizeof(text));
        KIT_EXPECT_TEXT(c->plain, c->text, text);
        if (size > 0)
            KIT_EXPECT(c->text, !koa_base64_decode(koa_str_from(c->text), plain, size - 1, &size));
    }
}

static void comparison_is_of_bytes_and_sizes(void **state)
{
    (void) state;
    KIT_EXPECT("equal", koa_constant_time_equal(KOA_STR("abc"), KOA_STR("abc")));
    KIT_EXPECT("differs", !koa_constant_time_equal(KOA_STR("abc"), KOA_STR("abd")));
    KIT_EXPECT("shorter", !koa_constant_time_equal(KOA_STR("abc"), KOA_STR("ab")));
    KIT_EXPECT("empty", koa_constant_time_equal((struct koa_str){0}, KOA_STR("")));
}

static void random_bytes_differ(void **state)
{
    unsigned char a[32] = {0};
    unsigned char b[32] = {0};

    (void) state;
    assert_true(koa_random_bytes(a, sizeof(a)));
    assert_true(koa_random_bytes(b, sizeof(b)));
    KIT_EXPECT("two draws", memcmp(a, b, sizeof(a)) != 0);
}

/* Made by libcrypt with the least cost. All are of the password "secret". */
static const struct {
    const char *name;
    const char *hash;
} hashes[] = {
    {"bcrypt", "$2b$04$7PbpSZ1ZHXQ1ZDVCRN0bSeLUSMX2bgcUfqByKp/ScPs7BkTkm7dge"},
    {"yescrypt", "$y$j75$PHHKTdj0H9HKYx.NwWU.7.$eEBOvU1/mC7.f7jsri1XArtkyzsGanX/0/TBbVGr9cD"},
    {"sha512", "$6$rounds=1000$4Zu3zUX1Pyi2bK8F$q/NoUpsCYwf8p2.HPdVWXFQrvCCUH/UB9LAuDzi/"
               "It26LyK9Ybgq4yLxS1EERcoPOsqnUIyMO5K1RDHiwiBhn/"},
};

static void passwords_are_verified(void **state)
{
    (void) state;
    KIT_EACH (c, hashes) {
        KIT_EXPECT(c->name, koa_password_hash_valid(c->hash));
        KIT_EXPECT(c->name, koa_password_verify(c->hash, "secret"));
        KIT_EXPECT(c->name, !koa_password_verify(c->hash, "Secret"));
        KIT_EXPECT(c->name, !koa_password_verify(c->hash, ""));
    }
    KIT_EXPECT("no password", !koa_password_verify(hashes[0].hash, NULL));
}

static void what_is_no_hash_is_refused(void **state)
{
    static const char *const cases[] = {
        "",
        "secret",
        "*",
        "$1$salt$hash",
        "$2b$10$",
        "$2b$99$abcdefghijklmnopqrstuv",
        "$y$j9T$",
        "$6$salt$",
        "$6$salt",
        "$y$",
        "$2y$05$abcdefghijklmnopqrstuu",
        "ab1234567890.",
    };

    (void) state;
    for (size_t i = 0; i < KOA_ARRAY_COUNT(cases); i++) {
        KIT_EXPECT(cases[i], !koa_password_hash_valid(cases[i]));
        KIT_EXPECT(cases[i], !koa_password_verify(cases[i], cases[i]));
    }
    KIT_EXPECT("NULL", !koa_password_hash_valid(NULL));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_match_published_vectors),
        cmocka_unit_test(base64_is_strict_both_ways),
        cmocka_unit_test(comparison_is_of_bytes_and_sizes),
        cmocka_unit_test(random_bytes_differ),
        cmocka_unit_test(passwords_are_verified),
        cmocka_unit_test(what_is_no_hash_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
