/* SPDX-License-Identifier: MIT */
/* Private to the data room: the decoders behind at_image_decode. All of them treat the bytes as
 * hostile; `where` names the source in errors. */
#ifndef AT_DATA_DECODE_H
#define AT_DATA_DECODE_H

#include "data/data.h"

typedef enum at_kind {
    AT_KIND_UNKNOWN = 0,
    AT_KIND_PNG,
    AT_KIND_JPEG,
    AT_KIND_BMP,
    AT_KIND_PNM,
} at_kind;

/* By the first bytes. */
at_kind at_kind_of(const void *bytes, size_t size);
/* "neither PNG nor ..." for what at_kind_of doesn't know, naming well-known formats. */
at_status at_fail_kind(const void *bytes, size_t size, const char *where, at_error *err);

/* AT_ERR_INPUT for an empty picture or one above AT_MAX_PIXELS. */
at_status at_check_pixels(const char *where, uint64_t width, uint64_t height, at_error *err);

/* Memory for the samples that the raster's header fields tell. */
at_status at_raster_alloc(at_raster *r, const char *where, at_error *err);

/* width * height * channels bytes into out->data. */
at_status at_image_alloc(int width, int height, int channels, at_image *out, at_error *err);

/* What a walk over a JPEG's segments tells, without decoding. */
typedef struct at_jpeg_info {
    int width, height; /* as stored */
    int orientation;   /* EXIF's 1 .. 8; 1 where nothing is said */
    bool has_size;     /* false: the bytes end before the frame header */
    bool complete;     /* the end marker was found */
} at_jpeg_info;
at_status at_jpeg_scan(const void *bytes, size_t size, const char *where, at_jpeg_info *out,
                       at_error *err);

/* The orientation (1 .. 8) from an EXIF block: what follows "Exif\0\0"; 1 if there is none. */
int at_exif_orientation(const uint8_t *bytes, size_t size);

/* Turns and mirrors so that the picture stands as EXIF orientation says. */
at_status at_image_orient(at_image *image, int orientation, at_error *err);

/* The decoders behind at_raster_decode. header_only leaves out->data NULL.
 * PNM: plain and raw (P1 .. P6); a bitmap's ink is 0, its paper 1. BMP: uncompressed, 1, 4, 8, 24
 * or 32 bits, the first three as indices. */
at_status at_png_decode(const void *bytes, size_t size, const char *where, bool header_only,
                        at_raster *out, at_error *err);
at_status at_pnm_decode(const void *bytes, size_t size, const char *where, bool header_only,
                        at_raster *out, at_error *err);
at_status at_bmp_decode(const void *bytes, size_t size, const char *where, bool header_only,
                        at_raster *out, at_error *err);

/* A JPEG that at_jpeg_scan found to be whole, by stb_image: 1 or 3 channels, as the file has. */
at_status at_jpeg_decode(const void *bytes, size_t size, const char *where, at_image *out,
                         at_error *err);

/* A raster as 8-bit picture with 1, 3 or 4 channels; takes over the raster's data where it can. */
at_status at_raster_to_image(at_raster *r, const char *where, int channels, at_image *out,
                             at_error *err);

/* Converts in place between 1, 3 and 4 channels. */
at_status at_image_convert(at_image *image, int channels, at_error *err);

#endif
