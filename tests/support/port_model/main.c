/* Runs a port on a pretended chip and prints what it left in the registers.
 *
 * Arguments: STATUS READY EMPTY DATA, then rules WHERE MASK THEN BITS, all hex: whenever all bits
 * of MASK are set at WHERE, the chip sets BITS at THEN. A byte is there while STATUS is READY. */
#include "cortex_m.h"
#include "esq_port.h"
#include "registers.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_REGISTERS 384
#define MAX_RULES 32

struct word {
    uint32_t address;
    volatile uint32_t value;
};
struct rule {
    uint32_t where, mask, then, bits;
};

static struct word words[MAX_REGISTERS];
static struct rule rules[MAX_RULES];
static int n_words, n_rules;
static uint32_t rx_status, rx_empty, ticks;

static volatile uint32_t *word_at(uint32_t address) {
    for (int i = 0; i < n_words; i++) {
        if (words[i].address == address) {
            return &words[i].value;
        }
    }
    if (n_words == MAX_REGISTERS) {
        exit(2);
    }
    words[n_words].address = address;
    return &words[n_words++].value;
}

volatile uint32_t *chip_register(uint32_t address) {
    for (int i = 0; i < n_rules; i++) {
        if ((*word_at(rules[i].where) & rules[i].mask) == rules[i].mask) {
            *word_at(rules[i].then) |= rules[i].bits;
        }
    }
    return word_at(address);
}

void esq_ring_put(uint8_t byte) {
    printf("received %x\n", byte);
    *word_at(rx_status) = rx_empty;
}

uint32_t esq_ring_room(void) { return 1; }

void esq_irq_enable(uint32_t irq) { printf("irq_%u 1\n", irq); }

int esq_cycles_start(void) { return 1; }

uint32_t esq_cycles(void) { return ticks++; }

void esq_caches_start(void) {}

int main(int count, char **texts) {
    uint32_t numbers[4 + 4 * MAX_RULES] = {0};
    for (int i = 1; i < count && i <= 4 + 4 * MAX_RULES; i++) {
        numbers[i - 1] = (uint32_t)strtoul(texts[i], NULL, 16);
    }
    for (int i = 4; i + 3 < count - 1; i += 4) {
        rules[n_rules++] =
            (struct rule){numbers[i], numbers[i + 1], numbers[i + 2], numbers[i + 3]};
    }
    esq_port_init();
    printf("tick_hz %u\n", esq_port_tick_hz());
    esq_port_write((const uint8_t[]){0x5A}, 1);
    for (int i = 0; i < n_words; i++) {
        printf("%x %x\n", words[i].address, words[i].value);
    }
    rx_status = numbers[0];
    rx_empty = numbers[2];
    *word_at(numbers[3]) = 0x41;
    *word_at(rx_status) = numbers[1];
    esq_rx_interrupt();
    return 0;
}
