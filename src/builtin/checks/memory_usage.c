/* Reads the kernel's accounts of memory. In a container the machine's figures mislead: there the
 * control group's limit is what kills. What is too full is for the check to say. */
#include "builtin/checks/memory_usage.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/num.h"
#include "base/str.h"

enum {
    FILE_LIMIT = 16384, /* memory.stat of Linux 6 has 2 KiB */
    PATH_SIZE = 4096
};

/* The start of a file, as text. */
static enum koa_err read_text(const char *path, char text[FILE_LIMIT], struct koa_error *reterr)
{
    int descriptor = open(path, O_RDONLY | O_CLOEXEC);
    size_t size = 0;
    ssize_t got;

    if (descriptor < 0)
        return koa_fail_errno(reterr, KOA_ERR_IO, errno, "cannot open %s", path);
    do {
        got = read(descriptor, text + size, FILE_LIMIT - 1 - size);
        if (got > 0)
            size += (size_t) got;
    } while ((got > 0 && size < FILE_LIMIT - 1) || (got < 0 && errno == EINTR));
    text[size] = '\0';
    if (got < 0) {
        int error = errno;

        (void) close(descriptor);
        return koa_fail_errno(reterr, KOA_ERR_IO, error, "cannot read %s", path);
    }
    (void) close(descriptor);
    return KOA_OK;
}

/* The number after `name` at the start of a line, such as "MemTotal:  16384 kB". */
static bool find_number(const char *text, const char *name, int64_t *ret_number)
{
    struct koa_str rest = koa_str_from(text);

    while (rest.size > 0) {
        struct koa_str line = koa_str_split(rest, '\n', &rest);
        struct koa_str key = koa_str_from(name);

        if (!koa_str_starts(line, key))
            continue;
        line.data += key.size;
        line.size -= key.size;
        line = koa_str_split(koa_str_trim(line), ' ', &(struct koa_str){0});
        return koa_parse_int(line, 0, INT64_MAX / 1024, ret_number) == KOA_OK;
    }
    return false;
}

static enum koa_err read_number(const char *path, int64_t *ret_number)
{
    char text[FILE_LIMIT];
    enum koa_err err = read_text(path, text, NULL);

    return err != KOA_OK
               ? err
               : koa_parse_int(koa_str_trim(koa_str_from(text)), 0, INT64_MAX, ret_number);
}

static void take_fuller(struct koa_memory_usage *usage, int64_t used_bytes, int64_t limit_bytes,
                        const char *source)
{
    double ratio;

    if (limit_bytes <= 0)
        return;
    used_bytes = used_bytes > 0 ? used_bytes : 0;
    ratio = (double) used_bytes / (double) limit_bytes;
    if (usage->limit_bytes > 0 && ratio <= usage->ratio)
        return;
    *usage = (struct koa_memory_usage){.used_bytes = used_bytes,
                                       .limit_bytes = limit_bytes,
                                       .ratio = ratio < 1.0 ? ratio : 1.0,
                                       .source = source};
}

static enum koa_err read_machine(const char *root, struct koa_memory_usage *usage,
                                 struct koa_error *reterr)
{
    char path[PATH_SIZE];
    char text[FILE_LIMIT];
    int64_t total;
    int64_t available;
    enum koa_err err;

    (void) snprintf(path, sizeof(path), "%s/proc/meminfo", root);
    err = read_text(path, text, reterr);
    if (err != KOA_OK)
        return err;
    if (!find_number(text, "MemTotal:", &total) || !find_number(text, "MemAvailable:", &available))
        return koa_fail(reterr, KOA_ERR_PARSE, "%s has no MemTotal or MemAvailable", path);
    take_fuller(usage, (total - available) * 1024, total * 1024, "machine");
    return KOA_OK;
}

/* File names of one version of control groups. */
struct hierarchy {
    const char *mount;
    const char *limit, *used, *cache_key;
};

static const struct hierarchy version_2 = {.mount = "/sys/fs/cgroup",
                                           .limit = "memory.max",
                                           .used = "memory.current",
                                           .cache_key = "inactive_file "};
static const struct hierarchy version_1 = {.mount = "/sys/fs/cgroup/memory",
                                           .limit = "memory.limit_in_bytes",
                                           .used = "memory.usage_in_bytes",
                                           .cache_key = "total_inactive_file "};

/* One group. Without a limit ("max", or v1's huge number, which no memory fills) it says nothing.
 */
static void read_group(const char *directory, const struct hierarchy *hierarchy,
                       struct koa_memory_usage *usage)
{
    char path[PATH_SIZE + 32];
    char text[FILE_LIMIT];
    int64_t limit_bytes;
    int64_t used_bytes;
    int64_t cache_bytes = 0;

    (void) snprintf(path, sizeof(path), "%s/%s", directory, hierarchy->limit);
    if (read_number(path, &limit_bytes) != KOA_OK)
        return;
    (void) snprintf(path, sizeof(path), "%s/%s", directory, hierarchy->used);
    if (read_number(path, &used_bytes) != KOA_OK)
        return;
    (void) snprintf(path, sizeof(path), "%s/memory.stat", directory);
    if (read_text(path, text, NULL) == KOA_OK)
        (void) find_number(text, hierarchy->cache_key, &cache_bytes);
    take_fuller(usage, used_bytes - cache_bytes, limit_bytes, "cgroup");
}

/* The group at `name` and all above it, up to the mount: inside a container the name is often that
 * of the host and only the mount's root is there. */
static void read_groups(const char *root, struct koa_str name, const struct hierarchy *hierarchy,
                        struct koa_memory_usage *usage)
{
    char directory[PATH_SIZE];
    size_t mount_size;
    size_t size;

    (void) snprintf(directory, sizeof(directory), "%s%s", root, hierarchy->mount);
    mount_size = strlen(directory);
    if (!koa_str_copy(directory + mount_size, sizeof(directory) - mount_size, name))
        return;
    size = strlen(directory);
    while (size > mount_size) {
        if (directory[size - 1] != '/')
            read_group(directory, hierarchy, usage);
        while (size > mount_size && directory[size - 1] != '/')
            size--;
        size = size > mount_size ? size - 1 : size;
        directory[size] = '\0';
    }
    read_group(directory, hierarchy, usage);
}

static bool names_memory(struct koa_str controllers)
{
    while (controllers.size > 0) {
        if (koa_str_equal(koa_str_split(controllers, ',', &controllers), KOA_STR("memory")))
            return true;
    }
    return false;
}

/* Lines are "0::/name" (v2) and "9:memory:/name" (v1, maybe several controllers by commas). */
static void read_cgroups(const char *root, struct koa_memory_usage *usage)
{
    char path[PATH_SIZE];
    char text[FILE_LIMIT];
    struct koa_str rest;

    (void) snprintf(path, sizeof(path), "%s/proc/self/cgroup", root);
    if (read_text(path, text, NULL) != KOA_OK)
        return;
    rest = koa_str_from(text);
    while (rest.size > 0) {
        struct koa_str name = koa_str_split(rest, '\n', &rest);
        struct koa_str number = koa_str_split(name, ':', &name);
        struct koa_str controllers = koa_str_split(name, ':', &name);

        if (koa_str_equal(number, KOA_STR("0")) && controllers.size == 0) {
            read_groups(root, name, &version_2, usage);
        } else if (names_memory(controllers)) {
            read_groups(root, name, &version_1, usage);
        }
    }
}

enum koa_err koa_memory_usage_read(const char *root, struct koa_memory_usage *ret_usage,
                                   struct koa_error *reterr)
{
    struct koa_memory_usage usage = {0};
    enum koa_err err = read_machine(root, &usage, reterr);

    read_cgroups(root, &usage);
    if (usage.limit_bytes == 0) {
        return err != KOA_OK ? err
                             : koa_fail(reterr, KOA_ERR_PARSE, "the kernel tells no memory size");
    }
    *ret_usage = usage;
    return KOA_OK;
}
