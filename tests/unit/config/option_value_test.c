/* One value by its row: every type, good and bad, by tables. */
#include <stdio.h>
#include <string.h>

#include "base/redact.h"
#include "base/str.h"
#include "config/options.h"
#include "config/yaml.h"
#include "kit/kit.h"

struct item {
    const char *name;
};

struct values {
    bool flag;
    int64_t count, any, size, wait;
    double number;
    const char *text;
    const char *secret;
    int word;
    unsigned words;
    struct koa_texts texts;
    struct koa_counts counts;
    struct koa_pairs pairs;
    struct koa_list items;
    const struct koa_node *later;
};

static const char *validate_host(const char *value)
{
    return strchr(value, ' ') == NULL && value[0] != '\0' ? NULL : "a host name";
}

static const struct koa_choice operators[] = {
    {"greater_than", 3}, {">", 3}, {"less_than", 4}, {"<", 4}, {0}};
static const struct koa_option item_rows[] = {
    {KOA_TEXT(struct item, name), .required = true, .help = "its name"}, {0}};
static const struct koa_option rows[] = {
    {KOA_BOOL(struct values, flag), .help = "flag"},
    {KOA_COUNT(struct values, count), .minimum = 1, .maximum = 65535, .help = "port"},
    {KOA_COUNT(struct values, any), .help = "any"},
    {KOA_SIZE(struct values, size), .minimum = 1024, .maximum = 1048576, .help = "size"},
    {KOA_DURATION(struct values, wait), .minimum = 1000, .maximum = 86400000, .help = "wait"},
    {KOA_NUMBER(struct values, number), .minimum = 0, .maximum = 1, .help = "share"},
    {KOA_TEXT(struct values, text), .validate = validate_host, .help = "text"},
    {KOA_SECRET(struct values, secret), .validate = validate_host, .help = "secret"},
    {KOA_CHOICE(struct values, word, operators), .help = "word"},
    {KOA_CHOICES(struct values, words, operators), .help = "words"},
    {KOA_TEXTS(struct values, texts), .validate = validate_host, .help = "texts"},
    {KOA_COUNTS(struct values, counts), .minimum = 100, .maximum = 599, .help = "counts"},
    {KOA_PAIRS(struct values, pairs), .validate = validate_host, .help = "pairs"},
    {KOA_LIST(struct values, items, struct item, item_rows), .help = "items"},
    {KOA_SUBTREE(struct values, later), .help = "later"},
    {0},
};

struct fixture {
    struct koa_arena *arena;
    struct koa_config_errors errors;
    struct values values;
    struct koa_buf printed;
    bool is_loaded;
};

static void load(struct fixture *f, const char *text)
{
    struct koa_yaml_opts opts = {.file = "f"};
    struct koa_node *root;

    *f = (struct fixture){.arena = koa_arena_create(1 << 20), .printed = {.limit = 1 << 20}};
    f->errors.arena = f->arena;
    root = koa_yaml_parse((struct koa_str){text, strlen(text)}, &opts, f->arena, &f->errors);
    f->is_loaded =
        root != NULL && koa_options_load_one(rows, &f->values, root,
                                             &(struct koa_options_opts){.path = "",
                                                                        .arena = f->arena,
                                                                        .errors = &f->errors,
                                                                        .read_secret_files = true});
    koa_config_errors_print(&f->errors, &f->printed);
}

static void finish(struct fixture *f)
{
    koa_buf_deinit(&f->printed);
    koa_arena_destroy(f->arena);
}

/* What a good value prints as shows that it was understood. */
static void good_values_are_understood(void **state)
{
    static const struct {
        const char *text, *printed;
    } cases[] = {
        {"flag: yes", "flag: true\n"},
        {"flag: off", "flag: false\n"},
        {"flag: \"true\"", "flag: true\n"},
        {"count: 1", "count: 1\n"},
        {"count: 65535", "count: 65535\n"},
        {"count: \"80\"", "count: 80\n"},
        {"any: -5", "any: -5\n"},
        {"any: 0", "any: 0\n"},
        {"size: 1024", "size: 1KiB\n"},
        {"size: 1MiB", "size: 1MiB\n"},
        {"size: 1MB", "size: 1000000\n"},
        {"wait: 30", "wait: 30s\n"},
        {"wait: 1.5", "wait: 1s500ms\n"},
        {"wait: 1m30s", "wait: 1m30s\n"},
        {"wait: 24h", "wait: 24h\n"},
        {"wait: 1d", "wait: 24h\n"},
        {"number: 0.05", "number: 0.05\n"},
        {"number: 1e-3", "number: 0.001\n"},
        {"number: 1", "number: 1\n"},
        {"text: yes", "text: \"yes\"\n"},
        {"text: 010", "text: \"010\"\n"},
        {"text: \"a\\\"b\"", "text: \"a\\\"b\"\n"},
        {"text: \"\"", "text: \"\"\n"},
        {"text: http://u:geheim@h/x?token=abcdef", "text: \"http://u:***@h/x?token=***\"\n"},
        {"word: \">\"", "word: greater_than\n"},
        {"word: less_than", "word: less_than\n"},
        {"words: [\"<\", greater_than]", "words: [greater_than, >, less_than, <]\n"},
        {"words: less_than", "words: [less_than, <]\n"},
        {"words: []", "words: []\n"},
        {"texts: one", "texts: [\"one\"]\n"},
        {"texts: [one, \"two,three\"]", "texts: [\"one\", \"two,three\"]\n"},
        {"texts: []", "texts: []\n"},
        {"counts: 200", "counts: [200]\n"},
        {"counts: [200, 404]", "counts: [200, 404]\n"},
        {"pairs: {a: b, \"c d\": e}", "pairs: {\"a\": \"b\", \"c d\": \"e\"}\n"},
        {"pairs: {}", "pairs: {}\n"},
        {"pairs:", "pairs: {}\n"},
        {"items: [{name: x}]", "items:\n  - name: \"x\"\n"},
        {"items: []", "items: []\n"},
        {"items:", "items: []\n"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct koa_buf all = {.limit = 10000};
        struct fixture f;

        load(&f, c->text);
        KIT_EXPECT_TEXT(c->text, "", koa_buf_text(&f.printed));
        KIT_EXPECT(c->text, f.is_loaded);
        f.values.secret = f.values.secret != NULL ? f.values.secret : "";
        koa_options_print(rows, &f.values, 0, &all);
        KIT_EXPECT_CONTAINS(c->text, c->printed, koa_buf_text(&all));
        koa_buf_deinit(&all);
        finish(&f);
    }
}

static const struct {
    const char *text, *error;
} bad_values[] = {
    {"flag: 1", "f:1:7: flag: must be true or false, not '1'"},
    {"flag: True", "not 'True'"},
    {"flag: [yes]", "flag: must be"},
    {"count: 0", "f:1:8: count: must be a whole number from 1 to 65535, not '0'"},
    {"count: 65536", "not '65536'"},
    {"count: 010", "not '010'"},
    {"count: 1e3", "not '1e3'"},
    {"count: 2s", "not '2s'"},
    {"count: yes", "not 'yes'"},
    {"count: 0x10", "not '0x10'"},
    {"count: 1_000", "not '1_000'"},
    {"count: 80.0", "not '80.0'"},
    {"count: \" 80\"", "not ' 80'"},
    {"count: 99999999999999999999", "not '99999999999999999999'"},
    {"count: {a: b}", "count: must be a whole number"},
    {"any: -05", "not '-05'"},
    {"size: 1023", "size: must be a size such as 64KiB or 10MiB from 1KiB to 1MiB, not '1023'"},
    {"size: 2MiB", "not '2MiB'"},
    {"size: 10K", "not '10K'"},
    {"size: -1", "not '-1'"},
    {"wait: 999ms",
     "wait: must be a duration such as 500ms, 30s, 1m30s or 24h from 1s to 24h, not '999ms'"},
    {"wait: 25h", "not '25h'"},
    {"wait: 030", "not '030'"},
    {"wait: -1s", "not '-1s'"},
    {"wait: soon", "not 'soon'"},
    {"number: 1.5", "number: must be a number from 0 to 1, not '1.5'"},
    {"number: nan", "not 'nan'"},
    {"number: 00.5", "not '00.5'"},
    {"number: 1,5", "not '1,5'"},
    {"text: a b", "f:1:7: text: must be a host name, not 'a b'"},
    {"text: {a: b}", "text: must be one value, not a mapping"},
    {"word: equals", "word: unknown word 'equals'; allowed: greater_than, >, less_than, <"},
    {"word: les_than", "did you mean 'less_than'?"},
    {"word: [\">\"]", "word: unknown word"},
    {"words: [\">\", x]", "f:1:14: words: unknown word 'x'"},
    {"words: {a: b}", "words: must be a list, not a mapping"},
    {"texts: [a, \"b c\"]", "f:1:12: texts: must be a host name, not 'b c'"},
    {"texts: [a, [b]]", "texts: must be one value, not a list"},
    {"texts: {a: b}", "texts: must be a list, not a mapping"},
    {"counts: [200, x]", "f:1:15: counts: must be whole numbers from 100 to 599, not 'x'"},
    {"counts: [99]", "not '99'"},
    {"counts: [[1]]", "counts: must be whole numbers"},
    {"pairs: [a]", "pairs: must be a mapping: {name: value}"},
    {"pairs: a", "pairs: must be a mapping"},
    {"pairs: {a: [b]}", "pairs: must be one value, not a list"},
    {"pairs: {a: \"b c\"}", "pairs: must be a host name, not 'b c'"},
    {"items: {name: x}", "items: must be a list: '- name: ...' for each"},
    {"items: x", "items: must be a list"},
    {"items: [x]", "f:1:9: items[0]: must be a mapping: 'key: value'"},
    {"items: [{name: a}, {}]", "f:1:20: items[1].name: is missing: its name"},
    {"items: [{name: \"\"}]", "items[0].name: is missing: its name"},
    {"items: [{name: a, nmae: b}]", "f:1:19: items[0].nmae: unknown key 'nmae'"},
    {"items: [{name: a, nmae: b}]", "allowed: name; did you mean 'name'?"},
    {"x: 1", "x: unknown key 'x'; allowed: flag, count, any, size"},
};

static void bad_values_name_what_is_allowed(void **state)
{
    (void) state;
    KIT_EACH (c, bad_values) {
        struct fixture f;

        load(&f, c->text);
        KIT_EXPECT(c->text, !f.is_loaded);
        KIT_EXPECT_CONTAINS(c->text, c->error, koa_buf_text(&f.printed));
        KIT_EXPECT(c->text, f.errors.count == 1);
        finish(&f);
    }
}

static void no_suggestion_for_a_name_that_is_nothing_like_it(void **state)
{
    struct fixture f;

    (void) state;
    load(&f, "qq: 1\n");
    KIT_EXPECT("none", strstr(koa_buf_text(&f.printed), "did you mean") == NULL);
    finish(&f);
}

static void a_subtree_is_kept_for_later(void **state)
{
    struct fixture f;

    (void) state;
    load(&f, "later:\n  - {type: x}\n");
    KIT_EXPECT_INT("kept", KOA_NODE_LIST, f.values.later->type);
    finish(&f);
    load(&f, "later:\n");
    KIT_EXPECT("nothing", f.values.later == NULL);
    finish(&f);
}

static void write_file(const char *directory, const char *name, const char *text, size_t size)
{
    char path[256];
    FILE *file;

    (void) snprintf(path, sizeof(path), "%s/%s", directory, name);
    file = fopen(path, "wbe");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fclose(file), 0);
}

/* `text` may hold %s for the directory. */
static void load_in(struct fixture *f, const char *directory, const char *key, const char *name)
{
    char text[512];

    (void) snprintf(text, sizeof(text), "%s: %s/%s\n", key, directory, name);
    load(f, text);
}

static void a_secret_may_stand_in_a_file(void **state)
{
    static char large[65537];
    char *directory = kit_temporary_directory();
    char shown[] = "login with s3same-open failed";
    struct fixture f;

    (void) state;
    memset(large, 'x', sizeof(large));
    write_file(directory, "good", "s3same-open\n", 12);
    write_file(directory, "dos", "s3same-dos\r\n", 12);
    write_file(directory, "blank", "two words here", 14);
    write_file(directory, "nul", "abc\0def", 7);
    write_file(directory, "large", large, sizeof(large));

    load_in(&f, directory, "secret_file", "good");
    KIT_EXPECT_TEXT("errors", "", koa_buf_text(&f.printed));
    KIT_EXPECT_TEXT("without line end", "s3same-open", f.values.secret);
    koa_redact(shown);
    KIT_EXPECT_TEXT("kept out of messages", "login with *** failed", shown);
    finish(&f);
    load_in(&f, directory, "secret_file", "dos");
    KIT_EXPECT_TEXT("without CR LF", "s3same-dos", f.values.secret);
    finish(&f);
    load_in(&f, directory, "secret_file", "blank");
    KIT_EXPECT_CONTAINS("wrong", "f:1:14: secret: must be a host name\n", koa_buf_text(&f.printed));
    KIT_EXPECT("not shown", strstr(koa_buf_text(&f.printed), "words") == NULL);
    finish(&f);
    load_in(&f, directory, "secret_file", "nul");
    KIT_EXPECT_CONTAINS("no text", "holds a NUL byte", koa_buf_text(&f.printed));
    KIT_EXPECT("not shown", strstr(koa_buf_text(&f.printed), "abc") == NULL);
    finish(&f);
    load_in(&f, directory, "secret_file", "large");
    KIT_EXPECT_CONTAINS("large", "is larger than 64 KiB", koa_buf_text(&f.printed));
    finish(&f);
    load_in(&f, directory, "secret_file", "missing");
    KIT_EXPECT_CONTAINS("missing", "/missing' cannot be opened: No such file",
                        koa_buf_text(&f.printed));
    finish(&f);
    load_in(&f, directory, "secret: abcdefgh\nsecret_file", "good");
    KIT_EXPECT_CONTAINS("two", "secret: and secret_file are both set", koa_buf_text(&f.printed));
    finish(&f);
    load(&f, "secret_file: [a]\n");
    KIT_EXPECT_CONTAINS("list", "secret: secret_file must be a path", koa_buf_text(&f.printed));
    finish(&f);
    load(&f, "secret: abcdefgh\nsecret_file: \"\"\n");
    KIT_EXPECT_TEXT("an empty path is none", "abcdefgh", f.values.secret);
    finish(&f);
    kit_remove_directory(directory);
}

static void a_secret_is_never_shown(void **state)
{
    struct koa_buf all = {.limit = 10000};
    struct fixture f;

    (void) state;
    load(&f, "secret: open sesame now\n");
    KIT_EXPECT_TEXT("wrong", "f:1:9: secret: must be a host name\n", koa_buf_text(&f.printed));
    finish(&f);
    load(&f, "secret: opensesame\ntext: opensesame or not\n");
    KIT_EXPECT_TEXT("in another's message", "f:2:7: text: must be a host name, not '*** or not'\n",
                    koa_buf_text(&f.printed));
    koa_options_print(rows, &f.values, 0, &all);
    KIT_EXPECT_CONTAINS("printed", "secret: \"***\"\n", koa_buf_text(&all));
    KIT_EXPECT("nowhere", strstr(koa_buf_text(&all), "opensesame") == NULL);
    koa_buf_deinit(&all);
    finish(&f);
}

static void every_failed_allocation_is_an_error(void **state)
{
    static const char text[] = "texts: [a, b]\npairs: {a: b}\nitems: [{name: x}]\ntext: y\n"
                               "secret: allocated-one\ncount: 80\n";
    bool ok = false;

    (void) state;
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        struct koa_arena *arena = koa_arena_create(1 << 20);
        struct koa_config_errors errors = {.arena = arena};
        struct values values = {0};
        struct koa_node *root = NULL;

        if (arena != NULL) {
            root = koa_yaml_parse(koa_str_from(text), &(struct koa_yaml_opts){.file = "f"}, arena,
                                  &errors);
        }
        if (root != NULL) {
            ok = koa_options_load_one(
                rows, &values, root,
                &(struct koa_options_opts){.path = "", .arena = arena, .errors = &errors});
        }
        KIT_EXPECT("complete or told", arena == NULL || errors.total > 0 ||
                                           (ok && values.texts.count == 2 && values.count == 80 &&
                                            strcmp(values.text, "y") == 0));
        koa_arena_destroy(arena);
    }
}

static void documents_list_every_key_with_its_path(void **state)
{
    struct koa_buf buf = {.limit = 100000};
    static const char *const lines[] = {
        "| `count` | whole number |  | 1 to 65535 | port |\n",
        "| `secret` | secret |  |  | secret; also `secret_file` |\n",
        "| `word` | word |  | one of greater_than, >, less_than, < | word |\n",
        "| `items[].name` | text | required |  | its name |\n",
    };

    (void) state;
    koa_options_document(rows, &buf);
    KIT_EACH (line, lines)
        KIT_EXPECT_CONTAINS(*line, *line, koa_buf_text(&buf));
    koa_buf_deinit(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_values_are_understood),
        cmocka_unit_test(bad_values_name_what_is_allowed),
        cmocka_unit_test(no_suggestion_for_a_name_that_is_nothing_like_it),
        cmocka_unit_test(a_subtree_is_kept_for_later),
        cmocka_unit_test(a_secret_may_stand_in_a_file),
        cmocka_unit_test(a_secret_is_never_shown),
        cmocka_unit_test(every_failed_allocation_is_an_error),
        cmocka_unit_test(documents_list_every_key_with_its_path),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
