#include "kit/kit.h"

#include "loop/address_guard.h"

static void numeric_addresses_are_read_and_written(void **state)
{
    static const struct {
        const char *text;
        const char *expected; /* NULL: a name */
    } cases[] = {
        {"127.0.0.1", "127.0.0.1:9092"},
        {"::1", "[::1]:9092"},
        {"[::1]", "[::1]:9092"},
        {"::ffff:10.0.0.1", "[::ffff:10.0.0.1]:9092"},
        {"localhost", NULL},
        {"10.1", NULL},
        {"0x7f000001", NULL},
        {"2130706433", NULL},
        {"256.1.1.1", NULL},
        {"", NULL},
        {"[]", NULL},
        {"127.0.0.1 ", NULL},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
         "a",
         NULL},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_address address;
        char text[KOA_ADDRESS_TEXT_SIZE];

        KIT_EXPECT_INT(c->text, c->expected != NULL, koa_address_parse(c->text, 9092, &address));
        if (c->expected == NULL)
            continue;
        koa_address_format(&address, text, sizeof(text));
        KIT_EXPECT_TEXT(c->text, c->expected, text);
        KIT_EXPECT_INT(c->text, 9092, koa_address_port(&address));
    }
}

static void each_address_has_its_class(void **state)
{
    static const struct {
        const char *text;
        enum koa_address_class kind;
    } cases[] = {
        {"8.8.8.8", KOA_ADDRESS_PUBLIC},
        {"172.15.255.255", KOA_ADDRESS_PUBLIC},
        {"172.16.0.0", KOA_ADDRESS_PRIVATE},
        {"172.31.255.255", KOA_ADDRESS_PRIVATE},
        {"172.32.0.0", KOA_ADDRESS_PUBLIC},
        {"10.255.255.255", KOA_ADDRESS_PRIVATE},
        {"192.168.1.1", KOA_ADDRESS_PRIVATE},
        {"100.64.0.1", KOA_ADDRESS_PRIVATE},
        {"100.128.0.1", KOA_ADDRESS_PUBLIC},
        {"127.8.9.10", KOA_ADDRESS_LOOPBACK},
        {"169.254.169.254", KOA_ADDRESS_LINK_LOCAL},
        {"224.0.0.1", KOA_ADDRESS_MULTICAST},
        {"255.255.255.255", KOA_ADDRESS_MULTICAST},
        {"0.0.0.0", KOA_ADDRESS_UNSPECIFIED},
        {"::", KOA_ADDRESS_UNSPECIFIED},
        {"::1", KOA_ADDRESS_LOOPBACK},
        {"fe80::1", KOA_ADDRESS_LINK_LOCAL},
        {"febf::1", KOA_ADDRESS_LINK_LOCAL},
        {"fec0::1", KOA_ADDRESS_PUBLIC},
        {"fd00:ec2::254", KOA_ADDRESS_LINK_LOCAL},
        {"fd20:ce::254", KOA_ADDRESS_LINK_LOCAL},
        {"100.100.100.200", KOA_ADDRESS_LINK_LOCAL},
        {"192.0.0.192", KOA_ADDRESS_LINK_LOCAL},
        {"fd00::1", KOA_ADDRESS_PRIVATE},
        {"ff02::1", KOA_ADDRESS_MULTICAST},
        {"2606:4700::1111", KOA_ADDRESS_PUBLIC},
        {"::ffff:169.254.169.254", KOA_ADDRESS_LINK_LOCAL},
        {"64:ff9b::a9fe:a9fe", KOA_ADDRESS_LINK_LOCAL},
        {"2002:a9fe:a9fe::1", KOA_ADDRESS_LINK_LOCAL},
        {"::ffff:8.8.8.8", KOA_ADDRESS_PUBLIC},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_address address;

        assert_true(koa_address_parse(c->text, 80, &address));
        KIT_EXPECT_TEXT(c->text, koa_address_class_name(c->kind),
                        koa_address_class_name(koa_address_classify(&address)));
    }
    KIT_EXPECT_INT("no family", KOA_ADDRESS_UNSPECIFIED,
                   koa_address_classify(&(struct koa_address){0}));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(numeric_addresses_are_read_and_written),
        cmocka_unit_test(each_address_has_its_class),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
