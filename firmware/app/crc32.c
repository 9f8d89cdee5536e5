#include "crc32.h"

#include "esq_crc32.h"

uint32_t esq_crc32(const uint8_t *bytes, uint32_t n_bytes) {
    return esq_crc32_of(0, bytes, n_bytes);
}

uint32_t esq_crc32_more(uint32_t crc, const uint8_t *bytes, uint32_t n_bytes) {
    return esq_crc32_of(crc, bytes, n_bytes);
}
