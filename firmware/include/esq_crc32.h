/* CRC-32 as of zlib: what frames, rows and streams of weights are checked with. */
#ifndef ESQ_CRC32_OF_H
#define ESQ_CRC32_OF_H

#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The CRC-32 of what `crc` is the CRC-32 of, 0 for nothing, and of `bytes` behind it. */
static inline uint32_t esq_crc32_of(uint32_t crc, const uint8_t *bytes, uint32_t n_bytes) {
    /* One entry per nibble: 64 bytes of flash instead of 1 KB, and a link is never bound by it. */
    static const uint32_t table[16] = {
        0x00000000u, 0x1DB71064u, 0x3B6E20C8u, 0x26D930ACu, 0x76DC4190u, 0x6B6B51F4u,
        0x4DB26158u, 0x5005713Cu, 0xEDB88320u, 0xF00F9344u, 0xD6D6A3E8u, 0xCB61B38Cu,
        0x9B64C2B0u, 0x86D3D2D4u, 0xA00AE278u, 0xBDBDF21Cu,
    };
    crc ^= 0xFFFFFFFFu;
    for (uint32_t i = 0; i < n_bytes; i++) {
        crc ^= bytes[i];
        crc = (crc >> 4) ^ table[crc & 15u];
        crc = (crc >> 4) ^ table[crc & 15u];
    }
    return crc ^ 0xFFFFFFFFu;
}

#ifdef __cplusplus
}
#endif

#endif
