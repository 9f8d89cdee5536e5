/* Decodes coded images, any bytes among them, and writes their rows to the serial line.
 *
 * Each image comes in pieces, as in frames. After the rows that became whole come four words: how
 * many they are, whether bytes follow the image, the ticks that decoding took, and
 * bytes written outside. */
#include "records.h"

#include <string.h>

#include "esq_port.h"
#include "rows.h"

#define GUARD_BYTES 16u
#define GUARD 0x5A

static int8_t row[ESQ_RECORDS_ROW_MAX + GUARD_BYTES];
static int8_t fetched[ESQ_RECORDS_ROW_MAX + GUARD_BYTES];

static uint32_t touched(const int8_t *at) {
    uint32_t n = 0;
    for (uint32_t k = 0; k < GUARD_BYTES; k++) {
        n += at[k] != GUARD;
    }
    return n;
}

static void run(const struct esq_record *record) {
    const uint32_t n_row = (uint32_t)record->width * record->channels;
    memset(row, GUARD, sizeof row);
    memset(fetched, GUARD, sizeof fetched);
    struct esq_rows rows = {.row = row, .width = record->width, .channels = record->channels};
    uint32_t taken = 0;
    uint32_t n_rows = 0;
    uint32_t ticks = 0;
    esq_rows_start(&rows);
    for (;;) {
        const uint32_t left = record->n_bytes - taken;
        const uint32_t start = esq_port_ticks();
        taken += esq_rows_take(&rows, record->content + taken,
                               left < record->piece ? left : record->piece);
        const int is_whole = esq_rows_is_whole(&rows);
        if (is_whole) {
            esq_rows_fetch(&rows, fetched);
        }
        ticks += esq_port_ticks() - start;
        if (is_whole) {
            esq_port_write((const uint8_t *)fetched, n_row);
            n_rows++;
        }
        if (n_rows == record->height || (!is_whole && taken == record->n_bytes)) {
            break;
        }
    }
    memset(fetched, 0, n_row);
    for (uint32_t k = n_rows; k < record->height; k++) {
        esq_port_write((const uint8_t *)fetched, n_row);
    }
    const int has_more = taken != record->n_bytes || esq_rows_has_more(&rows);
    const uint32_t told[4] = {n_rows, n_rows == record->height && has_more, ticks,
                              touched(row + n_row) + touched(fetched + n_row)};
    esq_port_write((const uint8_t *)told, sizeof told);
}

int main(void) {
    esq_port_init();
    for (uint32_t index = 0; index < ESQ_RECORDS; index++) {
        run(&esq_records[index]);
    }
    for (;;) {
        esq_port_idle();
    }
}
