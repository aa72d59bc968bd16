/* The shape of a JSON object, as words "member:kind". Kinds: t text, T an instant, n number, l
 * list, o object, b bool; a '?' behind the kind allows null. Members that no word names are free.
 */
#ifndef CLI_SHAPE_H
#define CLI_SHAPE_H

#include "base/json_read.h"

/* False: `problem` names the first member that is missing or of another kind. */
bool cli_shape_fits(const char *shape, const struct koa_json_value *root, char *problem,
                    size_t size);

#endif
