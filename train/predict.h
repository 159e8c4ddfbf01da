/* SPDX-License-Identifier: MIT */
/* From a picture of any size to class ids of the same size. A picture whose plan would not fit in
 * memory is cut into overlapping tiles: starts are multiples of 64 pixels, the outer quarter of an
 * overlap (or the reach of the network, where that is known and smaller) counts for nothing and the
 * middle is blended, so that a network whose receptive field the margin covers gives what it gives
 * on the whole picture. Operators that read the whole image (image pooling, group norm) see tiles.
 */
#ifndef AT_TRAIN_PREDICT_H
#define AT_TRAIN_PREDICT_H

#include "train/network.h"

enum { AT_MAX_SCALES = 8 };

typedef struct at_predict_opts {
    at_precision precision;
    at_conv_choice conv;
    at_tuning *tuning; /* for AT_CONV_TUNE; NULL: the user's (train/tune.h) */
    bool once;         /* one picture in one piece: weights need not be kept ready for a second */
    bool flip; /* test-time augmentation: mean of the probabilities with the mirrored picture */
    int scale_count; /* and over these scales; 0: {1} */
    double scales[AT_MAX_SCALES];
    int tile;    /* largest side of a tile, a multiple of 64; 0: the whole picture if it fits */
    int overlap; /* of neighbouring tiles; 0: a quarter of the tile */
    size_t max_bytes; /* for a plan; 0: what is free */
} at_predict_opts;

/* "flip", "scales" (0.75, 1, 1.25), "scales=0.5,1,1.5"; separated by commas or plus signs. */
at_status at_predict_tta(at_predict_opts *opts, const char *text, at_error *err);

typedef struct at_predictor at_predictor;
/* The network must outlive it; only one plan of it runs at a time. */
at_status at_predictor_new(at_predictor **p, at_network *net, at_predict_opts opts, at_error *err);
void at_predictor_free(at_predictor *p);

enum { AT_WANT_PROB = 1, AT_WANT_CONF = 2, AT_WANT_PLANE = 4 }; /* ids always come */

typedef struct at_prediction {
    int width, height, classes;
    uint8_t *ids;        /* [height, width] */
    float *prob;         /* [height, width, classes], or NULL */
    uint8_t *confidence; /* [height, width] largest probability * 255, or NULL */
    /* Probabilities at the size that the network resizes pictures to, [plane_size, classes]: only
     * if asked for and the network does so; otherwise NULL. */
    float *plane;
    at_pair plane_size;
    int64_t area[AT_MAX_CLASSES]; /* pixels per class */
    int tiles;                    /* 1: in one piece */
} at_prediction;

/* Channels of the picture must be the network's (net->opts.in_channels). */
at_status at_predict(at_predictor *p, const at_image *image, unsigned want, at_prediction *out,
                     at_error *err);
void at_prediction_free(at_prediction *out);

/* ---- writers; each is atomic ---- */

/* Indexed PNG, ids 0 .. classes-1 with the classes' colours inside. */
at_status at_prediction_save_ids(const at_prediction *p, const at_classes *c, const char *path,
                                 at_error *err);
at_status at_prediction_save_color(const at_prediction *p, const at_classes *c, const char *path,
                                   at_error *err);
/* The picture with the colours laid over it; opacity 0 .. 1 (0: 0.5). `image` may have 1, 3 or 4
 * channels. */
at_status at_prediction_save_overlay(const at_prediction *p, const at_classes *c,
                                     const at_image *image, double opacity, const char *path,
                                     at_error *err);
/* safetensors with "probabilities" [classes, height, width] as fp32 and the class names as
 * metadata. */
at_status at_prediction_save_prob(const at_prediction *p, const at_classes *c, const char *path,
                                  at_error *err);
/* Grey PNG. */
at_status at_prediction_save_conf(const at_prediction *p, const char *path, at_error *err);

/* Lines of summary.csv, with line ends: "image,height,width,sky,..." and one picture's shares of
 * area. malloc'ed; NULL: out of memory. Names are quoted where CSV needs it. */
char *at_summary_header(const at_classes *c);
char *at_summary_row(const at_prediction *p, const char *name);

#endif
