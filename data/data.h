/* SPDX-License-Identifier: MIT */
/* Images, masks, data sets and batches: the data room's front door. */
#ifndef AT_DATA_DATA_H
#define AT_DATA_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "nn/nn.h"

/* ---- pictures ---------------------------------------------------------------------------------- */

/* 8-bit picture, [height, width, channels], rows without gaps. Owns data. */
typedef struct at_image {
    int width, height, channels; /* channels 1, 3 or 4 */
    uint8_t *data;
} at_image;

void at_image_free(at_image *image);

/* PNG, JPEG, BMP or PNM, by content; 16-bit samples are cut to 8; EXIF orientation applied.
 * channels 1, 3 or 4: what the caller wants; grey and colour are converted (Rec. 601). */
at_status at_image_load(const char *path, int channels, at_image *out, at_error *err);
/* Size after orientation, from the header only. */
at_status at_image_size(const char *path, int *width, int *height, at_error *err);

/* RGB, grey or RGBA PNG, atomically. */
at_status at_image_save_png(const char *path, const at_image *image, at_error *err);

typedef struct at_rgb {
    uint8_t r, g, b;
} at_rgb;

/* Ids as an indexed PNG with the palette inside. */
at_status at_mask_save_png(const char *path, const uint8_t *ids, int width, int height, const at_rgb *palette,
                           int palette_count, at_error *err);

/* The colour of class i in the PASCAL VOC scheme. */
at_rgb at_voc_color(int i);

/* Resizing of pictures (bilinear with area averaging when shrinking, half-pixel centres) and of
 * masks (nearest, half-pixel centres). `out` has width, height and data set up by the call. */
at_status at_image_resize(const at_image *in, int width, int height, at_image *out, at_error *err);
at_status at_mask_resize(const uint8_t *in, int width, int height, uint8_t *out, int out_width, int out_height);

/* ---- classes ------------------------------------------------------------------------------------ */

enum { AT_MAX_CLASSES = 256, AT_IGNORE = 255 }; /* in decoded masks 255 means: counts nowhere */

typedef struct at_class {
    char *name;
    at_rgb color;
} at_class;

typedef struct at_classes {
    int count;
    at_class *items; /* owned */
} at_classes;

void at_classes_free(at_classes *c);
json_t *at_classes_to_json(const at_classes *c);
at_status at_classes_from_json(const json_t *j, at_classes *out, at_error *err);

/* ---- data sets ----------------------------------------------------------------------------------- */

typedef struct at_sample {
    char *name;  /* relative, unique in the set, without extension: "aachen/aachen_000000" */
    char *image; /* paths */
    char *mask;  /* NULL: none */
    char *group; /* samples of one group never part over splits; NULL: on its own */
} at_sample;

typedef struct at_split {
    char *name; /* "train", "val", "test" or what dataset.json names */
    int count;
    at_sample *samples;
} at_split;

typedef struct at_dataset at_dataset;

typedef struct at_dataset_opts {
    const char *path;       /* NULL: the synthetic set */
    const int *ignore;      /* raw ids; NULL with ignore_count 0: what the layout states */
    int ignore_count;
    int classes;            /* 0: from the data */
    double val_share;       /* 0: 0.2, held out by seed if there is no val split */
    uint64_t seed;
    int synth_count;        /* images of the synthetic set; 0: its default */
    at_pair synth_size;     /* 0: its default */
} at_dataset_opts;

/* Finds the layout, lists the samples, works out how masks are coded, names the classes. Reads
 * masks only as far as needed for that. */
at_status at_dataset_open(at_dataset **out, at_dataset_opts opts, at_error *err);
void at_dataset_free(at_dataset *d);

const char *at_dataset_layout(const at_dataset *d); /* "camvid", "voc", ... for people */
const char *at_dataset_notes(const at_dataset *d);  /* lines worth printing once, "" if none */
const at_classes *at_dataset_classes(const at_dataset *d);
const int *at_dataset_ignore(const at_dataset *d, int *count); /* raw ids that are ignored */
int at_dataset_split_count(const at_dataset *d);
const at_split *at_dataset_split(const at_dataset *d, const char *name); /* NULL: none */
const at_split *at_dataset_split_at(const at_dataset *d, int i);

/* One sample decoded: image with `channels`, mask as class ids with AT_IGNORE (width * height,
 * malloc'ed, NULL if the sample has none and mask == NULL is passed). Errors name file, pixel, value
 * and remedy. */
at_status at_dataset_load(const at_dataset *d, const at_sample *s, int channels, at_image *image, uint8_t **mask,
                          at_error *err);

/* Pixels per class, and images in which each class is present, over a split. */
typedef struct at_class_stats {
    int64_t pixels[AT_MAX_CLASSES];        /* of each class */
    int64_t image_pixels[AT_MAX_CLASSES];  /* counted pixels of the images that contain the class */
    int images[AT_MAX_CLASSES];
    int64_t ignored;
    double mean[4], std[4]; /* of the images' channels, 0 .. 1 */
} at_class_stats;
at_status at_dataset_stats(const at_dataset *d, const at_split *s, int channels, at_class_stats *out, at_error *err);

/* ---- batches -------------------------------------------------------------------------------------- */

typedef struct at_augment {
    double scale_min, scale_max; /* 0, 0: 1, 1 */
    double hflip, vflip;         /* probabilities */
    double rotate;               /* degrees, uniform in +- */
    double brightness, contrast, saturation, hue; /* jitter strengths, torchvision's meaning; 0: none */
} at_augment;

typedef struct at_loader_opts {
    const at_dataset *dataset;
    const at_split *split;
    int batch, channels;
    at_pair resize;   /* every image and mask to this first; 0: as they are */
    at_pair crop;     /* random crop (train), padded with the mean and AT_IGNORE; 0: the image's size */
    bool train;       /* shuffle and augment; otherwise in order, whole images */
    at_augment augment;
    double mean[4], std[4]; /* image values become (v / 255 - mean) / std */
    uint64_t seed;
    int threads;      /* loader threads; 0: 1 */
    size_t cache_bytes; /* decoded images kept in memory up to this; 0: a quarter of what is free */
} at_loader_opts;

typedef struct at_loader at_loader;
at_status at_loader_new(at_loader **out, at_loader_opts opts, at_error *err);
void at_loader_free(at_loader *l);

typedef struct at_batch {
    int count;             /* images in it: the last batch of a pass may be short when not training */
    at_pair size;
    const float *images;   /* [count, h, w, channels] */
    const uint8_t *masks;  /* [count, h, w] ids */
    const int *samples;    /* index into the split, count of them */
} at_batch;

/* Batches an epoch gives: training drops a short last batch unless it is the only one. */
int at_loader_batches(const at_loader *l);
/* Starts an epoch at one of its batches: the same (seed, epoch, index) always gives the same data. */
void at_loader_start(at_loader *l, int epoch, int first_batch);
/* The next batch; valid until the next call. *batch has count 0 at the end of the epoch. */
at_status at_loader_next(at_loader *l, at_batch *batch, at_error *err);

#endif
