/* A plugin of QEMU 7.2 that counts how often each translated block runs.
 *
 * out=PATH names where the counts go when QEMU ends: a line "ADDRESS INSTRUCTIONS RUNS" each.
 * Debian ships no qemu-plugin.h; what is used of it is declared here (QEMU 7.2, qemu-plugin.h).
 */
#include <inttypes.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef uint64_t qemu_plugin_id_t;
struct qemu_plugin_tb;
struct qemu_info;
enum { INLINE_ADD_U64 = 0 };

int qemu_plugin_version = 1;
int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv);
extern void qemu_plugin_register_vcpu_tb_trans_cb(qemu_plugin_id_t id,
                                                  void (*translated)(qemu_plugin_id_t,
                                                                     struct qemu_plugin_tb *));
extern void qemu_plugin_register_atexit_cb(qemu_plugin_id_t id,
                                           void (*ended)(qemu_plugin_id_t, void *), void *data);
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *block, int operation,
                                                     void *counter, uint64_t add);
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *block);
extern uint64_t qemu_plugin_tb_vaddr(const struct qemu_plugin_tb *block);

struct counter {
    struct counter *next;
    uint64_t address;
    uint64_t runs;
    size_t instructions;
};

static struct counter *counters;
static const char *path;

/* The board has one core: nothing here is called by two threads at once. */
static void translated(qemu_plugin_id_t id, struct qemu_plugin_tb *block) {
    (void)id;
    struct counter *counter = calloc(1, sizeof *counter);
    if (counter == NULL) {
        abort();
    }
    counter->next = counters;
    counter->address = qemu_plugin_tb_vaddr(block);
    counter->instructions = qemu_plugin_tb_n_insns(block);
    counters = counter;
    qemu_plugin_register_vcpu_tb_exec_inline(block, INLINE_ADD_U64, &counter->runs, 1);
}

static void ended(qemu_plugin_id_t id, void *data) {
    (void)id;
    (void)data;
    FILE *file = fopen(path, "w");
    if (file == NULL) {
        abort();
    }
    for (const struct counter *one = counters; one != NULL; one = one->next) {
        fprintf(file, "%" PRIx64 " %zu %" PRIu64 "\n", one->address, one->instructions, one->runs);
    }
    fclose(file);
}

int qemu_plugin_install(qemu_plugin_id_t id, const struct qemu_info *info, int argc, char **argv) {
    (void)info;
    if (argc != 1 || strncmp(argv[0], "out=", 4) != 0) {
        return 1;
    }
    path = argv[0] + 4;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, ended, NULL);
    return 0;
}
