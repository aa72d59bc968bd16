/* The library's version, at compile time and at run time. */
#ifndef KOA_VERSION_H
#define KOA_VERSION_H

#include <koa/base.h>

#ifdef __cplusplus
extern "C" {
#endif

#define KOA_VERSION_MAJOR 0
#define KOA_VERSION_MINOR 1
#define KOA_VERSION_PATCH 0

/* Of the library that is loaded: "0.1.0". */
KOA_API const char *koa_version(void);
/* The source revision it was built from, or "unknown". */
KOA_API const char *koa_revision(void);

#ifdef __cplusplus
}
#endif

#endif
