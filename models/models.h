/* SPDX-License-Identifier: MIT */
/* Architectures and their registry: the models' front door. Adding one: models/<name>.c, one line
 * in models/list.h, tests/test_<name>.c. */
#ifndef AT_MODELS_MODELS_H
#define AT_MODELS_MODELS_H

#include "layers/layers.h"

enum { AT_MAX_RATES = 16 };

typedef enum at_upsample {
    AT_UP_DEFAULT = 0, /* the architecture's own */
    AT_UP_NEAREST,
    AT_UP_BILINEAR,
    AT_UP_BICUBIC,
    AT_UP_TRANSPOSED,
    AT_UP_UNPOOL,
    AT_UP_PIXELSHUFFLE,
    AT_UP_COUNT,
} at_upsample;

/* The options common to all architectures; a zero means the default. */
typedef struct at_model_opts {
    int classes;     /* required, 2 .. 255 */
    int in_channels; /* 1, 3 or 4; 0: 3 */
    double width;    /* multiplies channel counts, rounded to multiples of 4; 0: 1 */
    int depth;       /* 0: the paper's; what it counts is said in at_model.depth_help */
    int fc;          /* fcn*: width of fc6 and fc7; 0: 1024 * width */
    at_upsample upsample;
    at_norm_kind norm;
    int output_stride; /* deeplabv3, hdc: 8 or 16; 0: the architecture's own */
    int rates[AT_MAX_RATES];
    int rate_count;
    bool lrn;        /* segnet-basic: local response norm on the input */
    bool no_dropout; /* build without dropout, to compare gradients; not part of the description */
} at_model_opts;

typedef struct at_model {
    const char *name;    /* "unet" */
    const char *summary; /* one line for people, with the paper */
    /* Bit (1 << op) for each upsampling operator that makes sense; the default comes first. */
    unsigned upsamples;
    at_upsample default_upsample;
    const int *depths;      /* what opts.depth may be, the default first, then 0 */
    const char *depth_help; /* "weighted layers of VGG" */
    bool has_rates, has_output_stride, has_fc, has_lrn;
    /* Fills in output_stride and rates where they are 0; NULL if it has none. */
    void (*defaults)(at_model_opts *opts);
    /* Image node to logits node, [n, h, w, classes] at the image's height and width. */
    at_node *(*build)(at_graph *g, at_node *image, const at_model_opts *opts);
} at_model;

/* NULL-terminated. */
extern const at_model *const at_model_list[];
const at_model *at_model_find(const char *name); /* NULL: none */

const char *at_upsample_name(at_upsample u);    /* "bilinear"; NULL if there is none */
at_upsample at_upsample_find(const char *name); /* AT_UP_DEFAULT: unknown */
const char *at_norm_name(at_norm_kind k);

/* Fills in every default. Impossible combinations are AT_ERR_USAGE, saying what works. Resolving
 * twice changes nothing. */
at_status at_model_resolve(const at_model *m, at_model_opts *opts, at_error *err);

/* A finished graph with input "image" and output "logits", resolved first. Not initialised. */
at_status at_model_new(at_graph **g, const at_model *m, at_model_opts opts, at_error *err);

/* An object with "name" and the options the architecture has, resolved. NULL: out of memory. */
json_t *at_model_opts_to_json(const at_model *m, const at_model_opts *opts);
/* The way back; what is absent gets its default, an unknown name or key is AT_ERR_INPUT. */
at_status at_model_from_json(const json_t *j, const at_model **m, at_model_opts *opts,
                             at_error *err);

/* channels * width, rounded to the nearest multiple of 4 (halves up), at least 4. */
int at_scale_width(int channels, double width);

#endif
