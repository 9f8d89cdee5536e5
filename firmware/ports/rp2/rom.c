#include "rp2.h"

#include "cortex_m.h"

uintptr_t esq_rp2_rom_pointer(uint32_t at) {
    uint32_t word_at = at & ~3u;
    __asm__("" : "+r"(word_at)); /* the compiler takes what lies at so low an address for a slip */
    return (ESQ_REGISTER(word_at) >> (8u * (at & 2u))) & 0xFFFFu;
}
