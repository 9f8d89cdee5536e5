/* How a harness says that a rule is broken. */
#ifndef FUZZ_MUST_H
#define FUZZ_MUST_H

/* Says what is wrong and aborts, where it is. */
void must(int holds, const char *what);

#endif
