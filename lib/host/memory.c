#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "waymark/host.h"

/* Text of a file is never written to, so dropping its pages loses nothing.  Data that the linker relocated is
 * mapped read-only, too, but must stay: only what is executable is dropped. */
static void drop_text(const char *line)
{
    unsigned long from, to;
    char rights[8];

    if (sscanf(line, "%lx-%lx %4s", &from, &to, rights) == 3 && strcmp(rights, "r-xp") == 0 &&
        strchr(line, '/'))
        (void)madvise((void *)from, to - from, MADV_DONTNEED); /* a kernel that refuses keeps the pages */
}

void wm_memory_release(void)
{
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];

    malloc_trim(0);
    while (maps && fgets(line, sizeof line, maps))
        drop_text(line);
    if (maps)
        fclose(maps);
}
