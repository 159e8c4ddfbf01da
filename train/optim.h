/* SPDX-License-Identifier: MIT */
/* Optimisers over a graph's flat buffers, in one pass, with PyTorch's formulas (torch.optim.SGD,
 * Adam, AdamW). Buffers and frozen parameters are left alone; parameters marked no_decay are not
 * decayed. Results do not depend on the number of threads. */
#ifndef AT_TRAIN_OPTIM_H
#define AT_TRAIN_OPTIM_H

#include "nn/nn.h"

typedef enum at_optim_kind {
    AT_OPTIM_ADAMW = 0,
    AT_OPTIM_ADAM,
    AT_OPTIM_SGD,
    AT_OPTIM_COUNT
} at_optim_kind;
extern const char *const at_optim_names[AT_OPTIM_COUNT]; /* "adamw", "adam", "sgd" */

typedef struct at_optim_opts {
    at_optim_kind kind;
    double momentum;          /* SGD */
    bool nesterov;            /* SGD */
    double beta1, beta2, eps; /* Adam, AdamW; 0: 0.9, 0.999, 1e-8 */
    double weight_decay;      /* AdamW: decoupled; else added to the gradient */
    double clip;              /* largest norm of the whole gradient; 0: no clipping */
} at_optim_opts;

/* The state: buffers laid out like the graph's values. */
typedef struct at_optim at_optim;

/* After at_graph_finish. The graph must outlive it. */
at_status at_optim_new(at_optim **o, at_graph *g, at_optim_opts opts, at_error *err);
void at_optim_free(at_optim *o);

/* One update from the graph's gradients times `scale` (1 / number of batches accumulated), after
 * clipping; then touches the graph. Returns the gradient's norm before clipping; if that is not
 * finite nothing was changed. Gradients stay as they are. */
double at_optim_step(at_optim *o, double lr, double scale);

/* Sets all gradients to zero. */
void at_optim_zero_grad(at_optim *o);

/* State for checkpoints: up to 2 buffers ("exp_avg", "exp_avg_sq" or "momentum_buffer") and the
 * count of steps made. NULL name: no such buffer. */
float *at_optim_state(at_optim *o, int i, const char **name);
int64_t at_optim_steps(const at_optim *o);
void at_optim_set_steps(at_optim *o, int64_t steps);

/* Exponential moving average of the weights; buffers (running statistics) are copied. */
typedef struct at_ema at_ema;
at_status at_ema_new(at_ema **e, at_graph *g, double decay, at_error *err);
void at_ema_free(at_ema *e);
/* decay is min(decay, (1 + step) / (10 + step)), so that a young average follows quickly. */
void at_ema_update(at_ema *e, int64_t step);
/* Exchanges the graph's values and the average (twice: as before). */
void at_ema_swap(at_ema *e);
float *at_ema_values(at_ema *e);

#endif
