/* SPDX-License-Identifier: MIT */
/* Images, masks, data sets and batches: the data room's front door. */
#ifndef AT_DATA_DATA_H
#define AT_DATA_DATA_H

#include <stdbool.h>
#include <stdint.h>

#include "nn/nn.h"

/* ---- pictures ---- */

/* No file may claim more pixels than this, so that a hostile header can't ask for absurd memory. */
enum { AT_MAX_PIXELS = 1 << 28 };

/* 8-bit picture, [height, width, channels], rows without gaps. Owns data. */
typedef struct at_image {
    int width, height, channels; /* channels 1, 3 or 4 */
    uint8_t *data;
} at_image;

void at_image_free(at_image *image);

/* PNG, JPEG, BMP or PNM, by content; 16-bit samples are cut to 8; EXIF orientation applied.
 * channels 1, 3 or 4: what the caller wants; grey and colour are converted (Rec. 601), alpha is
 * dropped or opaque. A file that is cut short is an error, never a half-grey picture. */
at_status at_image_load(const char *path, int channels, at_image *out, at_error *err);
/* The same from memory; `where` names the source in errors. */
at_status at_image_decode(const void *bytes, size_t size, const char *where, int channels,
                          at_image *out, at_error *err);
/* Size after orientation, from the header only. */
at_status at_image_size(const char *path, int *width, int *height, at_error *err);

/* RGB, grey or RGBA PNG, atomically. */
at_status at_image_save_png(const char *path, const at_image *image, at_error *err);
/* The same into memory (free(*data)): for pictures inside other files. */
at_status at_image_encode_png(const at_image *image, uint8_t **data, size_t *size, at_error *err);

typedef struct at_rgb {
    uint8_t r, g, b;
} at_rgb;

/* Ids as an indexed PNG with the palette inside (1 .. 256 colours, each id below palette_count). */
at_status at_mask_save_png(const char *path, const uint8_t *ids, int width, int height,
                           const at_rgb *palette, int palette_count, at_error *err);

/* The colour of class i in the PASCAL VOC scheme. */
at_rgb at_voc_color(int i);

/* Resizing of pictures (bilinear with area averaging when shrinking, half-pixel centres) and of
 * masks (nearest, half-pixel centres). `out` has width, height and data set up by the call; a
 * mask's `out` is the caller's, out_width * out_height bytes. */
at_status at_image_resize(const at_image *in, int width, int height, at_image *out, at_error *err);
at_status at_mask_resize(const uint8_t *in, int width, int height, uint8_t *out, int out_width,
                         int out_height);

/* Every picture below a folder, hidden files left out: paths relative to it, sorted by bytes. */
typedef struct at_paths {
    int count;
    char **items; /* owned */
} at_paths;
at_status at_list_images(const char *dir, at_paths *out, at_error *err);
void at_paths_free(at_paths *p);

/* ---- pictures as they are stored ---- */

/* Samples and indices without palette expansion or scaling: what a mask needs. */
typedef struct at_raster {
    int width, height;
    int color;    /* PNG's colour types: 0 grey, 2 RGB, 3 indexed, 4 grey + alpha, 6 RGBA */
    int depth;    /* bits a sample: 1, 2, 4, 8, 16 */
    int channels; /* samples a pixel: 1 .. 4 */
    int maxval;   /* the sample that means white: 2^depth - 1, in PNM what the header says */
    void *data;   /* [height, width, channels]; uint8_t up to 8 bits, uint16_t (native) for 16 */
    int palette_count;
    at_rgb palette[256];
    uint8_t palette_alpha[256]; /* 255 where the file says nothing */
    bool has_key;               /* grey and RGB: samples equal to key are transparent */
    uint16_t key[3];
} at_raster;

/* PNG, BMP or PNM, by content. Strict: in a PNG every CRC, the zlib checksum and the exact amount
 * of data are checked. A JPEG is AT_ERR_INPUT: it keeps no exact samples. */
at_status at_raster_decode(const void *bytes, size_t size, const char *where, at_raster *out,
                           at_error *err);
void at_raster_free(at_raster *r);

/* ---- classes ---- */

enum { AT_MAX_CLASSES = 256, AT_IGNORE = 255 }; /* in decoded masks 255 means: counts nowhere */

typedef struct at_class {
    char *name;
    at_rgb color;
} at_class;

typedef struct at_classes {
    int count;       /* ids 0 .. count-1, at most 255 */
    at_class *items; /* owned */
} at_classes;

void at_classes_free(at_classes *c);
json_t *at_classes_to_json(const at_classes *c); /* new reference; NULL: out of memory */
at_status at_classes_from_json(const json_t *j, at_classes *out, at_error *err);

/* classes.txt: one class a line, `id name r g b`, `name r g b`, `id name` or `name`; fields parted
 * by blanks or commas, names may hold blanks, # begins a comment. Without ids the lines count from
 * 0. A line repeated with another colour gives the class one more colour; `ignore name r g b` is a
 * colour that counts nowhere. Errors name the line. */
typedef struct at_color_code {
    at_rgb color;
    int id; /* class, or AT_IGNORE */
} at_color_code;

typedef struct at_class_table {
    at_classes classes;
    int code_count; /* colours stated, not those invented for lines without */
    at_color_code *codes;
} at_class_table;

at_status at_class_table_parse(const char *text, size_t size, const char *where,
                               at_class_table *out, at_error *err);
void at_class_table_free(at_class_table *t);

/* ---- data sets ---- */

typedef struct at_sample {
    char *name;     /* relative, unique in the set, without extension: "aachen/aachen_000000" */
    char *image;    /* paths; NULL in the synthetic set, whose pictures are drawn when loaded */
    char *mask;     /* NULL: none */
    char *group;    /* samples of one group never part over splits; NULL: on its own */
    uint64_t index; /* the synthetic set: which picture */
} at_sample;

typedef struct at_split {
    char *name; /* "train", "val", "test" or what dataset.json names */
    int count;
    at_sample *samples;
} at_split;

typedef struct at_dataset at_dataset;

typedef struct at_dataset_opts {
    const char *path;  /* NULL: the synthetic set */
    const int *ignore; /* raw ids; NULL: what the layout states; else exactly these, even none */
    int ignore_count;
    int classes;      /* 0: from the data */
    double val_share; /* 0: 0.2, held out by seed if there is no val split; < 0: hold out none */
    uint64_t seed;
    int synth_count;    /* images of the synthetic set, a fifth of them val; 0: 500 */
    at_pair synth_size; /* 0: 64x64; at least 32 */
} at_dataset_opts;

/* Finds the layout, lists the samples, works out how masks are coded, names the classes. Reads
 * masks only as far as needed for that. docs/datasets.md describes layouts and dataset.json. */
at_status at_dataset_open(at_dataset **out, at_dataset_opts opts, at_error *err);
void at_dataset_free(at_dataset *d);

const char *at_dataset_layout(const at_dataset *d); /* "camvid", "voc", ... for people */
const char *at_dataset_notes(const at_dataset *d);  /* lines worth printing once, "" if none */
const at_classes *at_dataset_classes(const at_dataset *d);
const int *at_dataset_ignore(const at_dataset *d, int *count); /* raw ids that are ignored */
int at_dataset_split_count(const at_dataset *d);
const at_split *at_dataset_split(const at_dataset *d, const char *name); /* NULL: none */
const at_split *at_dataset_split_at(const at_dataset *d, int i);
/* The split if it has samples; else AT_ERR_USAGE, which lists those that have. */
at_status at_dataset_find_split(const at_dataset *d, const char *name, const at_split **split,
                                at_error *err);

/* One sample decoded: image with `channels`, mask as class ids with AT_IGNORE (width * height,
 * malloc'ed; *mask is NULL if the sample has none; mask may be NULL: not wanted). Errors name file,
 * pixel, value and remedy. May be called from several threads at once. */
at_status at_dataset_load(const at_dataset *d, const at_sample *s, int channels, at_image *image,
                          uint8_t **mask, at_error *err);
/* The sample's size, from the header only. */
at_status at_dataset_size(const at_dataset *d, const at_sample *s, at_pair *size, at_error *err);
/* One mask file under the set's coding, whatever image it belongs to. *ids is malloc'ed. */
at_status at_dataset_load_mask(const at_dataset *d, const char *path, uint8_t **ids, at_pair *size,
                               at_error *err);

/* Pixels per class, and images in which each class is present, over a split. */
typedef struct at_class_stats {
    int64_t pixels[AT_MAX_CLASSES];       /* of each class */
    int64_t image_pixels[AT_MAX_CLASSES]; /* counted pixels of the images that contain the class */
    int images[AT_MAX_CLASSES];
    int64_t ignored;
    double mean[4], std[4];    /* of the images' channels, 0 .. 1 */
    at_pair smallest, largest; /* of heights and of widths, each on its own */
} at_class_stats;
at_status at_dataset_stats(const at_dataset *d, const at_split *s, int channels,
                           at_class_stats *out, at_error *err);

/* Every pair looked at: readable, sizes equal, labels in range, masks that miss, classes never
 * seen, the same picture in two splits, splits that share a sequence of frames. */
typedef enum at_severity { AT_FINDING_NOTE = 0, AT_FINDING_WARNING, AT_FINDING_ERROR } at_severity;

typedef struct at_finding {
    at_severity severity;
    char *file; /* NULL: the set as a whole */
    char *text;
} at_finding;

typedef struct at_findings {
    int count;
    at_finding *items; /* owned */
} at_findings;

at_status at_dataset_check(const at_dataset *d, at_findings *out, at_error *err);
void at_findings_free(at_findings *f);

/* Writes the set as images/SPLIT masks/SPLIT classes.txt (PNG, class ids with palette, 255 ignored)
 * into a folder that has none of these yet. */
at_status at_dataset_export(const at_dataset *d, const char *dir, at_error *err);
/* A list file of a split, "image<TAB>mask" lines with absolute paths. */
at_status at_split_write_list(const at_split *s, const char *path, at_error *err);

/* ---- batches ---- */

typedef struct at_augment {
    double scale_min, scale_max; /* 0, 0: 1, 1; drawn evenly in the logarithm */
    double hflip, vflip;         /* probabilities */
    double rotate;               /* degrees, uniform in +- */
    double brightness, contrast, saturation,
        hue; /* jitter strengths, torchvision's meaning; 0: none */
} at_augment;

/* One picture and its mask into a place of a batch: scaled, turned, flipped and cut to `size` in
 * one resampling (image bilinear, mask nearest, the same map), padded with the mean and AT_IGNORE.
 * image: 8 bit; mask: its ids or NULL (all AT_IGNORE); out_image [h, w, channels] becomes
 * (v / 255 - mean) / std; out_mask [h, w]. rng alone decides what is drawn, and how many numbers
 * are drawn depends on nothing. */
at_status at_augment_apply(const at_augment *a, at_rng rng, const at_image *image,
                           const uint8_t *mask, const double mean[4], const double std[4],
                           at_pair size, float *out_image, uint8_t *out_mask, at_error *err);

typedef struct at_loader_opts {
    const at_dataset *dataset;
    const at_split *split;
    int batch, channels;
    at_pair resize; /* every image and mask to this first; 0: as they are */
    at_pair crop; /* random crop (train), padded with the mean and AT_IGNORE; 0: the image's size */
    bool train;   /* shuffle and augment; otherwise in order, whole images */
    at_augment augment;
    double mean[4], std[4]; /* image values become (v / 255 - mean) / std; std 0 means 1 */
    uint64_t seed;
    int threads;        /* loader threads; 0: 1 */
    size_t cache_bytes; /* decoded images kept in memory up to this; 0: a quarter of what is free */
} at_loader_opts;

typedef struct at_loader at_loader;
/* The data set must outlive the loader. Images of different size without resize or crop are an
 * error when training. */
at_status at_loader_new(at_loader **out, at_loader_opts opts, at_error *err);
void at_loader_free(at_loader *l);

typedef struct at_batch {
    int count; /* images in it: the last batch of a pass may be short when not training */
    at_pair size;
    const float *images;  /* [count, h, w, channels] */
    const uint8_t *masks; /* [count, h, w] ids */
    const int *samples;   /* index into the split, count of them */
} at_batch;

/* Batches an epoch gives: training drops a short last batch unless it is the only one; otherwise a
 * batch also ends where the next image has another size. */
int at_loader_batches(const at_loader *l);
/* Starts an epoch at one of its batches: the same (seed, epoch, index) always gives the same data.
 */
void at_loader_start(at_loader *l, int epoch, int first_batch);
/* The next batch; valid until the next call. *batch has count 0 at the end of the epoch. After an
 * error the same error returns until the next start. */
at_status at_loader_next(at_loader *l, at_batch *batch, at_error *err);

#endif
