#include "must.h"

#include <stdio.h>
#include <stdlib.h>

void must(int holds, const char *what) {
    if (!holds) {
        fprintf(stderr, "rule: %s\n", what);
        abort();
    }
}
