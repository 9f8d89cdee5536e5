/* Serves one model to `edgesq verify` over the functions of esq_port.h. */
#ifndef ESQ_SERVE_H
#define ESQ_SERVE_H

#ifdef __cplusplus
extern "C" {
#endif

/* Sets up the port, the engine and the link: 0, or 1 where the engine refuses its memory. */
int esq_serve_begin(void);

/* Takes the next byte from the line, with all the work that follows, or rests until one comes. */
void esq_serve(void);

#ifdef __cplusplus
}
#endif

#endif
