/* Memory figures from trees that look like /proc and /sys. */
#include "builtin/checks/memory_usage.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "kit/kit.h"

struct file {
    const char *path;
    const char *text;
};

#define MEMINFO_20                                                                                 \
    {                                                                                              \
        "/proc/meminfo", "MemTotal:        1000 kB\nMemFree:  1 kB\nMemAvailable:     800 kB\n"    \
                         "SwapTotal: 9999 kB\nSwapFree: 0 kB\n"                                    \
    }

static const struct {
    const char *name;
    struct file files[10];
    enum koa_err err;
    const char *source;
    int64_t used_bytes, limit_bytes;
} cases[] = {
    {"the machine alone; swap does not count", {MEMINFO_20}, KOA_OK, "machine", 204800, 1024000},
    {"nothing to read", {{"/proc/stat", ""}}, KOA_ERR_IO, NULL, 0, 0},
    {"not what it should be", {{"/proc/meminfo", "MemTotal: many\n"}}, KOA_ERR_PARSE, NULL, 0, 0},
    {"a group that is fuller",
     {MEMINFO_20,
      {"/proc/self/cgroup", "0::/app/x\n"},
      {"/sys/fs/cgroup/app/x/memory.max", "1000\n"},
      {"/sys/fs/cgroup/app/x/memory.current", "700\n"},
      {"/sys/fs/cgroup/app/x/memory.stat", "anon 5\ninactive_file 100\nactive_file 7\n"}},
     KOA_OK,
     "cgroup",
     600,
     1000},
    {"a parent group that is fuller",
     {MEMINFO_20,
      {"/proc/self/cgroup", "0::/app/x\n"},
      {"/sys/fs/cgroup/app/x/memory.max", "1000\n"},
      {"/sys/fs/cgroup/app/x/memory.current", "500\n"},
      {"/sys/fs/cgroup/app/memory.max", "2000\n"},
      {"/sys/fs/cgroup/app/memory.current", "1900\n"}},
     KOA_OK,
     "cgroup",
     1900,
     2000},
    {"a group without a limit",
     {MEMINFO_20,
      {"/proc/self/cgroup", "0::/app\n"},
      {"/sys/fs/cgroup/app/memory.max", "max\n"},
      {"/sys/fs/cgroup/app/memory.current", "999\n"}},
     KOA_OK,
     "machine",
     204800,
     1024000},
    {"a container whose group is the mount's root",
     {MEMINFO_20,
      {"/proc/self/cgroup", "0::/\n"},
      {"/sys/fs/cgroup/memory.max", "1000\n"},
      {"/sys/fs/cgroup/memory.current", "900\n"}},
     KOA_OK,
     "cgroup",
     900,
     1000},
    {"a name that is the host's",
     {MEMINFO_20,
      {"/proc/self/cgroup", "0::/docker/abc\n"},
      {"/sys/fs/cgroup/memory.max", "1000\n"},
      {"/sys/fs/cgroup/memory.current", "950\n"}},
     KOA_OK,
     "cgroup",
     950,
     1000},
    {"version 1 among other controllers",
     {MEMINFO_20,
      {"/proc/self/cgroup", "3:cpu,cpuacct:/other\n2:hugetlb,memory:/app\n1:name=systemd:/\n"},
      {"/sys/fs/cgroup/memory/app/memory.limit_in_bytes", "1000\n"},
      {"/sys/fs/cgroup/memory/app/memory.usage_in_bytes", "900\n"},
      {"/sys/fs/cgroup/memory/app/memory.stat", "inactive_file 1\ntotal_inactive_file 50\n"}},
     KOA_OK,
     "cgroup",
     850,
     1000},
    {"version 1 without a limit",
     {MEMINFO_20,
      {"/proc/self/cgroup", "2:memory:/\n"},
      {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"},
      {"/sys/fs/cgroup/memory/memory.usage_in_bytes", "900\n"}},
     KOA_OK,
     "machine",
     204800,
     1024000},
    {"more cache than is used",
     {{"/proc/meminfo", "MemTotal: 1000 kB\nMemAvailable: 2000 kB\n"}},
     KOA_OK,
     "machine",
     0,
     1024000},
};

static void write_file(const char *root, const struct file *file)
{
    char path[512];
    FILE *stream;

    (void) snprintf(path, sizeof(path), "%s%s", root, file->path);
    for (char *slash = strchr(path + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void) mkdir(path, 0755);
        *slash = '/';
    }
    stream = fopen(path, "we");
    assert_non_null(stream);
    (void) fputs(file->text, stream);
    assert_int_equal(0, fclose(stream));
}

static void takes_the_fuller_of_machine_and_groups(void **state)
{
    (void) state;
    KIT_EACH (c, cases) {
        char *root = kit_temporary_directory();
        struct koa_memory_usage usage;
        struct koa_error error = {.text = ""};

        for (const struct file *file = c->files; file->path != NULL; file++)
            write_file(root, file);
        KIT_EXPECT_INT(c->name, c->err, koa_memory_usage_read(root, &usage, &error));
        if (c->err == KOA_OK) {
            KIT_EXPECT_TEXT(c->name, c->source, usage.source);
            KIT_EXPECT_INT(c->name, c->used_bytes, usage.used_bytes);
            KIT_EXPECT_INT(c->name, c->limit_bytes, usage.limit_bytes);
            KIT_EXPECT_DOUBLE(c->name, (double) c->used_bytes / (double) c->limit_bytes,
                              usage.ratio);
        } else {
            KIT_EXPECT_CONTAINS(c->name, "/proc/meminfo", error.text);
        }
        kit_remove_directory(root);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_fuller_of_machine_and_groups),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
