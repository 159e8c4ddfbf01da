/* SPDX-License-Identifier: MIT */
/* The inside of a plan: plan.c builds it, plan_segments.c chooses what is computed twice,
 * plan_memory.c places its buffers, plan_run.c runs it. */
#ifndef AT_NN_PLAN_PRIVATE_H
#define AT_NN_PLAN_PRIVATE_H

#include "nn/graph_private.h"
#include "nn/plan.h"

/* A piece of the arena, alive from moment `begin` to moment `end`, both included. Forward step i is
 * moment i; each backward step has two moments, because some operators read their inputs before they
 * write gradients; a step that is computed once more has a moment for that, before the backward of its
 * segment. The caller's own time before and after belongs to the first and the last. */
typedef struct at_buffer {
    size_t bytes, offset;
    int begin, end;
    bool used;               /* false: nobody asked for it */
    struct at_buffer *place; /* it lies where this one lies; NULL: it has a place of its own */
    size_t shift;            /* and that many bytes further on */
} at_buffer;

enum {
    BUF_OUT0 = 0,
    BUF_OUT1,
    BUF_REDO,  /* out[0] once more, with the segment the step belongs to */
    BUF_AGAIN, /* out[0] once more, for backward: written at moment `begin` */
    BUF_GRAD,  /* gradient of out[0] */
    BUF_SAVED,
    BUF_KEPT,
    BUF_WORK, /* one for each phase, in their order */
    BUF_WORK_REDO,
    BUF_WORK_BACK,
    BUF_SCRATCH,
    BUF_SCRATCH_REDO,
    BUF_SCRATCH_BACK,
    BUF_WIDE, /* fp32 copies of bf16 tensors, for an operator that takes none */
    BUF_WIDE_REDO,
    BUF_WIDE_BACK,
    BUF_COUNT,
};

typedef enum at_phase { AT_PHASE_FORWARD = 0, AT_PHASE_REDO, AT_PHASE_BACKWARD } at_phase;

typedef struct at_plan_step {
    at_step s;
    int *inputs;     /* step number of each input, -1 where only the shape is lent */
    bool *clear;     /* the runner zeroes d_in[i] before this step's backward */
    bool wants_grad; /* something upstream is trained (or input_grad) */
    bool again;      /* out[0] is written once more for its first reader in backward */
    int segment;     /* of steps whose values don't outlive forward; 0: of none */
    bool redo;       /* out[0] is computed once more, with its segment */
    int redo_moment;
    int back;                 /* the first moment of its backward */
    const at_node *home;      /* the concatenation whose out[0] holds this step's, or NULL */
    const at_node *grad_home; /* the one whose d_out holds this step's */
    int channel;              /* where in it */
    bool holds;               /* this step's out[0] holds others' */
    bool written;    /* somebody writes the gradient of out[0] before this step's backward */
    at_tensor *wide; /* in_count inputs and their gradients, as the operator sees them */
    at_buffer buf[BUF_COUNT];
    double forward_s, backward_s;
} at_plan_step;

struct at_plan {
    at_graph *graph;
    at_plan_opts opts;
    at_shape *shapes;   /* of every node by id; n = 0 where not needed */
    at_tensor *seconds; /* second outputs by id; shape.n = 0 where there is none */
    int *step_of;       /* by node id: the step whose out[0] is the node's value; < 0: none */
    bool *needed;       /* by node id: its value is computed */
    at_dtype *dtypes;   /* by node id: of its value and gradient */
    at_plan_step *steps;
    int count;
    int output; /* step number */
    int threads;
    int moments;
    char *arena;
    size_t arena_bytes;
    size_t stage_offset, stage_bytes; /* of each worker; 0: nothing is bf16 */
    bool profile;
    bool may_time; /* operators, to find the fastest way; only while the plan is made */
};

/* Would the operator only copy its input? Then the input's step is the node's too. */
bool at_plan_passes_through(const at_plan *plan, const at_node *n);

/* plan_slices.c: where the step's value is to lie, once its last node is known; then, once all lives
 * are known, puts the buffers there. */
void at_plan_find_home(const at_plan *plan, at_plan_step *ps, const at_node *output);
void at_plan_lodge(at_plan *plan);

/* Sets the lives of all buffers from the steps and their segments, then gives every used one its
 * offset; fills in plan->arena_bytes. May be called again with other segments. */
at_status at_plan_place(at_plan *plan, at_error *err);

/* Gives steps segments so that the arena is small, and places it. */
at_status at_plan_choose_segments(at_plan *plan, at_error *err);

/* Is the value of step i read in backward, by backward itself or by a step that is done `again`? */
bool at_plan_read_back(const at_plan *plan, int i);

/* The last step whose forward reads the value of step i; i if there is none. */
int at_plan_last_reader(const at_plan *plan, int i);

size_t at_plan_value_bytes(const at_plan_step *ps);

/* Points every step's tensors into the arena. */
void at_plan_bind(at_plan *plan);

/* Points out[0] of step i, and what reads it, to one of its buffers: BUF_OUT0, BUF_REDO
 * or BUF_AGAIN. */
void at_plan_point(at_plan *plan, int i, int which);

/* The buffer that holds the step's out[0] in that phase. */
const at_buffer *at_plan_value_buffer(const at_plan_step *ps, at_phase phase);

/* Points the step's work and scratch at those of the coming call. */
void at_plan_use_memory(at_plan *plan, at_plan_step *ps, at_phase phase);

/* ---- operators that take no bf16 (plan_wide.c) ---- */

/* Bytes of the fp32 copies for one pass of a step; 0 if it needs none. */
size_t at_plan_wide_bytes(const at_plan_step *ps, bool backward);

/* What the operator is to be called with: the step, or a copy of it with widened tensors. */
at_step at_plan_widen(const at_plan *plan, at_plan_step *ps, at_phase phase);
/* Brings back what the operator has written into the copies. */
void at_plan_narrow(const at_plan_step *ps, const at_step *copy, at_phase phase);

/* The arena: zeroed, aligned to 2 MiB, huge pages if the system has them. */
void *at_arena_map(size_t bytes);
void at_arena_unmap(void *arena, size_t bytes);

#endif
