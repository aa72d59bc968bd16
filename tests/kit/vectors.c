#include "kit/vectors.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kit/kit.h"

#include "base/str.h"

/* NOLINTBEGIN(concurrency-mt-unsafe): tests read folders on one thread */

#define FOLDER "tests/vectors/kafka"

void kit_vector_read(const char *name, struct kit_vector *ret_vector)
{
    const char *file = strchr(name, '/') + 1;
    const char *version = strchr(file, '-');
    char path[256];

    memset(ret_vector, 0, sizeof(*ret_vector));
    (void) snprintf(ret_vector->name, sizeof(ret_vector->name), "%s", name);
    (void) snprintf(path, sizeof(path), FOLDER "/%s", name);
    ret_vector->bytes = kit_read_file(path, &ret_vector->size);
    ret_vector->is_request = strstr(file, ".request.") != NULL;
    for (size_t i = 0; i < koa_kafka_api_count; i++) {
        if (version != NULL &&
            koa_str_equal_text((struct koa_str){.data = file, .size = (size_t) (version - file)},
                               koa_kafka_apis[i].name))
            ret_vector->api = &koa_kafka_apis[i];
    }
    if (version != NULL)
        ret_vector->version = (int16_t) strtol(version + 2, NULL, 10);
    KIT_EXPECT(name, ret_vector->api != NULL && ret_vector->size > 4);
    ret_vector->frame =
        (struct koa_str){.data = ret_vector->bytes + 4, .size = ret_vector->size - 4};
}

static size_t walk_folder(const char *root, const char *folder,
                          void (*each)(const struct kit_vector *vector))
{
    char path[4096];
    size_t count = 0;
    DIR *files;

    (void) snprintf(path, sizeof(path), "%s/" FOLDER "/%s", root, folder);
    files = opendir(path);
    if (files == NULL)
        return 0;
    for (const struct dirent *file = readdir(files); file != NULL; file = readdir(files)) {
        char name[sizeof(((struct kit_vector *) 0)->name)];
        struct kit_vector vector;

        if (strstr(file->d_name, ".bin") == NULL)
            continue;
        (void) snprintf(name, sizeof(name), "%.32s/%.90s", folder, file->d_name);
        kit_vector_read(name, &vector);
        each(&vector);
        koa_free(vector.bytes);
        count++;
    }
    (void) closedir(files);
    return count;
}

void kit_vectors(size_t minimum, void (*each)(const struct kit_vector *vector))
{
    const char *root = getenv("KIT_SOURCE_ROOT");
    size_t count = 0;
    char path[4096];
    DIR *folders;

    root = root != NULL ? root : ".";
    (void) snprintf(path, sizeof(path), "%s/" FOLDER, root);
    folders = opendir(path);
    if (folders == NULL)
        fail_msg("cannot open '%s'", path);
    for (const struct dirent *folder = readdir(folders); folder != NULL;
         folder = readdir(folders)) {
        if (folder->d_name[0] != '.')
            count += walk_folder(root, folder->d_name, each);
    }
    (void) closedir(folders);
    KIT_EXPECT("enough vectors", count >= minimum);
}

/* NOLINTEND(concurrency-mt-unsafe) */
