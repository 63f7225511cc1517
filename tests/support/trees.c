#include "trees.h"

bool tree_has_doubles(const cJSON *tree)
{
    for (const cJSON *a = tree->child; a; a = a->next) {
        if (tree_has_doubles(a))
            return true;
        for (const cJSON *b = a->next; cJSON_IsObject(tree) && b; b = b->next)
            if (strcmp(a->string, b->string) == 0)
                return true;
    }
    return false;
}
