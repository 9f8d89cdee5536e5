#include "edgesq.h"
#include "esq_crc32.h"
#include "esq_model.h"

uint32_t esq_damaged_weights(const struct esq_model *model) {
    for (uint32_t index = 0; index < model->stream_count; index++) {
        const struct esq_stream *stream = model->streams[index];
        if (esq_crc32_of(0, stream->content, stream->n_bytes) != stream->crc32) {
            return stream->op;
        }
    }
    return ESQ_NO_OP;
}
