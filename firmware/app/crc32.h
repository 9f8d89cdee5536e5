/* CRC-32 of IEEE 802.3 and zlib: reflected 0x04C11DB7, start and final XOR 0xFFFFFFFF. */
#ifndef ESQ_CRC32_H
#define ESQ_CRC32_H

#include <stdint.h>

/* CRC-32 of bytes [n_bytes]; of "123456789" it is 0xCBF43926. */
uint32_t esq_crc32(const uint8_t *bytes, uint32_t n_bytes);

/* The CRC-32 of what gave `crc`, and bytes [n_bytes] after it; of nothing it is 0. */
uint32_t esq_crc32_more(uint32_t crc, const uint8_t *bytes, uint32_t n_bytes);

#endif
