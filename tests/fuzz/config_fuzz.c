/* A configuration file as bytes: parsed, expanded and loaded by rows of every type. What was loaded
 * without an error must print as a file that loads to the same. */
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/memory.h"
#include "config/options.h"
#include "config/yaml.h"

/* NOLINTNEXTLINE(readability-identifier-naming): the fuzzer calls it by this name */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { ARENA_LIMIT = 64 << 20, PRINT_LIMIT = 1 << 20 };

struct item {
    const char *name;
    int64_t weight;
};

struct values {
    bool flag;
    int64_t count, size, wait;
    double number;
    const char *text, *secret;
    int word;
    unsigned words;
    struct koa_texts texts;
    struct koa_counts counts;
    struct koa_pairs pairs;
    struct item group;
    struct koa_list items;
    const struct koa_node *later;
};

static const struct koa_choice choices[] = {{"text", 0}, {"json", 1}, {"yaml", 2}, {0}};
static const struct koa_option item_rows[] = {
    {KOA_TEXT(struct item, name), .fallback = "none", .help = "name"},
    {KOA_COUNT(struct item, weight), .fallback = "1", .minimum = 1, .maximum = 10,
     .help = "weight"},
    {0},
};
static const struct koa_option rows[] = {
    {KOA_BOOL(struct values, flag), .fallback = "true", .help = "flag"},
    {KOA_COUNT(struct values, count), .fallback = "8080", .maximum = 65535, .help = "count"},
    {KOA_SIZE(struct values, size), .fallback = "64KiB", .help = "size"},
    {KOA_DURATION(struct values, wait), .fallback = "30s", .help = "wait"},
    {KOA_NUMBER(struct values, number), .fallback = "0.8", .help = "number"},
    {KOA_TEXT(struct values, text), .fallback = "x", .help = "text"},
    {KOA_SECRET(struct values, secret), .help = "secret"},
    {KOA_CHOICE(struct values, word, choices), .fallback = "text", .help = "word"},
    {KOA_CHOICES(struct values, words, choices), .fallback = "[text]", .help = "words"},
    {KOA_TEXTS(struct values, texts), .fallback = "[a, b]", .help = "texts"},
    {KOA_COUNTS(struct values, counts), .fallback = "[200]", .help = "counts"},
    {KOA_PAIRS(struct values, pairs), .fallback = "{}", .help = "pairs"},
    {KOA_GROUP(struct values, group, item_rows), .help = "group"},
    {KOA_LIST(struct values, items, struct item, item_rows), .help = "items"},
    {KOA_SUBTREE(struct values, later), .help = "later"},
    {0},
};

static const char *fake_getenv(void *context, const char *name)
{
    (void) context;
    return strcmp(name, "HOST") == 0 ? "a: [b" : NULL;
}

/* Secret files are not followed: the input chooses the path. */
static bool load(struct koa_str text, struct values *values, struct koa_arena *arena,
                 struct koa_config_errors *errors)
{
    const struct koa_option *const tables[] = {rows, NULL};
    void *const targets[] = {values, NULL};
    struct koa_yaml_opts yaml = {.file = "koa.yaml", .getenv = fake_getenv};
    const struct koa_node *root = koa_yaml_parse(text, &yaml, arena, errors);
    struct koa_options_opts opts = {
        .tables = tables, .targets = targets, .path = "", .arena = arena, .errors = errors};

    KOA_ASSERT(root != NULL || errors->count > 0);
    return root != NULL && koa_options_load(&opts, root) && errors->count == 0;
}

/* Text that needs no escapes, and nothing that could be masked in print. */
static bool is_plain(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if ((data[i] < 0x20 && data[i] != '\n') || data[i] >= 0x7f || data[i] == '\\' ||
            data[i] == ':' || data[i] == '$')
            return false;
    }
    return size < 4000;
}

/* A secret prints as a mask, a subtree not at all: neither comes back. */
static void forget_what_is_not_printed(struct values *values)
{
    values->secret = "";
    values->later = NULL;
}

static void check_round_trip(struct values *values, bool is_same)
{
    KOA_AUTO(koa_arena) *arena = koa_arena_create(ARENA_LIMIT);
    struct koa_config_errors errors = {.arena = arena};
    struct koa_buf printed = {.limit = PRINT_LIMIT};
    struct values again = {0};

    if (arena == NULL)
        abort();
    koa_options_print(rows, values, 0, &printed);
    if (!printed.failed && is_same) {
        KOA_ASSERT(load((struct koa_str){printed.data, printed.size}, &again, arena, &errors));
        forget_what_is_not_printed(values);
        forget_what_is_not_printed(&again);
        KOA_ASSERT(koa_options_equal(rows, values, &again));
    }
    koa_buf_deinit(&printed);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    KOA_AUTO(koa_arena) *arena = koa_arena_create(ARENA_LIMIT);
    struct koa_config_errors errors = {.arena = arena};
    struct koa_buf printed = {.limit = PRINT_LIMIT};
    struct values values = {0};

    if (arena == NULL)
        abort();
    if (load((struct koa_str){(const char *) data, size}, &values, arena, &errors))
        check_round_trip(&values, is_plain(data, size));
    koa_config_errors_print(&errors, &printed);
    KOA_ASSERT((errors.total == 0) == (printed.size == 0));
    koa_buf_deinit(&printed);
    return 0;
}
