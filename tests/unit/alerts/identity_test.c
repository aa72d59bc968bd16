/* Fingerprints against Alertmanager's own, and labels in order. */
#include "alerts/identity.h"

#include <stdio.h>
#include <string.h>

#include "kit/kit.h"

static struct koa_arena *arena;

static struct koa_labels *normalise(const struct koa_labels *labels, struct koa_arena *target,
                                    bool *ret_cut)
{
    static struct koa_label rows[KOA_ALERT_LABELS_LIMIT];
    struct koa_labels sorted = {.rows = rows};

    *ret_cut = false;
    sorted.count = koa_labels_sort(labels, rows, ret_cut);
    return koa_labels_copy(&sorted, target, ret_cut);
}

static int set_up(void **state)
{
    (void) state;
    arena = koa_arena_create(1 << 20);
    return arena == NULL;
}

static int tear_down(void **state)
{
    (void) state;
    koa_arena_destroy(arena);
    return 0;
}

static const struct {
    const char *name;
    const char *rule;
    const struct koa_label rows[4];
    size_t count;
    const char *fingerprint;
} cases[] = {
    /* The first is what a real Alertmanager 0.25 answered; the others are vectors of
     * prometheus/common model/signature_test.go (no alertname there: no rule here). */
    {"real Alertmanager",
     "KafkaDown",
     {{"severity", "critical"}, {"cluster", "c1"}},
     2,
     "66bc31f36fcd45fa"},
    {"empty set", "", {{NULL, NULL}}, 0, "cbf29ce484222325"},
    {"two labels",
     "",
     {{"name", "garland, briggs"}, {"fear", "love is not enough"}},
     2,
     "507a62d79ee76c9a"},
};

static void fingerprints_equal_those_of_alertmanager(void **state)
{
    (void) state;
    KIT_EACH (c, cases) {
        struct koa_labels labels = {.rows = c->rows, .count = c->count};
        bool cut;
        struct koa_labels *sorted = normalise(&labels, arena, &cut);
        char text[KOA_FINGERPRINT_SIZE];

        KIT_EXPECT(c->name, sorted != NULL);
        koa_fingerprint_format(koa_alert_identity(c->rule, sorted), text);
        KIT_EXPECT_TEXT(c->name, c->fingerprint, text);
    }
}

static void order_empty_values_and_repeats_do_not_matter(void **state)
{
    const struct koa_labels *one = KOA_LABELS({"topic", "t"}, {"cluster", "c"});
    const struct koa_labels *other =
        KOA_LABELS({"topic", "old"}, {"cluster", "c"}, {"rack", ""}, {"topic", "t"});
    bool cut;
    struct koa_labels *a = normalise(one, arena, &cut);
    struct koa_labels *b = normalise(other, arena, &cut);

    (void) state;
    KIT_EXPECT_INT("two remain", 2, b->count);
    KIT_EXPECT_TEXT("sorted", "cluster", b->rows[0].name);
    KIT_EXPECT_TEXT("the last wins", "t", koa_labels_find(b, "topic"));
    KIT_EXPECT("same", koa_alert_identity("r", a) == koa_alert_identity("r", b));
    KIT_EXPECT("another rule", koa_alert_identity("r", a) != koa_alert_identity("s", a));
    KIT_EXPECT("an observed alertname does not hide the rule",
               koa_alert_identity("r", KOA_LABELS({"alertname", "x"})) ==
                   koa_alert_identity("r", KOA_NO_LABELS));
}

static void labels_are_bounded(void **state)
{
    static char names[40][8];
    struct koa_label rows[40];
    struct koa_labels many = {.rows = rows, .count = 40};
    char *giant = koa_calloc(5000, 1);
    struct koa_labels *sorted;
    bool cut;

    (void) state;
    assert_non_null(giant);
    memset(giant, 'x', 4999);
    for (size_t i = 0; i < 40; i++) {
        (void) snprintf(names[i], sizeof(names[i]), "l%02zu", i);
        rows[i] = (struct koa_label){.name = names[i], .value = "v"};
    }
    sorted = normalise(&many, arena, &cut);
    KIT_EXPECT_INT("too many", KOA_ALERT_LABELS_LIMIT, sorted->count);
    KIT_EXPECT("said so", cut);
    rows[0].value = giant;
    many.count = 1;
    sorted = normalise(&many, arena, &cut);
    KIT_EXPECT_INT("too long", KOA_ALERT_LABEL_BYTES, strlen(sorted->rows[0].value));
    KIT_EXPECT("said so", cut);
    sorted = normalise(KOA_LABELS({"a", "b"}), arena, &cut);
    KIT_EXPECT("nothing cut", sorted != NULL && !cut);
    koa_free(giant);
}

static void a_full_arena_is_an_answer(void **state)
{
    struct koa_arena *small = koa_arena_create(40);
    bool cut;

    (void) state;
    assert_non_null(small);
    KIT_EXPECT("no room",
               normalise(KOA_LABELS({"topic", "a long enough value of it"}), small, &cut) == NULL);
    koa_arena_destroy(small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fingerprints_equal_those_of_alertmanager),
        cmocka_unit_test(order_empty_values_and_repeats_do_not_matter),
        cmocka_unit_test(labels_are_bounded),
        cmocka_unit_test(a_full_arena_is_an_answer),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
