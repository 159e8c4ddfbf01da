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
    AT_UP_BILINEAR_CORNERS,
    AT_UP_TRANSPOSED2,
    AT_UP_TRANSPOSED3,
    AT_UP_TRANSPOSED4,
    AT_UP_TRANSPOSED_BILINEAR,
    AT_UP_TRANSPOSED_FROZEN,
    AT_UP_UNPOOL_CORNER,
    AT_UP_REPLICATE,
    AT_UP_PIXELSHUFFLE_RANDOM,
    AT_UP_DUC,
    AT_UP_ADDITIVE,
    AT_UP_COUNT,
} at_upsample;

/* What a decoder takes from the encoder beside its input. */
typedef enum at_skip { AT_SKIP_DEFAULT = 0, AT_SKIP_NONE, AT_SKIP_ADD, AT_SKIP_COUNT } at_skip;

/* The decoder's maps. full: as many as the encoder's, every filter reads all. single: as many, each
 * filter reads its own map. reduced: one a class. */
typedef enum at_decoder {
    AT_DECODER_DEFAULT = 0,
    AT_DECODER_FULL,
    AT_DECODER_SINGLE,
    AT_DECODER_REDUCED,
    AT_DECODER_COUNT,
} at_decoder;

/* What the decoder's width is adjusted for, so that operators are compared at one cost. */
typedef enum at_match {
    AT_MATCH_NONE = 0,
    AT_MATCH_PARAMS,
    AT_MATCH_MACS,
    AT_MATCH_COUNT
} at_match;

/* The options common to all architectures; a zero means the default. */
typedef struct at_model_opts {
    int classes;     /* required, 2 .. 255 */
    int in_channels; /* 1, 3 or 4; 0: 3 */
    double width;    /* multiplies channel counts, rounded to multiples of 4; 0: 1 */
    int depth;       /* 0: the paper's; what it counts is said in at_model.depth_help */
    int fc;          /* fcn*: width of fc6 and fc7; 0: 1024 * width */
    at_upsample upsample;
    at_skip skip;
    at_decoder decoder;
    at_norm_kind norm;
    at_match match;
    /* Filled in by at_model_resolve where match says so, and kept from then on: the decoder's width
     * as a multiple of the encoder's, its rounding, and (cost - reference) / reference. */
    double decoder_width; /* 0: 1, nothing is adjusted */
    int decoder_unit;     /* decoder channels are multiples of this, 4 or 1 */
    double match_error;
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
    unsigned skips, decoders; /* bits likewise; 0: it has no such option */
    at_skip default_skip;
    at_decoder default_decoder;
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
const char *at_skip_name(at_skip s); /* NULL, as the next two, where there is none */
const char *at_decoder_name(at_decoder d);
const char *at_match_name(at_match m);

/* Fills in every default. Impossible combinations are AT_ERR_USAGE, saying what works. Resolving
 * twice changes nothing.
 *
 * With opts.match the decoder's width is sought at which the network has as many parameters, or
 * multiply-accumulates (at 256 x 256), as with the architecture's default upsampling and all other
 * options equal: from a quarter to four times as wide, in multiples of 4 channels, or in single
 * channels where those miss by more than 2 %. Missing by more than 5 % then is AT_ERR_USAGE. Only
 * segnet-basic (without skips, filters reading all maps), unet and deeplabv3 have such a width. */
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
/* The same for the decoder's own channels, which opts.match may have adjusted. Decoders of one
 * width, numbered by `index` from 0, share out what rounding leaves: 13.5 is 14, 13, 14, 13. */
int at_decoder_width(int channels, int index, const at_model_opts *opts);

#endif
