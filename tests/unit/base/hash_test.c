#include "base/hash.h"

#include "kit/kit.h"

/* The reference vectors of the SipHash paper: key 00 01 .. 0f, input 00 01 .. */
static void siphash_gives_the_papers_values(void **state)
{
    static const struct {
        size_t size;
        uint64_t expected;
    } cases[] = {
        {0, UINT64_C(0x726fdb47dd0e0e31)},  {1, UINT64_C(0x74f839c593dc67fd)},
        {7, UINT64_C(0xab0200f58b01d137)},  {8, UINT64_C(0x93f5f5799a932462)},
        {15, UINT64_C(0xa129ca6149be45e5)},
    };
    const struct koa_hash_key key = {
        .words = {UINT64_C(0x0706050403020100), UINT64_C(0x0f0e0d0c0b0a0908)}};
    unsigned char input[16];

    (void) state;
    for (size_t i = 0; i < sizeof(input); i++)
        input[i] = (unsigned char) i;
    KIT_EACH (c, cases)
        KIT_EXPECT("value", koa_siphash(key, input, c->size) == c->expected);
}

static void the_process_key_changes_every_hash(void **state)
{
    uint64_t before = koa_hash("kafka", 5);

    (void) state;
    koa_hash_seed((struct koa_hash_key){.words = {1, 2}});
    KIT_EXPECT("another", koa_hash("kafka", 5) != before);
    KIT_EXPECT("the same again", koa_hash("kafka", 5) == koa_hash("kafka", 5));
    koa_hash_seed((struct koa_hash_key){0});
    KIT_EXPECT("back", koa_hash("kafka", 5) == before);
}

static void fnv_is_the_same_in_every_process(void **state)
{
    (void) state;
    KIT_EXPECT("empty", koa_fnv(KOA_FNV_START, "", 0) == UINT64_C(0xcbf29ce484222325));
    KIT_EXPECT("a", koa_fnv(KOA_FNV_START, "a", 1) == UINT64_C(0xaf63dc4c8601ec8c));
    KIT_EXPECT("foobar", koa_fnv(KOA_FNV_START, "foobar", 6) == UINT64_C(0x85944171f73967e8));
    KIT_EXPECT("in parts", koa_fnv(koa_fnv(KOA_FNV_START, "foo", 3), "bar", 3) ==
                               koa_fnv(KOA_FNV_START, "foobar", 6));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(siphash_gives_the_papers_values),
        cmocka_unit_test(the_process_key_changes_every_hash),
        cmocka_unit_test(fnv_is_the_same_in_every_process),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
