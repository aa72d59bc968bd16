/* The version of the library that is loaded, from the public header and the build. */
#include <koa/version.h>

#define TEXT_OF(number) #number
#define DOTTED(major, minor, patch) TEXT_OF(major) "." TEXT_OF(minor) "." TEXT_OF(patch)

const char *koa_version(void)
{
    return DOTTED(KOA_VERSION_MAJOR, KOA_VERSION_MINOR, KOA_VERSION_PATCH);
}

const char *koa_revision(void)
{
    return KOA_REVISION;
}
