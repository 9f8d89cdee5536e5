#include "info.h"

#include <string.h>

#include "esq_port.h"
#include "frame.h"

#define ESQ_INFO_DAMAGED 0x80u
#define ESQ_INFO_TAKES_CODED 0x01u
#define ESQ_INFO_KEEPS_STATE 0x02u
#define ESQ_MAX_NAME 32u
#define ESQ_MAX_BUILD 96u
#define ESQ_MAX_OBSERVED 32u /* mirror: MAX_OBSERVED in edgesq/limits.py */

/* What esq_port_cpuid is of. */
#ifdef __riscv
#define ESQ_CORE ESQ_CORE_RISCV
#else
#define ESQ_CORE ESQ_CORE_CORTEX_M
#endif

static uint8_t *put_text(uint8_t *to, const char *text, uint32_t n_max) {
    uint8_t n = 0;
    while (text[n] != '\0' && n < n_max) {
        to[1 + n] = (uint8_t)text[n];
        n++;
    }
    to[0] = n;
    return to + 1 + n;
}

static uint8_t *put_inputs(const struct esq_identity *identity, uint8_t *to) {
    *to++ = identity->n_inputs;
    for (uint32_t i = 0; i < identity->n_inputs; i++) {
        for (uint32_t axis = 0; axis < 3; axis++) {
            esq_put_u16(to, identity->inputs[i][axis]);
            to += 2;
        }
    }
    return to;
}

uint32_t esq_info_pack(const struct esq_identity *identity, const struct esq_engine *engine,
                       uint16_t damaged_op, uint8_t *payload) {
    payload[0] = ESQ_PROTOCOL_VERSION;
    payload[1] = ESQ_LAYOUT_VERSION;
    esq_put_u16(payload + 2, ESQ_FRAME_PAYLOAD_MAX);
    esq_put_u32(payload + 4, esq_port_rx_bytes());
    memcpy(payload + 8, identity->model_sha256, sizeof identity->model_sha256);
    esq_put_u16(payload + 40, identity->height);
    esq_put_u16(payload + 42, identity->width);
    esq_put_u16(payload + 44, identity->channels);
    esq_put_u32(payload + 46, esq_port_tick_hz());
    esq_put_u32(payload + 50, identity->clock_hz);
    esq_put_u32(payload + 54, esq_port_cpuid());
    esq_put_u16(payload + 58, identity->op_count);
    const int is_damaged = damaged_op != ESQ_NO_OP;
    payload[60] = identity->optimisation | (is_damaged ? ESQ_INFO_DAMAGED : 0);
    uint8_t *count = payload + 61;
    uint8_t *end = count + 1;
    uint32_t n_tensor = 0;
    for (*count = 0; *count < ESQ_MAX_OBSERVED; (*count)++) {
        if (esq_observed(engine, *count, &n_tensor) == NULL) {
            break;
        }
        esq_put_u32(end, n_tensor);
        end += 4;
    }
    end = put_text(end, identity->kernels, ESQ_MAX_NAME);
    end = put_text(end, identity->board, ESQ_MAX_NAME);
    end = put_text(end, identity->build, ESQ_MAX_BUILD);
    if (is_damaged) {
        esq_put_u16(end, damaged_op);
        end += 2;
    }
    const uint32_t takes = identity->n_inputs > 1 ? 0 : ESQ_INFO_TAKES_CODED;
    const uint32_t keeps = esq_keeps_state(engine) ? ESQ_INFO_KEEPS_STATE : 0;
    *end++ = (uint8_t)(takes | keeps);
    *end++ = ESQ_CORE;
    end = put_inputs(identity, end);
    return (uint32_t)(end - payload);
}
