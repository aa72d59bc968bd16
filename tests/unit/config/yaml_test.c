/* Texts to trees: places, limits, expansion, and the whole example file. */
#include "config/yaml.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/str.h"
#include "kit/kit.h"

struct fixture {
    struct koa_arena *arena;
    struct koa_config_errors errors;
    struct koa_node *root;
    struct koa_buf printed;
};

static const char *fake_getenv(void *context, const char *name)
{
    static const struct koa_label variables[] = {
        {"HOST", "kafka-1"},   {"EMPTY", ""},      {"TRICKY", "a: [b\n- c #d"},
        {"NESTED", "${HOST}"}, {"SWITCH", "null"},
    };

    (void) context;
    KIT_EACH (row, variables) {
        if (strcmp(row->name, name) == 0)
            return row->value;
    }
    return NULL;
}

static void parse(struct fixture *f, struct koa_str text)
{
    struct koa_yaml_opts opts = {.file = "koa.yaml", .getenv = fake_getenv};

    *f = (struct fixture){.arena = koa_arena_create(64 << 20), .printed = {.limit = 1 << 20}};
    f->errors.arena = f->arena;
    f->root = koa_yaml_parse(text, &opts, f->arena, &f->errors);
    koa_config_errors_print(&f->errors, &f->printed);
}

static void finish(struct fixture *f)
{
    koa_buf_deinit(&f->printed);
    koa_arena_destroy(f->arena);
}

static const char *value_of(const struct fixture *f, const char *key)
{
    const struct koa_node *node = koa_node_get(f->root, key);

    return node != NULL ? node->value : NULL;
}

static void every_node_knows_its_place(void **state)
{
    struct fixture f;
    const struct koa_node *web;
    const struct koa_node *hosts;

    (void) state;
    parse(&f, KOA_STR("# comment\nweb:\n  port: 80\nhosts: [a, \"b\"]\n"));
    web = koa_node_get(f.root, "web");
    hosts = koa_node_get(f.root, "hosts");
    KIT_EXPECT_TEXT("file", "koa.yaml", web->file);
    KIT_EXPECT_INT("key line", 2, web->key_line);
    KIT_EXPECT_INT("line", 3, koa_node_get(web, "port")->line);
    KIT_EXPECT_INT("column", 9, koa_node_get(web, "port")->column);
    KIT_EXPECT_INT("key column", 3, koa_node_get(web, "port")->key_column);
    KIT_EXPECT_INT("item", 12, hosts->children->next->column);
    KIT_EXPECT("quoted", hosts->children->next->is_quoted && !hosts->children->is_quoted);
    finish(&f);
}

static void nothing_and_null_are_empty(void **state)
{
    static const struct {
        const char *text;
        bool is_empty;
    } cases[] = {{"a:\n", true},          {"a: ~\n", true},         {"a: null\n", true},
                 {"a: \"\"\n", false},    {"a: '~'\n", false},      {"a: x\n", false},
                 {"a: !!str\n", false},   {"a: []\n", false},       {"b: 1\n", true},
                 {"a: ${EMPTY}\n", true}, {"a: ${SWITCH}\n", false}};

    (void) state;
    KIT_EACH (c, cases) {
        struct fixture f;

        parse(&f, koa_str_from(c->text));
        KIT_EXPECT_TEXT(c->text, "", koa_buf_text(&f.printed));
        KIT_EXPECT_INT(c->text, c->is_empty, koa_node_is_empty(koa_node_get(f.root, "a")));
        finish(&f);
    }
}

static void an_empty_text_is_an_empty_map(void **state)
{
    static const char *const cases[] = {"", "\n\n", "# only a comment\n", "---\n", "~\n"};

    (void) state;
    KIT_EACH (c, cases) {
        struct fixture f;

        parse(&f, koa_str_from(*c));
        KIT_EXPECT(*c, f.root != NULL && f.root->type == KOA_NODE_MAP && f.errors.count == 0);
        finish(&f);
    }
}

static void variables_are_replaced_once_and_stay_values(void **state)
{
    static const struct {
        const char *text, *expected;
    } cases[] = {
        {"a: ${HOST}:9092\n", "kafka-1:9092"}, {"a: \"${HOST}${HOST}\"\n", "kafka-1kafka-1"},
        {"a: ${MISSING:-x y}\n", "x y"},       {"a: ${MISSING:-}\n", ""},
        {"a: ${EMPTY:-other}\n", "other"},     {"a: ${EMPTY}\n", ""},
        {"a: ${TRICKY}\n", "a: [b\n- c #d"},   {"a: ${NESTED}\n", "${HOST}"},
        {"a: pa$$word$\n", "pa$$word$"},       {"a: $HOST\n", "$HOST"},
        {"a: $${HOST}\n", "${HOST}"},          {"a: $2y$10$abcdef\n", "$2y$10$abcdef"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct fixture f;

        parse(&f, koa_str_from(c->text));
        KIT_EXPECT_TEXT(c->text, "", koa_buf_text(&f.printed));
        KIT_EXPECT_TEXT(c->text, c->expected, value_of(&f, "a"));
        finish(&f);
    }
}

static void keys_are_never_expanded(void **state)
{
    struct fixture f;

    (void) state;
    parse(&f, KOA_STR("${HOST}: x\n"));
    KIT_EXPECT_TEXT("as it stands", "x", value_of(&f, "${HOST}"));
    finish(&f);
}

static void bad_texts_are_refused_with_their_place(void **state)
{
    static const struct {
        const char *text, *error;
    } cases[] = {
        {"a: [1\nb: 2\n", "koa.yaml:2:"},
        {"a: b: c\n", "koa.yaml:1:5: not YAML: mapping values are not allowed"},
        {"\ta: 1\n", "koa.yaml:1:1: not YAML"},
        {"a: 1\nb: \xff\n", "koa.yaml:2:4: not YAML: invalid leading UTF-8 octet"},
        {"a: 1\nb: \x01\n", "koa.yaml:2:4: not YAML: control characters are not allowed"},
        {"a: \"x\\0y\"\n", "koa.yaml:1:4: a NUL byte"},
        {"\"x\\0y\": a\n", "koa.yaml:1:1: a key must be plain text"},
        {"[a]: b\n", "koa.yaml:1:1: a key must be plain text"},
        {"? {a: b}\n: c\n", "koa.yaml:1:3: a key must be plain text"},
        {"a: 1\nb: 2\na: 3\n", "koa.yaml:3:1: a: the key stands here a second time"},
        {"a: !!binary aGk=\n", "koa.yaml:1:4: tags have no meaning here"},
        {"a: !include x\n", "tags have no meaning here"},
        {"a: !!set {b}\n", "tags have no meaning here"},
        {"a: *b\n", "koa.yaml:1:4: the alias has no anchor before it"},
        {"a: &a [*a]\n", "koa.yaml:1:8: the alias has no anchor before it"},
        {"- a\n", "koa.yaml:1:1: the whole must be a mapping"},
        {"text\n", "koa.yaml:1:1: the whole must be a mapping"},
        {"a: 1\n---\nb: 2\n", "koa.yaml:2:1: a second document"},
        {"%YAML 3.0\n---\na: 1\n", "koa.yaml:1:1: not YAML"},
        {"a: ${MISSING}\n", "koa.yaml:1:4: the environment variable MISSING is not set"},
        {"a: ${bad name}\n", "koa.yaml:1:4: '${bad name' is not ${NAME}"},
        {"a: ${HOST\n", "koa.yaml:1:4: '${HOST' is not ${NAME}"},
        {"a: ${}\n", "'${' is not ${NAME}"},
        {"a: ${HOST:x}\n", "'${HOST:x' is not ${NAME}"},
        {"a: ${1}\n", "'${1' is not ${NAME}"},
    };

    (void) state;
    KIT_EACH (c, cases) {
        struct fixture f;

        parse(&f, koa_str_from(c->text));
        KIT_EXPECT_CONTAINS(c->text, c->error, koa_buf_text(&f.printed));
        finish(&f);
    }
}

static void errors_that_leave_a_tree_come_together(void **state)
{
    struct fixture f;

    (void) state;
    parse(&f, KOA_STR("a: ${X}\nb: 1\nb: ${Y}\nc: fine\n"));
    KIT_EXPECT_INT("X, Y and the second b", 3, f.errors.count);
    KIT_EXPECT_TEXT("the tree goes on", "fine", value_of(&f, "c"));
    KIT_EXPECT_TEXT("the first counts", "1", value_of(&f, "b"));
    finish(&f);
}

static void append_repeated(struct koa_buf *buf, const char *text, int count)
{
    for (int i = 0; i < count; i++)
        koa_buf_append_text(buf, text);
}

static void expect_refused(const char *name, struct koa_buf *text, const char *error)
{
    struct fixture f;

    KIT_EXPECT(name, !text->failed);
    parse(&f, (struct koa_str){text->data, text->size});
    KIT_EXPECT(name, f.root == NULL || f.errors.count > 0);
    KIT_EXPECT_CONTAINS(name, error, koa_buf_text(&f.printed));
    finish(&f);
    koa_buf_clear(text);
}

static void texts_made_to_hurt_end_at_a_limit(void **state)
{
    struct koa_buf text = {.limit = 8 << 20};

    (void) state;
    koa_buf_append_text(&text, "a: ");
    append_repeated(&text, "[", 20000);
    expect_refused("nested lists", &text, "nested more than 32 levels deep");

    append_repeated(&text, "{a: ", 20000);
    expect_refused("nested maps", &text, "nested more than 32 levels deep");

    koa_buf_append_text(&text, "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 10; i++) {
        koa_buf_printf(&text, "a%d: &a%d [", i, i);
        for (int k = 0; k < 10; k++)
            koa_buf_printf(&text, "*a%d, ", i - 1);
        koa_buf_append_text(&text, "]\n");
    }
    expect_refused("alias bomb", &text, "more than 100000 values; aliases count each time");

    koa_buf_append_text(&text, "a0: &a0 [x]\n");
    for (int i = 1; i < 40; i++)
        koa_buf_printf(&text, "a%d: &a%d [*a%d]\n", i, i, i - 1);
    expect_refused("aliases that nest", &text, "nested more than 32 levels deep");

    koa_buf_append_text(&text, "a: [");
    append_repeated(&text, "x,", 100001);
    koa_buf_append_text(&text, "]\n");
    expect_refused("many values", &text, "more than 100000 values");

    for (int i = 0; i < 1001; i++)
        koa_buf_printf(&text, "k%d: 1\n", i);
    expect_refused("many keys", &text, "more than 1000 keys in one mapping");

    for (int i = 0; i < 1001; i++)
        koa_buf_printf(&text, "- &a%d x\n", i);
    expect_refused("many anchors", &text, "more than 1000 anchors");

    koa_buf_append_text(&text, "a: \"");
    append_repeated(&text, "${TRICKY}", 10000);
    koa_buf_append_text(&text, "\"\n");
    expect_refused("a long value", &text, "is longer than 65536 bytes once its variables");

    append_repeated(&text, "# 4 MiB and a bit ", (4 << 20) / 18 + 1);
    expect_refused("a long text", &text, "koa.yaml:1:1: larger than 4 MiB");
    koa_buf_deinit(&text);
}

static void a_hundred_errors_are_enough(void **state)
{
    struct koa_buf text = {.limit = 1 << 20};
    struct fixture f;

    (void) state;
    for (int i = 0; i < 300; i++)
        koa_buf_printf(&text, "k%d: ${MISSING}\n", i);
    parse(&f, (struct koa_str){text.data, text.size});
    KIT_EXPECT_INT("kept", 101, f.errors.count);
    KIT_EXPECT_INT("counted", 300, f.errors.total);
    KIT_EXPECT_CONTAINS("said", "there are more errors", koa_buf_text(&f.printed));
    finish(&f);
    koa_buf_deinit(&text);
}

static void errors_are_not_lost_when_memory_is_out(void **state)
{
    struct koa_config_errors errors = {.arena = koa_arena_create(16)};
    struct koa_buf printed = {.limit = 1000};

    (void) state;
    koa_config_errors_add(&errors, NULL, "a", "first");
    koa_config_errors_add(&errors, NULL, "b", "second");
    KIT_EXPECT_INT("one stands for all", 1, errors.count);
    KIT_EXPECT_INT("counted", 2, errors.total);
    koa_config_errors_print(&errors, &printed);
    KIT_EXPECT_TEXT("text", "memory is out; the errors cannot be shown\n", koa_buf_text(&printed));
    koa_buf_deinit(&printed);
    koa_arena_destroy(errors.arena);
}

static void every_failed_allocation_is_an_error_and_no_crash(void **state)
{
    static const char text[] = "a: &a [1, \"two\", {k: v}]\nb: *a\nc: ${HOST}\nd: ${X}\n";
    struct koa_yaml_opts opts = {.file = "koa.yaml", .getenv = fake_getenv};
    bool ok = false;

    (void) state;
    KIT_FOR_EACH_ALLOC_FAILURE (ok) {
        struct koa_arena *arena = koa_arena_create(1 << 20);
        struct koa_config_errors errors = {.arena = arena};
        struct koa_node *root = NULL;

        if (arena != NULL)
            root = koa_yaml_parse(koa_str_from(text), &opts, arena, &errors);
        KIT_EXPECT("told", arena == NULL || errors.total > 0);
        ok = root != NULL && errors.total == 1 && koa_node_get(root, "c")->value[0] != '\0';
        koa_arena_destroy(arena);
    }
}

/* `reason` is what the message must hold; `path` is made by the caller. */
static void expect_unreadable(const char *path, const char *reason)
{
    struct fixture f = {.arena = koa_arena_create(1 << 20), .printed = {.limit = 10000}};

    f.errors.arena = f.arena;
    f.root = koa_yaml_read(path, &(struct koa_yaml_opts){.file = path}, f.arena, &f.errors);
    KIT_EXPECT(path, f.root == NULL);
    koa_config_errors_print(&f.errors, &f.printed);
    KIT_EXPECT_CONTAINS(path, reason, koa_buf_text(&f.printed));
    KIT_EXPECT_CONTAINS(path, path, koa_buf_text(&f.printed));
    finish(&f);
}

static void only_regular_files_are_read(void **state)
{
    char *directory = kit_temporary_directory();
    char pipe_path[256];

    (void) state;
    (void) snprintf(pipe_path, sizeof(pipe_path), "%s/pipe", directory);
    assert_int_equal(mkfifo(pipe_path, 0600), 0);
    expect_unreadable("/no/such/file", "cannot be opened: No such file or directory");
    expect_unreadable(directory, "is not a regular file");
    expect_unreadable(pipe_path, "is not a regular file"); /* and the test does not hang */
    expect_unreadable("/dev/zero", "is not a regular file");
    kit_remove_directory(directory);
}

static size_t count_nodes(const struct koa_node *node)
{
    size_t count = 1;

    for (const struct koa_node *child = node->children; child != NULL; child = child->next)
        count += count_nodes(child);
    return count;
}

static void the_example_file_is_a_tree_without_errors(void **state)
{
    struct fixture f;
    size_t size;
    KOA_AUTOFREE char *text = kit_read_file("tests/kit/data/config-example.yaml", &size);
    const struct koa_node *rules;
    const struct koa_node *sasl;

    (void) state;
    parse(&f, (struct koa_str){text, size});
    KIT_EXPECT_TEXT("errors", "", koa_buf_text(&f.printed));
    KIT_EXPECT_INT("values, as another YAML reader counts them", 188, count_nodes(f.root));
    rules = koa_node_get(koa_node_get(f.root, "alerting"), "rules");
    KIT_EXPECT_TEXT("a template is text",
                    "{{consumergroup}} is {{value}} messages behind on {{topic}}",
                    koa_node_get(koa_node_get(rules->children, "annotations"), "summary")->value);
    sasl = koa_node_get(koa_node_get(f.root, "clusters")->children, "sasl");
    KIT_EXPECT("flow maps", koa_node_get(sasl, "client_secret_file")->is_quoted);
    finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_node_knows_its_place),
        cmocka_unit_test(nothing_and_null_are_empty),
        cmocka_unit_test(an_empty_text_is_an_empty_map),
        cmocka_unit_test(variables_are_replaced_once_and_stay_values),
        cmocka_unit_test(keys_are_never_expanded),
        cmocka_unit_test(bad_texts_are_refused_with_their_place),
        cmocka_unit_test(errors_that_leave_a_tree_come_together),
        cmocka_unit_test(texts_made_to_hurt_end_at_a_limit),
        cmocka_unit_test(a_hundred_errors_are_enough),
        cmocka_unit_test(errors_are_not_lost_when_memory_is_out),
        cmocka_unit_test(every_failed_allocation_is_an_error_and_no_crash),
        cmocka_unit_test(only_regular_files_are_read),
        cmocka_unit_test(the_example_file_is_a_tree_without_errors),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
