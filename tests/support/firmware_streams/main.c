/* Decodes streams, damaged ones too, and writes their words to the serial line.
 *
 * Each stream's padding ends where the memory ends, so that a byte read beyond it is a fault; what
 * is behind the words and the tables must be as it was. Then come the ticks that begin and decode
 * took. */
#include "records.h"

#include <string.h>

#include "esq_port.h"
#include "esq_stream.h"

#define GUARD_WORDS 4u
#define GUARD 0xA5C3E17Bu

static uint32_t table[(1u << ESQ_STREAM_MAX_TABLE_BITS) + 64u + GUARD_WORDS];
static uint32_t words[ESQ_RECORDS_MAX_WORDS + GUARD_WORDS];

static void put_guards(uint32_t *at) {
    for (uint32_t k = 0; k < GUARD_WORDS; k++) {
        at[k] = GUARD;
    }
}

static uint32_t guards_touched(const uint32_t *at) {
    uint32_t touched = 0;
    for (uint32_t k = 0; k < GUARD_WORDS; k++) {
        touched |= at[k] ^ GUARD;
    }
    return touched;
}

static void run(const struct esq_record *record) {
    uint8_t *content = (uint8_t *)ESQ_RECORDS_END - record->n_bytes - 4u;
    memcpy(content, record->content, record->n_bytes + 4u);
    const struct esq_stream stream = {content, record->n_bytes, 0, 0};
    const struct esq_streamed streamed = {
        .stream = &stream,
        .table_bits = record->table_bits,
        .carries = record->carries,
        .masks = record->has_masks ? &esq_by_masks : 0,
    };
    uint32_t *behind = table + (1u << record->table_bits) + (record->has_masks ? 64u : 0u);
    put_guards(behind);
    put_guards(words + record->words);
    struct esq_bits bits;
    const uint32_t start = esq_port_ticks();
    esq_bits_begin(&bits, &streamed, table);
    const uint32_t begun = esq_port_ticks();
    for (uint32_t done = 0; done < record->words;) {
        const uint32_t left = record->words - done;
        const uint32_t some = left < record->piece ? left : record->piece;
        esq_decode(&bits, words + done, some);
        done += some;
    }
    const uint32_t end = esq_port_ticks();
    const uint32_t told[3] = {begun - start, end - begun,
                              guards_touched(behind) | guards_touched(words + record->words)};
    esq_port_write((const uint8_t *)words, record->words * 4u);
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
