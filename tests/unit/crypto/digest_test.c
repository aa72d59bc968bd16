#include "kit/kit.h"

#include "base/str.h"
#include "crypto/crypto.h"
#include "crypto/digest.h"

static void expect(const char *name, const char *hex, const struct koa_digest *digest)
{
    char text[2 * KOA_DIGEST_LIMIT + 1];

    koa_hex(digest->bytes, digest->size, text);
    KIT_EXPECT_TEXT(name, hex, text);
}

static void digests_match_published_vectors(void **state)
{
    static const struct {
        enum koa_digest_kind kind;
        const char *abc;  /* FIPS 180-2, appendices B.1 and C.1 */
        const char *hmac; /* RFC 4231, test case 2 */
    } cases[] = {
        {KOA_DIGEST_SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
         "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"},
        {KOA_DIGEST_SHA512,
         "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
         "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
         "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554"
         "9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_digest digest;

        assert_true(koa_digest(c->kind, KOA_STR("abc"), &digest));
        expect("abc", c->abc, &digest);
        KIT_EXPECT_INT("size", koa_digest_size(c->kind), digest.size);
        assert_true(koa_digest_hmac(c->kind, KOA_STR("Jefe"),
                                    KOA_STR("what do ya want for nothing?"), &digest));
        expect("hmac", c->hmac, &digest);
    }
}

static void keys_are_stretched(void **state)
{
    struct koa_pbkdf2 opts = {.kind = KOA_DIGEST_SHA256,
                              .password = KOA_STR("password"),
                              .salt = KOA_STR("salt"),
                              .iterations = 4096};
    struct koa_digest key;

    (void) state;
    assert_true(koa_pbkdf2(&opts, &key));
    expect("SHA-256", "c5e478d59288c841aa530db6845c4c8d962893a001ce4e11a4963873aa98134a", &key);
    opts.kind = KOA_DIGEST_SHA512;
    assert_true(koa_pbkdf2(&opts, &key));
    expect("SHA-512",
           "d197b1b33db0143e018b12f3d1d1479e6cdebdcc97c5c0f87f6902e072f457b5"
           "143f30602641b3d55cd335988cb36b84376060ecd532e039b742a239434af2d5",
           &key);
    opts.iterations = 0;
    KIT_EXPECT("no iterations", !koa_pbkdf2(&opts, &key));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digests_match_published_vectors),
        cmocka_unit_test(keys_are_stretched),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
