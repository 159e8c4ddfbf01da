/* SPDX-License-Identifier: MIT */
/* Measures beyond the confusion matrix: how well boundaries are drawn, which sizes of objects are
 * found, where the errors lie, and whether the upsampling left its pattern behind. docs/measures.md
 * has every formula.
 *
 * Each measure is an accumulator that is given one picture at a time and can be merged with another
 * of its kind; all counts are integers. Maps of ids are [height, width] bytes. Pixels whose truth
 * is not below `classes` are ignored; where nothing else is said, the prediction counts as ignored
 * there too, so that what a network says about them changes nothing. The same bits come out for any
 * number of threads. A picture of more than INT_MAX pixels is AT_ERR_INPUT. */
#ifndef AT_TRAIN_MEASURES_H
#define AT_TRAIN_MEASURES_H

#include "train/metrics.h"
#include "train/network.h"
#include "train/predict.h"

/* ---- boundaries (boundary.c) ---- */

/* Shares of the picture's diagonal: how far a boundary may be off for F1 (0.75 %: 4.5 pixels at
 * 360x480), and how wide the band of boundary IoU is (2 %: 12 pixels). */
#define AT_F1_TOLERANCE 0.0075
#define AT_IOU_DILATION 0.02

/* How boundary pixels are held against each other: against the nearest one, or each against one of
 * its own. */
typedef enum at_f1_rule { AT_F1_NEAREST = 0, AT_F1_MATCHED, AT_F1_RULES } at_f1_rule;

typedef struct at_boundary_class {
    double f1[AT_F1_RULES]; /* sums over the pictures whose truth has such a boundary */
    int64_t pictures;       /* how many these are */
    int64_t both, either;   /* pixels of the bands' intersection and union */
} at_boundary_class;

typedef struct at_boundary {
    int classes;
    /* Sums of the pictures' F1, over the classes with a boundary in the truth, or in truth or
     * prediction; and how many pictures have one. */
    double truth_sum[AT_F1_RULES], any_sum[AT_F1_RULES];
    int64_t truth_pictures[AT_F1_RULES], any_pictures[AT_F1_RULES];
    at_boundary_class *of; /* [classes], owned */
} at_boundary;

/* What one picture got; NAN: no boundary, no pixel. */
typedef struct at_boundary_score {
    double f1;  /* nearest, classes of the truth */
    double iou; /* mean over classes */
} at_boundary_score;

at_status at_boundary_init(at_boundary *b, int classes, at_error *err);
void at_boundary_free(at_boundary *b);
/* *score may be NULL. On error *b is as it was. */
at_status at_boundary_add(at_boundary *b, const uint8_t *truth, const uint8_t *prediction,
                          int height, int width, at_boundary_score *score, at_error *err);
void at_boundary_merge(at_boundary *b, const at_boundary *other); /* same classes */

/* Means over pictures: classes of the truth, or with `any` of truth or prediction. NAN: none. */
double at_boundary_f1(const at_boundary *b, at_f1_rule rule, bool any);
double at_boundary_class_f1(const at_boundary *b, at_f1_rule rule, int class);
/* Over all pictures, as IoU is; the mean over classes that have a pixel. */
double at_boundary_class_iou(const at_boundary *b, int class);
double at_boundary_iou(const at_boundary *b);

/* ---- bands round the truth's edges (trimap.c) ---- */

enum { AT_TRIMAP_WIDTHS = 7, AT_ERROR_WIDTH = 3 };
extern const int at_trimap_widths[AT_TRIMAP_WIDTHS]; /* 1, 2, 3, 4, 8, 16, 32 pixels */

typedef struct at_trimap {
    int classes;
    /* Pixels of the band of width i that are not in band i - 1; the last: in none. Owned. */
    at_confusion ring[AT_TRIMAP_WIDTHS + 1];
} at_trimap;

typedef struct at_trimap_point {
    int width; /* 0: the whole picture */
    int64_t pixels;
    double miou, pixel_accuracy; /* NAN: no pixel */
} at_trimap_point;

at_status at_trimap_init(at_trimap *t, int classes, at_error *err);
void at_trimap_free(at_trimap *t);
/* Predictions of pixels that count are below `classes`. */
at_status at_trimap_add(at_trimap *t, const uint8_t *truth, const uint8_t *prediction, int height,
                        int width, at_error *err);
void at_trimap_merge(at_trimap *t, const at_trimap *other);
/* The bands, and last the whole. */
at_status at_trimap_curve(const at_trimap *t, at_trimap_point curve[AT_TRIMAP_WIDTHS + 1],
                          at_error *err);
/* Of all counted pixels: wrong ones less than AT_ERROR_WIDTH from an edge, and the other wrong
 * ones. Together 1 - pixel accuracy. NAN: no pixel. */
void at_trimap_errors(const at_trimap *t, double *boundary, double *interior);

/* The squared Euclidean distance of each pixel to the nearest one whose seed is not 0, at most
 * limit * limit. limit: 1 .. 32768. Exact, in time linear in pixels (distance.c). */
at_status at_distance_squared(const uint8_t *seeds, int height, int width, int limit, int32_t *out,
                              at_error *err);

/* ---- objects by size (objects.c) ---- */

enum { AT_OBJECT_BINS = 5 };
/* The square root of an object's pixels is below 8, 16, 32, 64, anything. 0 stands for no limit. */
extern const int at_object_limits[AT_OBJECT_BINS];

/* Pixels that hang together (8 neighbours) and have one class in the truth are an object; it is
 * found if at least half of its pixels have that class in the prediction. */
typedef struct at_object_bin {
    int64_t objects, found;
    int64_t pixels, hits;
    int64_t share; /* the sum of hits / pixels of the objects, in units of 2^-32 */
} at_object_bin;

typedef struct at_objects {
    int classes;
    at_object_bin (*of)[AT_OBJECT_BINS]; /* [classes], owned */
} at_objects;

at_status at_objects_init(at_objects *o, int classes, at_error *err);
void at_objects_free(at_objects *o);
at_status at_objects_add(at_objects *o, const uint8_t *truth, const uint8_t *prediction, int height,
                         int width, at_error *err);
void at_objects_merge(at_objects *o, const at_objects *other);
/* Objects of all classes in bins first .. last. */
at_object_bin at_objects_sum(const at_objects *o, int first, int last);
/* found / objects, and the mean share of an object that is found; NAN: no object. */
double at_object_recall(const at_object_bin *b);
double at_object_share(const at_object_bin *b);

/* ---- checkerboards (checkerboard.c, spectrum.c, upsamplers.c) ---- */

/* How unevenly a transposed convolution's taps overlap: the standard deviation of the number of
 * taps that meet in an output pixel, over its s_h x s_w phases, divided by the mean. 0 where every
 * phase gets as many (kernel divisible by stride, undilated). */
double at_overlap_unevenness(at_pair kernel, at_pair stride, at_pair dilation);

/* The same of trained weights [in][out][kernel.h][kernel.w]: with S(phase) the sum of the taps that
 * meet there, sqrt(sum of the variances of S over phases / sum of the squared means), sums over all
 * pairs of channels. 0: a constant input gives a constant output. INFINITY where all means are 0,
 * NAN where all weights are. */
double at_polyphase_spread(const float *weights, int pairs, at_pair kernel, at_pair stride,
                           at_pair dilation);

/* A node that makes pictures larger by learnt weights: transposed convolution, or a convolution
 * followed by pixel_shuffle. */
typedef struct at_upsampler {
    const char *node, *op;
    at_pair kernel, stride;
    double overlap, polyphase;
} at_upsampler;

/* All of the graph, in its order; *list is malloc'ed. Names are the graph's. */
at_status at_upsamplers(const at_graph *g, at_upsampler **list, int *count, at_error *err);

/* The network's stride: how many pixels of the picture its coarsest level is apart. */
enum { AT_MAX_GRID = 64 };
at_status at_network_stride(const at_network *net, int *stride, at_error *err);

/* What a grid of that stride would leave in the output: accuracy by phase, power of the logits at
 * frequencies j / stride and beside them. Stride 1: nothing is measured. */
typedef struct at_checkerboard {
    int stride;             /* 1 .. AT_MAX_GRID */
    int64_t *hits, *pixels; /* [stride][stride]: by (y mod stride, x mod stride); owned */
    double *peak, *base;    /* [stride / 2 + 1]: by j; base is the mean of the neighbours; owned */
} at_checkerboard;

at_status at_checkerboard_init(at_checkerboard *c, int stride, at_error *err);
void at_checkerboard_free(at_checkerboard *c);
/* prob: [height, width, classes] probabilities at the network's own resolution; truth and
 * prediction at the same. Phases count whole blocks of stride x stride pixels only. */
at_status at_checkerboard_add(at_checkerboard *c, const uint8_t *truth, const uint8_t *prediction,
                              const float *prob, int classes, int height, int width, at_error *err);
void at_checkerboard_merge(at_checkerboard *c, const at_checkerboard *other);
/* `period` divides the stride, > 1. The largest difference of accuracy between two phases modulo
 * the period; NAN if one of them has no pixel. */
double at_phase_gap(const at_checkerboard *c, int period);
/* The power at the frequencies j / period in lowest terms over that of their neighbours: 1 is
 * nothing, more a pattern. NAN: not measured. */
double at_spectral_peak(const at_checkerboard *c, int period);

/* ---- all of them ---- */

typedef struct at_measures {
    at_boundary boundary;
    at_trimap trimap;
    at_objects objects;
    at_checkerboard checkerboard;
    at_upsampler *upsamplers; /* owned; names are the network's graph's */
    int upsampler_count;
    at_trimap_point curve[AT_TRIMAP_WIDTHS + 1]; /* after at_measures_finish */
} at_measures;

at_status at_measures_new(at_measures **m, const at_network *net, at_error *err);
void at_measures_free(at_measures *m); /* NULL is fine */
/* The prediction has probabilities, and its plane where the network resizes. *score may be NULL. */
at_status at_measures_add(at_measures *m, const uint8_t *truth, const at_prediction *p,
                          at_boundary_score *score, at_error *err);
void at_measures_merge(at_measures *m, const at_measures *other);
/* After the last picture. */
at_status at_measures_finish(at_measures *m, at_error *err);

/* ---- as numbers for tables (measures_flat.c) ---- */

/* One number of a validation, as a column of a table. */
typedef struct at_measure {
    const char *name; /* "bf1" */
    int better;       /* 1: more is better, -1: less is */
    const char *help; /* for people, one line */
} at_measure;

enum { AT_MEASURES = 23 };
extern const at_measure at_measure_list[AT_MEASURES];
/* Values in the order of the list, after at_measures_finish. NAN: does not exist. */
void at_measures_flat(const at_measures *m, double values[AT_MEASURES]);

/* ---- reports ---- */

/* Adds the objects "boundary", "objects" and "checkerboard" to an object; *j becomes NULL if memory
 * runs out. */
void at_measures_put_json(json_t **j, const at_measures *m, const at_classes *classes);

/* mIoU and pixel accuracy over the width of the band; light and dark. */
at_status at_trimap_save_svg(const char *path, const at_trimap_point curve[AT_TRIMAP_WIDTHS + 1],
                             at_error *err);

#endif
