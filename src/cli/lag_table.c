/* Lays out what is known of consumer groups. What is not known is a dash, never a number. */
#include "cli/lag_table.h"

#include <inttypes.h>
#include <string.h>

#include "base/memory.h"
#include "base/num.h"
#include "base/str.h"

enum {
    COLUMNS = 9,
    WIDTH_LIMIT = 100, /* a longer name, of up to 32 KiB, moves the rest of its own row only */
    CELLS_LIMIT = 1 << 30,
    CELL_LIMIT = 1 << 20,
    THOUSANDS_SIZE = KOA_NUM_TEXT_SIZE + 12
};

struct column {
    const char *title;
    bool is_number; /* to the right */
};

static const struct column of_partitions[] = {
    {"GROUP", false},    {"STATE", false}, {"TOPIC", false}, {"PARTITION", true},
    {"COMMITTED", true}, {"END", true},    {"LAG", true},    {"CONDITIONS", false},
};

static const struct column of_topics[] = {
    {"GROUP", false}, {"TYPE", false}, {"STATE", false},  {"MEMBERS", true},     {"TOPIC", false},
    {"LAG", true},    {"MAX", true},   {"SECONDS", true}, {"CONDITIONS", false},
};

/* Cells one after the other, each with a NUL behind it: widths are known at the end only. */
struct table {
    const struct column *columns;
    size_t column_count;
    const struct cli_lag_opts *opts;
    struct koa_buf cells;
    struct koa_buf cell; /* being made */
    size_t widths[COLUMNS];
    size_t next; /* column */
};

/* Characters; what a terminal shows wider is not known here. */
static size_t width_of(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char) *text & 0xc0) != 0x80 ? 1 : 0;
    return width;
}

/* Controls would move the cursor or worse; in UTF-8 those of the second set are c2 80 to c2 9f. */
static void append_name(struct koa_buf *buf, const char *name)
{
    struct koa_str rest = koa_str_from(name);

    while (rest.size > 0) {
        unsigned char byte = (unsigned char) rest.data[0];
        size_t size = koa_utf8_character(rest);
        bool is_control = byte < 0x20 || byte == 0x7f ||
                          (byte == 0xc2 && size == 2 && (unsigned char) rest.data[1] < 0xa0);

        if (size == 0 || is_control) {
            koa_buf_printf(buf, "\\x%02x", byte);
            size = 1;
            if (byte == 0xc2 && is_control) {
                koa_buf_printf(buf, "\\x%02x", (unsigned) (unsigned char) rest.data[1]);
                size = 2;
            }
        } else {
            koa_buf_append(buf, rest.data, size);
        }
        rest.data += size;
        rest.size -= size;
    }
}

static void end_cell(struct table *table)
{
    const char *text = koa_buf_text(&table->cell);
    size_t width;

    if (table->cell.size == 0)
        text = "-";
    width = width_of(text);
    koa_buf_append(&table->cells, text, strlen(text) + 1);
    if (width > table->widths[table->next])
        table->widths[table->next] = width < WIDTH_LIMIT ? width : WIDTH_LIMIT;
    table->next = (table->next + 1) % table->column_count;
    koa_buf_clear(&table->cell);
}

static void add_text(struct table *table, const char *text)
{
    append_name(&table->cell, text);
    end_cell(table);
}

static void add_number(struct table *table, bool is_known, int64_t number)
{
    char text[KOA_NUM_TEXT_SIZE];
    size_t size = koa_format_int(number, text);

    for (size_t i = 0; is_known && i < size; i++) {
        if (table->opts->thousands && i > 0 && text[i - 1] != '-' && (size - i) % 3 == 0)
            koa_buf_append_char(&table->cell, ',');
        koa_buf_append_char(&table->cell, text[i]);
    }
    end_cell(table);
}

static void start_table(struct table *table, const struct cli_lag_opts *opts)
{
    *table = (struct table){
        .columns = opts->without_partitions ? of_topics : of_partitions,
        .column_count =
            opts->without_partitions ? KOA_ARRAY_COUNT(of_topics) : KOA_ARRAY_COUNT(of_partitions),
        .opts = opts,
        .cells = {.limit = CELLS_LIMIT},
        .cell = {.limit = CELL_LIMIT},
    };
    for (size_t i = 0; i < table->column_count; i++)
        add_text(table, table->columns[i].title);
}

static void append_padding(struct koa_buf *text, size_t count)
{
    for (size_t i = 0; i < count; i++)
        koa_buf_append_char(text, ' ');
}

static void print_table(struct table *table, struct koa_buf *text)
{
    const char *cell = koa_buf_text(&table->cells);
    const char *end = cell + table->cells.size;

    for (size_t column = 0; cell < end; cell += strlen(cell) + 1) {
        size_t width = width_of(cell);
        size_t padding = table->widths[column] > width ? table->widths[column] - width : 0;
        bool is_last = column + 1 == table->column_count;

        if (table->columns[column].is_number)
            append_padding(text, padding);
        koa_buf_append_text(text, cell);
        if (!table->columns[column].is_number && !is_last)
            append_padding(text, padding);
        koa_buf_append_text(text, is_last ? "\n" : "  ");
        column = is_last ? 0 : column + 1;
    }
    text->failed = text->failed || table->cells.failed || table->cell.failed;
    koa_buf_deinit(&table->cells);
    koa_buf_deinit(&table->cell);
}

static void add_commit(struct table *table, const struct koa_snapshot_group *group,
                       const struct koa_snapshot_group_topic *topic,
                       const struct koa_snapshot_commit *commit)
{
    add_text(table, group->name);
    add_text(table, group->state);
    add_text(table, topic->name);
    add_number(table, true, commit->partition);
    add_number(table, true, commit->offset);
    add_number(table, commit->has_end_offset, commit->end_offset);
    add_number(table, commit->has_lag, commit->lag);
    for (int i = 0; i < KOA_CONDITION_COUNT; i++) {
        if ((commit->conditions & (1U << i)) != 0) {
            koa_buf_append_text(&table->cell, table->cell.size > 0 ? "," : "");
            koa_buf_append_text(&table->cell, koa_condition_name((enum koa_condition) i));
        }
    }
    end_cell(table);
}

static void add_topic(struct table *table, const struct koa_snapshot_group *group,
                      const struct koa_snapshot_group_topic *topic)
{
    add_text(table, group->name);
    add_text(table, koa_group_type_name(group->type));
    add_text(table, group->state);
    add_number(table, group->has_members, group->members);
    add_text(table, topic->name);
    add_number(table, topic->has_lag, topic->lag);
    add_number(table, topic->has_lag, topic->lag_max);
    if (topic->lag_quality != KOA_LAG_UNKNOWN) {
        koa_buf_printf(&table->cell, "%s%.1f", topic->lag_quality == KOA_LAG_AT_LEAST ? ">=" : "",
                       topic->lag_seconds);
    }
    end_cell(table);
    for (int i = 0; i < KOA_CONDITION_COUNT; i++) {
        if (topic->conditions[i] > 0) {
            koa_buf_printf(&table->cell, "%s%s:%" PRId64, table->cell.size > 0 ? "," : "",
                           koa_condition_name((enum koa_condition) i), topic->conditions[i]);
        }
    }
    end_cell(table);
}

static void add_topics(struct table *table, const struct koa_snapshot *snapshot, size_t index,
                       const struct koa_snapshot_group *group)
{
    for (size_t i = 0; i < group->topics; i++) {
        struct koa_snapshot_group_topic topic;

        koa_snapshot_group_topic(snapshot, index, i, &topic);
        if (table->opts->without_partitions)
            add_topic(table, group, &topic);
        for (size_t j = 0; !table->opts->without_partitions && j < topic.commits; j++) {
            struct koa_snapshot_commit commit;

            koa_snapshot_commit(snapshot, index, i, j, &commit);
            add_commit(table, group, &topic, &commit);
        }
    }
}

/* A group without a commit is a row too: it is there. */
static void add_bare(struct table *table, const struct koa_snapshot_group *group)
{
    add_text(table, group->name);
    if (table->opts->without_partitions)
        add_text(table, koa_group_type_name(group->type));
    add_text(table, group->state);
    if (table->opts->without_partitions)
        add_number(table, group->has_members, group->members);
    while (table->next != 0)
        end_cell(table);
}

/* All groups in order; the caller frees. NULL when memory is out. */
static struct koa_page_row *sort_groups(const struct koa_snapshot *snapshot,
                                        enum koa_group_order order, size_t *ret_count)
{
    struct koa_page page = {.order = order};
    struct koa_group_wish wish = {.type = -1};
    struct koa_page_row *rows =
        koa_calloc(koa_snapshot_group_count(snapshot) + 1, sizeof(struct koa_page_row));

    if (rows != NULL)
        *ret_count = koa_page_cut(&page, rows, koa_group_rows(snapshot, &page, &wish, rows)).count;
    return rows;
}

static void add_total(const struct koa_snapshot *snapshot, const struct cli_lag_opts *opts,
                      struct koa_buf *text)
{
    struct table total = {.opts = opts,
                          .column_count = 1,
                          .cells = {.limit = THOUSANDS_SIZE},
                          .cell = {.limit = THOUSANDS_SIZE}};
    int64_t lag = 0;

    for (size_t i = 0; i < koa_snapshot_group_count(snapshot); i++) {
        struct koa_snapshot_group group;

        koa_snapshot_group(snapshot, i, &group);
        lag += group.lag;
    }
    add_number(&total, true, lag);
    koa_buf_printf(text, "%zu groups, lag %s\n", koa_snapshot_group_count(snapshot),
                   koa_buf_text(&total.cells));
    koa_buf_deinit(&total.cells);
    koa_buf_deinit(&total.cell);
}

void cli_lag_table(const struct koa_snapshot *snapshot, const struct cli_lag_opts *opts,
                   struct koa_buf *text)
{
    size_t count = 0;
    struct koa_page_row *rows = sort_groups(snapshot, opts->order, &count);
    struct table table;

    start_table(&table, opts);
    for (size_t i = 0; i < count; i++) {
        struct koa_snapshot_group group;
        size_t before = table.cells.size;

        koa_snapshot_group(snapshot, rows[i].index, &group);
        add_topics(&table, snapshot, rows[i].index, &group);
        if (table.cells.size == before)
            add_bare(&table, &group);
    }
    print_table(&table, text);
    add_total(snapshot, opts, text);
    text->failed = text->failed || rows == NULL;
    koa_free(rows);
}

void cli_lag_json(const struct koa_snapshot *snapshot, const struct cli_lag_opts *opts,
                  struct koa_buf *text)
{
    size_t count = 0;
    struct koa_page_row *rows = sort_groups(snapshot, opts->order, &count);
    struct koa_json json = {.buf = text};

    koa_json_object(&json, NULL);
    koa_json_text(&json, "cluster", koa_snapshot_cluster(snapshot));
    koa_json_text(&json, "cluster_id", koa_snapshot_cluster_id(snapshot));
    koa_json_list(&json, "groups");
    for (size_t i = 0; i < count; i++) {
        struct koa_snapshot_group group;

        koa_snapshot_group(snapshot, rows[i].index, &group);
        koa_json_object(&json, NULL);
        koa_group_write(&json, snapshot, rows[i].index);
        koa_json_list(&json, "topic_list");
        for (size_t j = 0; j < group.topics; j++)
            koa_group_topic_write(&json, snapshot, rows[i].index, j);
        koa_json_list_end(&json);
        koa_json_object_end(&json);
    }
    koa_json_list_end(&json);
    koa_json_time(&json, "timestamp", koa_snapshot_time(snapshot));
    koa_json_object_end(&json);
    koa_buf_append_char(text, '\n');
    text->failed = text->failed || rows == NULL;
    koa_free(rows);
}

size_t cli_lag_problems(const struct koa_snapshot *snapshot, struct koa_buf *text)
{
    size_t count = 0;

    for (size_t i = 0; i < koa_snapshot_broker_count(snapshot); i++) {
        struct koa_snapshot_broker broker;

        koa_snapshot_broker(snapshot, i, &broker);
        if (broker.is_up || !broker.is_known)
            continue;
        koa_buf_printf(text, "broker %" PRId32 " at %s:%" PRId32 ": %s\n", broker.id, broker.host,
                       broker.port, broker.error != NULL ? broker.error : "no answer");
        count++;
    }
    for (size_t i = 0; i < koa_snapshot_group_count(snapshot); i++) {
        struct koa_snapshot_group group;

        koa_snapshot_group(snapshot, i, &group);
        if (group.error == NULL)
            continue;
        koa_buf_append_text(text, "group ");
        append_name(text, group.name);
        koa_buf_printf(text, ": %s\n", group.error);
        count++;
    }
    return count;
}
